/**
 * Runs classic BPF programs as the kernel does (Documentation/networking/filter.rst), so that matchers are tested
 * without one: only the instructions that live-agent/enforcement/classic-bpf.ts makes.
 */
import type { Program } from "../../live-agent/enforcement/classic-bpf.ts";

/** A load behind the packet's end ends the program with 0. */
class BehindTheEnd extends Error {}

/** What the program returns for a packet, seen from its IP header on, that has this packet mark. */
export function runProgram(program: Program, packet: Uint8Array, packetMark = 0): number {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  try {
    return execute(program, view, packetMark);
  } catch (error) {
    if (error instanceof BehindTheEnd) return 0;
    throw error;
  }
}

function execute(program: Program, view: DataView, packetMark: number): number {
  let [a, x] = [0, 0];
  const cells = Array.from({ length: 16 }, () => 0);
  const load = (offset: number, octets: 1 | 2 | 4): number => {
    if (offset < 0 || offset + octets > view.byteLength) throw new BehindTheEnd();
    return octets === 1
      ? view.getUint8(offset)
      : octets === 2
        ? view.getUint16(offset)
        : view.getUint32(offset);
  };
  for (let at = 0; at < program.length; at++) {
    const { code, jumpTrue, jumpFalse, operand: k } = program[at]!;
    const jumpIf = (holds: boolean): void => {
      at += holds ? jumpTrue : jumpFalse;
    };
    switch (code) {
      case 0x00:
        a = k;
        break;
      case 0x20:
        a = k === (-0x1000 + 20) >>> 0 ? packetMark : load(k, 4);
        break;
      case 0x28:
        a = load(k, 2);
        break;
      case 0x30:
        a = load(k, 1);
        break;
      case 0x40:
        a = load(x + k, 4);
        break;
      case 0x48:
        a = load(x + k, 2);
        break;
      case 0x50:
        a = load(x + k, 1);
        break;
      case 0x60:
        a = cells[k]!;
        break;
      case 0x80:
        a = view.byteLength;
        break;
      case 0x01:
        x = k;
        break;
      case 0x61:
        x = cells[k]!;
        break;
      case 0xb1:
        x = (load(k, 1) & 15) * 4;
        break;
      case 0x02:
        cells[k] = a;
        break;
      case 0x03:
        cells[k] = x;
        break;
      case 0x04:
        a = (a + k) >>> 0;
        break;
      case 0x0c:
        a = (a + x) >>> 0;
        break;
      case 0x1c:
        a = (a - x) >>> 0;
        break;
      case 0x24:
        a = Math.imul(a, k) >>> 0;
        break;
      case 0x54:
        a = (a & k) >>> 0;
        break;
      case 0x64:
        a = (a << k) >>> 0;
        break;
      case 0x74:
        a = a >>> k;
        break;
      case 0x05:
        at += k;
        break;
      case 0x15:
        jumpIf(a === k);
        break;
      case 0x1d:
        jumpIf(a === x);
        break;
      case 0x25:
        jumpIf(a > k);
        break;
      case 0x2d:
        jumpIf(a > x);
        break;
      case 0x35:
        jumpIf(a >= k);
        break;
      case 0x3d:
        jumpIf(a >= x);
        break;
      case 0x45:
        jumpIf((a & k) !== 0);
        break;
      case 0x06:
        return k;
      case 0x07:
        x = a;
        break;
      case 0x87:
        a = x;
        break;
      default:
        throw new Error(`no instruction ${code}`);
    }
  }
  throw new Error("the program has no end");
}
