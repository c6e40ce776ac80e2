import { describe, expect, test } from "vitest";
import json from "../../wire/code-book.json" with { type: "json" };
import { describeActivity, findActivity, resolveActivity } from "../../wire/code-book.ts";
import { parseCodeBook } from "../../wire/parse-code-book.ts";

const book = parseCodeBook(json, "wire/code-book.json");

test("the default book covers what the paper names", () => {
  const names = book.categories.flatMap((category) =>
    category.activities.map((activity) => `${category.name}/${activity.name}`),
  );
  expect(names).toEqual(
    expect.arrayContaining([
      "malware/ran",
      "malware/found",
      "leak/sharing-folder",
      "leak/unintended-sharing",
      "operator-error/published",
      "botnet/command-and-control",
      "botnet/spam",
      "botnet/ddos",
      "attack/port-scan",
    ]),
  );
});

test.each([
  ["leak/sharing-folder", { category: 2, activity: 1 }],
  ["2/1", { category: 2, activity: 1 }],
  ["leak/200", { category: 2, activity: 200 }],
  ["9/200", { category: 9, activity: 200 }],
  ["leak/nothing", undefined],
  ["nothing/1", undefined],
  ["256/1", undefined],
  ["2", undefined],
  ["2/1/1", undefined],
  ["-1/1", undefined],
])("%s names %o", (text, codes) => {
  expect(resolveActivity(book, text)).toEqual(codes);
});

test.each([
  [2, 1, "Files put into a sharing folder"],
  [2, 200, "Information leakage, activity 200"],
  [9, 200, "category 9, activity 200"],
])("codes %i and %i read: %s", (category, activity, title) => {
  expect(describeActivity(book, category, activity)).toBe(title);
});

test("an unknown code is not found, and that is no error", () => {
  expect(findActivity(book, 9, 200)).toBeUndefined();
});

const activity = { code: 1, name: "ran", title: "Ran", description: "It ran.", severity: "high" };
const category = { code: 1, name: "malware", title: "Malware", description: "Bad.", activities: [activity] };
const valid = { name: "site", version: 1, categories: [category] };

function withCategory(change: object): object {
  return { ...valid, categories: [{ ...category, ...change }] };
}

function withActivity(change: object): object {
  return withCategory({ activities: [{ ...activity, ...change }] });
}

describe("a site's own book", () => {
  test("is read", () => {
    expect(parseCodeBook(valid, "book.json")).toEqual(valid);
  });

  test.each([
    ["not an object", 3, "book.json"],
    ["unknown key", { ...valid, extra: 1 }, 'unknown key "extra"'],
    ["no version", { name: "site", categories: [] }, "version: expected a number above 0, got nothing"],
    [
      "code out of range",
      withActivity({ code: 256 }),
      "categories[0].activities[0].code: expected a whole number from 0 to 255, got 256",
    ],
    [
      "unknown severity",
      withActivity({ severity: "bad" }),
      'categories[0].activities[0].severity: unknown severity "bad"; one of info, low, medium, high, critical',
    ],
    ["name with a blank", withActivity({ name: "a b" }), "categories[0].activities[0].name"],
    [
      "control character in a title",
      withActivity({ title: "a\u001b[31m" }),
      "categories[0].activities[0].title",
    ],
    ["wrong technique", withActivity({ attack: "1048" }), "expected an ATT&CK technique such as T1048"],
    [
      "half-life of 0",
      withCategory({ halfLifeHours: 0 }),
      "categories[0].halfLifeHours: expected a number above 0, got 0",
    ],
    [
      "activity code twice",
      withCategory({ activities: [activity, { ...activity, name: "b", title: "B" }] }),
      "categories[0].activities[1].code: duplicate code 1",
    ],
    [
      "category twice",
      { ...valid, categories: [category, { ...category, code: 2, title: "C" }] },
      'categories[1].name: duplicate name "malware"',
    ],
    [
      "one title in two categories",
      { ...valid, categories: [category, { ...category, code: 2, name: "b", title: "B" }] },
      'categories[1].activities[0].title: duplicate title "Ran"',
    ],
  ])("%s: says file, place and value", (_name, value, message) => {
    expect(() => parseCodeBook(value, "book.json")).toThrow(message);
    expect(() => parseCodeBook(value, "book.json")).toThrow("book.json");
  });
});
