/** The pages that all tables of a walk share: few of them hold what many would, and no place moves within a turn. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FlowTable } from "../../analytics/ingest/flow-table.ts";
import { FlowTuple } from "../../analytics/ingest/flow-tuple.ts";
import { HashSlots, none } from "../../analytics/ingest/hash-slots.ts";
import { HostTable } from "../../analytics/ingest/host-table.ts";
import { PagedRows } from "../../analytics/ingest/paged-rows.ts";
import { drawSecrets } from "../../analytics/ingest/secrets.ts";
import { WalkMemory } from "../../analytics/ingest/walk-memory.ts";
import { seededRandom } from "../fuzz/random.ts";

/** 16 KiB. */
const few = { pages: 64, pageWords: 64 };

let memory: WalkMemory;
beforeEach(() => {
  memory = new WalkMemory(few);
});
afterEach(() => {
  memory.close();
});

describe("rows", () => {
  test("come back from the file as they were left, in whatever order they are asked for", () => {
    const random = seededRandom(1);
    const rows = new PagedRows(memory, 5);
    const other = new PagedRows(memory, 26);
    const expected = new Map<number, number>();
    for (let step = 0; step < 50_000; step++) {
      memory.nextTurn();
      const row = random.below(3000);
      const at = rows.place(row);
      expect(memory.words[at + 4], `row ${row}`).toBe(expected.get(row) ?? 0);
      memory.words[at + 4] = step;
      expected.set(row, step);
      memory.words[other.place(row)] = step;
      expect(memory.words[at + 4]).toBe(step);
    }
    expect(memory.writtenOut).toBeGreaterThan(0);
    for (const [row, step] of expected) {
      memory.nextTurn();
      expect([memory.words[rows.place(row) + 4], memory.words[other.place(row)]]).toEqual([step, step]);
    }
  });

  test("stay where they are within a turn, though others have to make room", () => {
    const rows = new PagedRows(memory, 64);
    for (let row = 0; row < 1000; row++) {
      memory.nextTurn();
      memory.words[rows.place(row)] = row;
    }
    memory.nextTurn();
    const places = Array.from({ length: 48 }, (_, index) => rows.place(index * 20));
    expect(places.map((place) => memory.words[place])).toEqual(places.map((_, index) => index * 20));
  });

  test("more in one turn than there are pages is an error, not another row's page", () => {
    const rows = new PagedRows(memory, 64);
    expect(() => {
      for (let row = 0; row < 100; row++) rows.place(row);
    }).toThrow("a turn asked for more than 64 pages");
  });

  test("of a table that is given back make room, and a new table begins with zeros", () => {
    const old = new PagedRows(memory, 1);
    for (let row = 0; row < 20_000; row++) {
      memory.nextTurn();
      memory.words[old.place(row)] = 1;
    }
    old.release();
    const { writtenOut } = memory;
    const rows = new PagedRows(memory, 1);
    for (let row = 0; row < 20_000; row++) {
      memory.nextTurn();
      expect(memory.words[rows.place(row)]).toBe(0);
      memory.words[rows.place(row)] = 2;
    }
    expect(memory.writtenOut).toBe(writtenOut);
  });

  test("know of no file while everything has room", () => {
    const rows = new PagedRows(memory, 1);
    for (let row = 0; row < 64 * 40; row++) memory.words[rows.place(row)] = row;
    expect([memory.isFull, memory.writtenOut]).toEqual([false, 0]);
  });

  test("turns are counted beyond 32 bits", () => {
    const rows = new PagedRows(memory, 64);
    memory.turn = 0xffff_ff00;
    for (let row = 0; row < 1000; row++) {
      memory.nextTurn();
      memory.words[rows.place(row % 100)] = row;
    }
    expect(memory.turn).toBeLessThan(1000);
    expect(memory.words[rows.place(99)]).toBe(999);
  });
});

test("a dictionary finds its ids again, though most of its slots are in the file and all hashes are alike below", () => {
  const slots = new HashSlots(memory);
  const hash = (key: number): number => Math.imul(key & ~3, 0x9e3779b1);
  const keys = new PagedRows(memory, 1);
  const find = (key: number): number => {
    let id = slots.first(hash(key));
    while (id !== none && memory.words[keys.place(id)] !== key) id = slots.next();
    return id;
  };
  for (let key = 0; key < 20_000; key++) {
    memory.nextTurn();
    expect(find(key)).toBe(none);
    memory.words[keys.place(slots.add())] = key;
  }
  for (let key = 0; key < 20_000; key++) {
    memory.nextTurn();
    expect(find(key)).toBe(key);
  }
});

test("of a 5-tuple that began again, the newest flow is found after a stay in the file", () => {
  const secrets = drawSecrets("a test");
  const flows = new FlowTable(new HostTable(secrets, memory), secrets, memory);
  const view = new DataView(new ArrayBuffer(40));
  const tuple = new FlowTuple();
  const readTuple = (index: number): FlowTuple => {
    view.setUint32(12, index % 700);
    tuple.readSent(view, 0, 4, 1, 6);
    return tuple;
  };
  for (let index = 0; index < 2100; index++) {
    memory.nextTurn();
    expect(flows.add(readTuple(index))).toBe(index);
  }
  for (let index = 0; index < 700; index++) {
    memory.nextTurn();
    expect(flows.find(readTuple(index))).toBe(1400 + index);
    expect(flows.host(1400 + index)).toBe(flows.host(index));
  }
});
