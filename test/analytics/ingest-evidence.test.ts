/** What a capture shows: flows with evidence of both sides, and the trust that their marks get. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { conversation, TestDatabase } from "./ingest-support.ts";

let database: TestDatabase;
beforeEach(async () => {
  database = await TestDatabase.open();
});
afterEach(() => database.close());

describe("a whole connection of a flagged host", () => {
  test("is one established flow that passed", async () => {
    const report = await database.ingest(conversation());
    expect(report).toMatchObject({ state: "complete", packets: 6, markedPackets: 4, captureId: 1 });
  });
});
