/** Views that people save for each other: by name, in the database and through its owner. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openStore } from "../../analytics/owner/open-store.ts";
import { mostViews } from "../../analytics/saved-views/saved-views.ts";
import type { ViewToSave } from "../../analytics/saved-views/saved-views.ts";
import type { Store } from "../../analytics/store.ts";
import { codeBook } from "../support/dashboard.ts";

let folder: string;
let owner: Store;
let client: Store;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "tattle-views-"));
  const path = join(folder, "evidence.duckdb");
  owner = await openStore(path, { codeBook, clock: () => 1_773_750_000 });
  client = await openStore(path, { codeBook, clock: () => 1_773_750_000 });
});
afterEach(async () => {
  await client.close();
  await owner.close();
  rmSync(folder, { recursive: true });
});

const night: ViewToSave = { name: "night shift", address: "/?filter=critical", who: "ada" };

describe.each([
  ["the owner", () => owner],
  ["a client", () => client],
])("%s", (_, store) => {
  it("saves views, which everybody finds by name", async () => {
    const saved = await store().savedViews.save(night, 1000);
    expect(saved).toMatchObject(night);
    await store().savedViews.save({ ...night, name: "Captures", address: "/captures" }, 1001);
    const views = await owner.savedViews.list();
    expect(views.map(({ name }) => name)).toEqual(["Captures", "night shift"]);
    expect(await client.savedViews.list()).toEqual(views);
  });

  it("refuses a name that is taken and says by whom, and puts a view in its place when told to", async () => {
    await owner.savedViews.save(night, 1000);
    const other = { ...night, address: "/network", who: "grace" };
    const refusal = { kind: "name taken", message: "there is a view of this name, saved by ada" };
    await expect(store().savedViews.save(other, 1001)).rejects.toMatchObject(refusal);
    expect(await owner.savedViews.list()).toMatchObject([night]);
    await store().savedViews.save({ ...other, replaces: night.name }, 1002);
    expect(await owner.savedViews.list()).toMatchObject([other]);
  });

  it("gives a view another name, unless that is another's", async () => {
    await owner.savedViews.save(night, 1000);
    await owner.savedViews.save({ ...night, name: "day shift" }, 1000);
    const renamed = { ...night, name: "late shift", replaces: night.name };
    await store().savedViews.save(renamed, 1001);
    const clash = { ...night, name: "day shift", replaces: "late shift" };
    await expect(store().savedViews.save(clash, 1002)).rejects.toMatchObject({ kind: "name taken" });
    const names = (await owner.savedViews.list()).map(({ name }) => name);
    expect(names).toEqual(["day shift", "late shift"]);
  });

  it("removes a view, once", async () => {
    await owner.savedViews.save(night, 1000);
    await store().savedViews.remove(night.name);
    expect(await owner.savedViews.list()).toEqual([]);
    await expect(store().savedViews.remove(night.name)).rejects.toMatchObject({ kind: "unknown view" });
  });
});

it("keeps so many and no more", async () => {
  for (let index = 0; index < mostViews; index++)
    await owner.savedViews.save({ ...night, name: `view ${index}` }, 1000);
  await expect(owner.savedViews.save(night, 1001)).rejects.toMatchObject({ kind: "too many" });
  await owner.savedViews.save({ ...night, replaces: "view 0" }, 1002);
  expect(await owner.savedViews.list()).toHaveLength(mostViews);
});
