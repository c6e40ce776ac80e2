/**
 * Classic BPF (linux/filter.h): instructions as data, jumps by label, text as `iptables -m bpf --bytecode` takes it.
 * Programs here see a packet from its IP header on and return 1 for a match, 0 for none; a load behind the packet's
 * end returns 0 too.
 */

/** XT_BPF_MAX_NUM_INSTR of linux/netfilter/xt_bpf.h. */
export const maximumInstructions = 64;

export interface Instruction {
  readonly code: number;
  readonly jumpTrue: number;
  readonly jumpFalse: number;
  /** Unsigned 32 bit. */
  readonly operand: number;
}

export type Program = readonly Instruction[];

/** An instruction whose jumps are still names; a jump without one goes to the next instruction. */
export interface Step {
  readonly code: number;
  readonly operand: number;
  readonly isTrue?: string;
  readonly isFalse?: string;
}

/** A step, or the name of the place where the next step stands. */
export type Line = Step | string;

const step = (code: number, operand = 0): Step => ({ code, operand: operand >>> 0 });

/** Loads into the accumulator A: from a fixed offset, or from X plus an offset. */
export const loadOctet = (offset: number): Step => step(0x30, offset);
export const loadHalf = (offset: number): Step => step(0x28, offset);
export const loadOctetAtX = (offset: number): Step => step(0x50, offset);
export const loadHalfAtX = (offset: number): Step => step(0x48, offset);
export const loadWordAtX = (offset: number): Step => step(0x40, offset);
export const loadNumber = (value: number): Step => step(0x00, value);
export const loadCell = (cell: number): Step => step(0x60, cell);
/** A = octets of the packet. */
export const loadPacketLength = (): Step => step(0x80);
/** SKF_AD_OFF + SKF_AD_MARK of linux/filter.h: the mark that netfilter keeps with a packet, not ours on the wire. */
export const loadPacketMark = (): Step => step(0x20, -0x1000 + 20);

export const storeCell = (cell: number): Step => step(0x02, cell);
/** X = 4 x the low four bits of an octet: the length of an IPv4 header. */
export const loadXHeaderLength = (offset: number): Step => step(0xb1, offset);
export const loadXNumber = (value: number): Step => step(0x01, value);
export const loadXCell = (cell: number): Step => step(0x61, cell);
export const storeXCell = (cell: number): Step => step(0x03, cell);
export const copyAToX = (): Step => step(0x07);
export const copyXToA = (): Step => step(0x87);

export const add = (value: number): Step => step(0x04, value);
export const addX = (): Step => step(0x0c);
export const subtractX = (): Step => step(0x1c);
export const multiply = (value: number): Step => step(0x24, value);
export const and = (value: number): Step => step(0x54, value);
export const shiftLeft = (bits: number): Step => step(0x64, bits);
export const shiftRight = (bits: number): Step => step(0x74, bits);

const branch = (code: number, operand: number, isTrue?: string, isFalse?: string): Step => ({
  ...step(code, operand),
  ...(isTrue === undefined ? {} : { isTrue }),
  ...(isFalse === undefined ? {} : { isFalse }),
});
export const jumpIfEqual = (value: number, isTrue?: string, isFalse?: string): Step =>
  branch(0x15, value, isTrue, isFalse);
export const jumpIfEqualToX = (isTrue?: string, isFalse?: string): Step => branch(0x1d, 0, isTrue, isFalse);
export const jumpIfGreater = (value: number, isTrue?: string, isFalse?: string): Step =>
  branch(0x25, value, isTrue, isFalse);
export const jumpIfGreaterThanX = (isTrue?: string, isFalse?: string): Step =>
  branch(0x2d, 0, isTrue, isFalse);
export const jumpIfAtLeast = (value: number, isTrue?: string, isFalse?: string): Step =>
  branch(0x35, value, isTrue, isFalse);
export const jumpIfAtLeastX = (isTrue?: string, isFalse?: string): Step => branch(0x3d, 0, isTrue, isFalse);
export const jumpIfAnyBit = (bits: number, isTrue?: string, isFalse?: string): Step =>
  branch(0x45, bits, isTrue, isFalse);

export const match = (): Step => step(0x06, 1);
export const noMatch = (): Step => step(0x06, 0);

/** Always goes to a label further down. */
export const jump = (label: string): Step => ({ ...step(0x05), isTrue: label });

/**
 * The program that the lines make.
 * @throws RangeError if a label is missing, behind the jump, or too far.
 */
export function assemble(lines: readonly Line[]): Program {
  const places = new Map<string, number>();
  const steps: Step[] = [];
  for (const line of lines) {
    if (typeof line === "string") places.set(line, steps.length);
    else steps.push(line);
  }
  return steps.map((current, index) => {
    const distance = (label: string | undefined): number => {
      if (label === undefined) return 0;
      const place = places.get(label);
      const far = place === undefined ? -1 : place - index - 1;
      if (far < 0 || far > 255) throw new RangeError(`cannot jump from ${index} to "${label}"`);
      return far;
    };
    const isAlways = current.code === 0x05;
    return {
      code: current.code,
      jumpTrue: isAlways ? 0 : distance(current.isTrue),
      jumpFalse: distance(current.isFalse),
      operand: isAlways ? distance(current.isTrue) : current.operand,
    };
  });
}

/** As `iptables -m bpf --bytecode` reads it and `iptables-save` prints it. */
export function bytecode(program: Program): string {
  const instructions = program.map((one) => `${one.code} ${one.jumpTrue} ${one.jumpFalse} ${one.operand}`);
  return [program.length, ...instructions].join(",");
}

/**
 * The longest program that `build` makes of up to `most` repetitions and that fits.
 * @throws RangeError if not even one does.
 */
export function assembleMost(most: number, build: (repetitions: number) => readonly Line[]): Program {
  for (let repetitions = most; repetitions >= 1; repetitions--) {
    const lines = build(repetitions);
    // A label is no instruction.
    const instructions = lines.filter((line) => typeof line !== "string").length;
    if (instructions <= maximumInstructions) return assemble(lines);
  }
  throw new RangeError(`a program takes more than ${maximumInstructions} instructions`);
}
