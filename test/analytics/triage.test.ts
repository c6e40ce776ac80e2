/** What people decide about hosts: one log that only grows, and how hosts stand by it. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openLocalStore } from "../../analytics/local-store.ts";
import type { Store } from "../../analytics/store.ts";
import { TriageError } from "../../analytics/triage/triage.ts";
import type { HostTriage, TriageReport, TriageState } from "../../analytics/triage/triage.ts";
import codeBookJson from "../../wire/code-book.json" with { type: "json" };
import { parseCodeBook } from "../../wire/parse-code-book.ts";
import { conversation, detection, midnight, segment, TestDatabase } from "./ingest-support.ts";
import type { TestFrame } from "./ingest-support.ts";

const codeBook = parseCodeBook(codeBookJson, "code-book.json");
const now = midnight + 2 * 3600;
const [first, second] = ["10.0.0.1", "10.0.0.2"];

let database: TestDatabase;
let store: Store;

beforeEach(async () => {
  database = await TestDatabase.open();
  store = await openLocalStore({ database: database.database, codeBook, clock: () => now });
  await database.ingest([...conversation({ at: 60 }), syn(second, 90)], "monday.pcap");
});
afterEach(() => store.close());

function syn(host: string, at: number, marks = [detection]): TestFrame {
  return segment({ from: `${host}:40000`, to: "192.0.2.9:443", flags: "S", sequence: 1000, marks, at });
}

async function decide(state: TriageState, addresses: string[], note?: string): Promise<TriageReport> {
  return store.triage.decide({ hosts: { addresses }, state, who: "ada", ...(note ? { note } : {}) }, now);
}

async function standing(address: string): Promise<HostTriage | undefined> {
  const { hosts } = await store.ranking();
  return hosts.find((host) => host.address === address)?.triage;
}

describe("a decision", () => {
  it("is how the host stands, with who and when and why", async () => {
    expect(await decide("acknowledged", [first], "on it")).toEqual({ change: 1, hosts: 1, decidedSince: 0 });
    const expected = { state: "acknowledged", who: "ada", note: "on it", decidedAt: now, change: 1 };
    expect(await standing(first)).toEqual(expected);
    expect(await standing(second)).toBeUndefined();
    expect((await store.host(first))?.ranked?.triage).toEqual(expected);
  });

  it("changes no score", async () => {
    const scores = async () => (await store.ranking()).hosts.map(({ address, score }) => [address, score]);
    const before = await scores();
    await decide("false-positive", [first, second]);
    expect(await scores()).toEqual(before);
  });

  it("may be about many hosts, and is one change", async () => {
    expect(await decide("contained", [first, second, first])).toMatchObject({ change: 1, hosts: 2 });
    expect(await decide("closed", [second])).toMatchObject({ change: 3, hosts: 1 });
    expect((await standing(first))?.state).toBe("contained");
    expect((await standing(second))?.state).toBe("closed");
  });

  it("is about all hosts or none: one that was never seen ends it", async () => {
    await expect(decide("closed", [first, "203.0.113.200"])).rejects.toThrow(
      /203\.0\.113\.200 was never seen/,
    );
    expect(await standing(first)).toBeUndefined();
  });

  it("about a filter is about as many hosts as the analyst was told, or none", async () => {
    const decideAll = async (expected: number) =>
      store.triage.decide({ hosts: { filter: "", expected }, state: "closed", who: "ada" }, now);
    const refused = await decideAll(40).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(TriageError);
    expect(refused).toMatchObject({ kind: "other count", count: 2 });
    expect(await standing(first)).toBeUndefined();
    expect(await decideAll(2)).toMatchObject({ hosts: 2 });
  });

  it("about a filter leaves out whom the filter leaves out", async () => {
    const hosts = { filter: "10.0.0.2", expected: 1 };
    expect(await store.triage.decide({ hosts, state: "closed", who: "ada" }, now)).toMatchObject({
      hosts: 1,
    });
    expect([await standing(first), (await standing(second))?.state]).toEqual([undefined, "closed"]);
  });
});

it("is a word of the ranking's filter", async () => {
  await decide("acknowledged", [first]);
  const fitting = async (filter: string) =>
    (await store.ranking({ filter })).hosts.map(({ address }) => address);
  expect(await fitting("triage:acknowledged")).toEqual([first]);
  expect(await fitting("triage:new")).toEqual([second]);
});

describe("what is detected afterwards", () => {
  const anew = { ...detection, detectedAt: detection.detectedAt + 1000 };

  it.each(["acknowledged", "contained", "false-positive", "closed"] as const)(
    "makes a host that was %s new again, and says so",
    async (state) => {
      await decide(state, [first, second]);
      await database.ingest([syn(first, 1800, [anew])], "tuesday.pcap");
      expect(await standing(first)).toMatchObject({ state: "new", decidedState: state, who: "ada" });
      expect(await standing(second)).toMatchObject({ state });
    },
  );

  it("has to be new: further packets with marks that were known reopen nothing", async () => {
    await decide("closed", [first]);
    await database.ingest([syn(first, 1800)], "tuesday.pcap");
    expect((await standing(first))?.state).toBe("closed");
  });

  it("has to count: an implausible time reopens nothing", async () => {
    await decide("closed", [first]);
    await database.ingest([syn(first, 1800, [{ ...detection, detectedAt: midnight + 1e6 }])], "tuesday.pcap");
    expect((await standing(first))?.state).toBe("closed");
  });
});

describe("undo", () => {
  it("puts every host of the change back to how it stood before", async () => {
    await decide("acknowledged", [first], "on it");
    const { change } = await decide("closed", [first, second], "nothing");
    expect(await store.triage.undo(change, "grace", now + 1)).toMatchObject({ hosts: 2, decidedSince: 0 });
    expect(await standing(first)).toMatchObject({ state: "acknowledged", note: "on it", who: "grace" });
    expect((await standing(second))?.state).toBe("new");
  });

  it("leaves hosts alone about which somebody decided since, and says how many", async () => {
    const { change } = await decide("closed", [first, second]);
    await decide("contained", [second]);
    expect(await store.triage.undo(change, "ada", now)).toMatchObject({ hosts: 1, decidedSince: 1 });
    expect((await standing(second))?.state).toBe("contained");
  });

  it("can be taken back like any change, and once only", async () => {
    const { change } = await decide("closed", [first]);
    const undone = await store.triage.undo(change, "ada", now);
    await expect(store.triage.undo(change, "ada", now)).rejects.toMatchObject({ kind: "nothing to undo" });
    await store.triage.undo(undone.change, "ada", now);
    expect((await standing(first))?.state).toBe("closed");
    await expect(store.triage.undo(99, "ada", now)).rejects.toMatchObject({ kind: "unknown change" });
  });
});

it("keeps every decision, newest first, also the undone ones", async () => {
  const { change } = await decide("closed", [first], "done");
  await store.triage.undo(change, "grace", now + 5);
  await decide("acknowledged", [second]);
  const log = await store.triage.entries(10);
  expect(log.map(({ address, state, who, undoes }) => [address, state, who, undoes])).toEqual([
    [second, "acknowledged", "ada", undefined],
    [first, "new", "grace", 1],
    [first, "closed", "ada", undefined],
  ]);
  expect(await store.triage.entries(1)).toHaveLength(1);
  expect(await store.triage.entries(10, first)).toHaveLength(2);
});
