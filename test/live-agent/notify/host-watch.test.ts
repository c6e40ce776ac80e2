import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { HostWatch } from "../../../live-agent/notify/host-watch.ts";
import type { Observation } from "../../../live-agent/notify/host-watch.ts";
import type { CodeBook } from "../../../wire/code-book.ts";
import { noon } from "./sample-notice.ts";

const book: CodeBook = {
  name: "test",
  version: 1,
  categories: [
    {
      code: 1,
      name: "malware",
      title: "Malware",
      description: "",
      activities: [
        { code: 1, name: "ran", title: "Malware ran", description: "", severity: "critical" },
        { code: 2, name: "odd", title: "Odd behaviour", description: "", severity: "low" },
      ],
    },
    {
      code: 2,
      name: "leak",
      title: "Leak",
      description: "",
      activities: [{ code: 1, name: "share", title: "Shared files", description: "", severity: "high" }],
    },
  ],
};

const odd = { detectedAt: noon - 60, category: 1, activity: 2 };
const ran = { detectedAt: noon - 30, category: 1, activity: 1 };
const shared = { detectedAt: noon - 30, category: 2, activity: 1 };

function seen(fields: Partial<Observation> = {}): Observation {
  return { host: "10.2.0.25", at: noon, trust: "established", records: [odd], verdict: "accept", ...fields };
}

function watch(maximumHosts = 100): HostWatch {
  return new HostWatch(book, { repeatSeconds: 14_400, maximumHosts });
}

const kinds = (notices: readonly { kind: string }[]): string[] => notices.map(({ kind }) => kind);

describe("a host that marks its packets", () => {
  test("is news once, not with each packet", () => {
    const watching = watch();
    expect(watching.observe(seen())).toEqual([
      {
        kind: "flagged",
        at: noon,
        host: "10.2.0.25",
        category: 1,
        activity: 2,
        title: "Odd behaviour",
        severity: "low",
        detectedAt: noon - 60,
      },
    ]);
    expect(watching.observe(seen({ at: noon + 1 }))).toEqual([]);
  });

  test("is news again when what it says is graver, not when it is milder", () => {
    const watching = watch();
    watching.observe(seen());
    expect(watching.observe(seen({ records: [ran, odd] }))).toMatchObject([
      { kind: "severity-up", severity: "critical", title: "Malware ran" },
    ]);
    expect(watching.observe(seen({ records: [odd] }))).toEqual([]);
    expect(watching.observe(seen({ records: [ran] }))).toEqual([]);
  });

  test("is told of again after the repeat time, under the gravest that it ever said", () => {
    const watching = watch();
    watching.observe(seen({ records: [ran] }));
    expect(watching.observe(seen({ at: noon + 14_399 }))).toEqual([]);
    expect(watching.observe(seen({ at: noon + 14_400 }))).toMatchObject([
      { kind: "still-seen", title: "Malware ran" },
    ]);
  });

  test("is news in each category", () => {
    expect(kinds(watch().observe(seen({ records: [odd, shared] })))).toEqual(["flagged", "flagged"]);
  });

  test("says an activity that the code book does not know: its numbers, medium", () => {
    const record = { detectedAt: noon, category: 9, activity: 200 };
    expect(watch().observe(seen({ records: [record] }))).toMatchObject([
      { title: "category 9, activity 200", severity: "medium" },
    ]);
  });
});

describe("evidence that never notifies", () => {
  test("lone packets: a million of them from a thousand forged detections", () => {
    const watching = watch();
    for (let index = 0; index < 1000; index++) {
      const record = { detectedAt: noon - index, category: 1, activity: 1 };
      expect(watching.observe(seen({ trust: "lone", records: [record], verdict: "drop" }))).toEqual([]);
    }
    expect(watching.released("10.2.0.25", noon)).toEqual([]);
  });

  test("tags that do not verify", () => {
    expect(watch().observe(seen({ trust: "invalid" }))).toEqual([]);
  });

  test.each([
    ["301 s in the future", noon + 301],
    ["more than ten years ago", noon - 315_576_001],
  ])("detections %s", (_, detectedAt) => {
    expect(watch().observe(seen({ records: [{ ...odd, detectedAt }] }))).toEqual([]);
  });

  test("but the clock of a host may be ahead by 300 s", () => {
    expect(kinds(watch().observe(seen({ records: [{ ...odd, detectedAt: noon + 300 }] })))).toEqual([
      "flagged",
    ]);
  });
});

describe("containment", () => {
  test("the first stopped packet of a host none of whose packets passed contains it", () => {
    const watching = watch();
    const notices = watching.observe(seen({ verdict: "drop", rule: "stop-leaks" }));
    expect(notices).toMatchObject([{ kind: "flagged" }, { kind: "contained", rule: "stop-leaks" }]);
    expect(watching.observe(seen({ verdict: "reject", at: noon + 5 }))).toEqual([]);
  });

  test("a packet that passes afterwards is an alarm, once", () => {
    const watching = watch();
    watching.observe(seen({ verdict: "drop" }));
    expect(kinds(watching.observe(seen({ at: noon + 9 })))).toEqual(["blocked-but-seen"]);
    expect(watching.observe(seen({ at: noon + 10 }))).toEqual([]);
  });

  test("a host whose packets passed within the hour is not contained", () => {
    const watching = watch();
    watching.observe(seen());
    expect(watching.observe(seen({ verdict: "drop", at: noon + 3599 }))).toEqual([]);
    expect(kinds(watching.observe(seen({ verdict: "drop", at: noon + 3600 })))).toEqual(["contained"]);
  });

  test("altered packets neither contain nor break containment", () => {
    const watching = watch();
    expect(kinds(watching.observe(seen({ verdict: "alter" })))).toEqual(["flagged"]);
    expect(kinds(watching.observe(seen({ verdict: "drop" })))).toEqual(["contained"]);
    expect(watching.observe(seen({ verdict: "alter" }))).toEqual([]);
  });
});

describe("the end of a flag", () => {
  test("a flagged host without a mark is told of once, until it marks again", () => {
    const watching = watch();
    expect(watching.unmarked("10.2.0.25", noon)).toEqual([]);
    watching.observe(seen());
    expect(kinds(watching.unmarked("10.2.0.25", noon + 1))).toEqual(["unmarked"]);
    expect(watching.unmarked("10.2.0.25", noon + 2)).toEqual([]);
    watching.observe(seen({ at: noon + 3 }));
    expect(kinds(watching.unmarked("10.2.0.25", noon + 4))).toEqual(["unmarked"]);
  });

  test("what a released host says of itself is news", () => {
    const watching = watch();
    watching.observe(seen());
    expect(kinds(watching.released("10.2.0.25", noon + 1))).toEqual(["released"]);
    expect(kinds(watching.observe(seen({ at: noon + 2 })))).toEqual(["flagged"]);
  });
});

test("beyond the limit the host seen longest ago is forgotten", () => {
  const watching = watch(2);
  for (const host of ["10.0.0.1", "10.0.0.2"]) watching.observe(seen({ host }));
  watching.observe(seen({ host: "10.0.0.1", at: noon + 1 }));
  watching.observe(seen({ host: "10.0.0.3", at: noon + 2 }));
  expect(watching.observe(seen({ host: "10.0.0.1", at: noon + 3 }))).toEqual([]);
  expect(kinds(watching.observe(seen({ host: "10.0.0.2", at: noon + 4 })))).toEqual(["flagged"]);
});

test("the watch reads no clock", () => {
  const source = readFileSync(new URL("../../../live-agent/notify/host-watch.ts", import.meta.url), "utf8");
  expect(source).not.toMatch(/Date\.now|new Date\(\)|Math\.random/);
});
