/** Reads a code book from parsed JSON and checks it: every error names the file, the path, and what came. */
import { severities } from "./code-book.ts";
import type { Activity, Category, CodeBook, Severity } from "./code-book.ts";

export class CodeBookError extends Error {
  constructor(file: string, path: string, problem: string) {
    super(`${file}: ${path === "" ? "" : `${path}: `}${problem}`);
    this.name = "CodeBookError";
  }
}

type Fields = Readonly<Record<string, unknown>>;

/** One value of the JSON and where it stands; its methods return it checked, or throw a CodeBookError. */
class Place {
  readonly #file: string;
  readonly #path: string;
  readonly #value: unknown;

  constructor(file: string, path: string, value: unknown) {
    this.#file = file;
    this.#path = path;
    this.#value = value;
  }

  fail(problem: string): never {
    throw new CodeBookError(this.#file, this.#path, problem);
  }

  at(key: string, fields: Fields): Place {
    return new Place(this.#file, this.#path === "" ? key : `${this.#path}.${key}`, fields[key]);
  }

  fields(known: readonly string[]): Fields {
    const value = this.#value;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      return this.fail(`expected an object, got ${show(value)}`);
    }
    const unknown = Object.keys(value).find((key) => !known.includes(key));
    if (unknown !== undefined) this.fail(`unknown key ${show(unknown)}; one of ${known.join(", ")}`);
    return value as Fields;
  }

  items(): Place[] {
    if (!Array.isArray(this.#value)) return this.fail(`expected a list, got ${show(this.#value)}`);
    return this.#value.map((item: unknown, index) => new Place(this.#file, `${this.#path}[${index}]`, item));
  }

  code(): number {
    const value = this.#value;
    if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > 255) {
      return this.fail(`expected a whole number from 0 to 255, got ${show(value)}`);
    }
    return value;
  }

  positive(): number {
    const value = this.#value;
    if (typeof value !== "number" || !(value > 0) || !Number.isFinite(value)) {
      return this.fail(`expected a number above 0, got ${show(value)}`);
    }
    return value;
  }

  name(): string {
    const value = this.#value;
    // A letter first, so that a name is never mistaken for a number on the command line.
    if (typeof value !== "string" || !/^[a-z][a-z0-9-]{0,39}$/.test(value)) {
      return this.fail(`expected a name of a-z, 0-9 and -, up to 40 characters, got ${show(value)}`);
    }
    return value;
  }

  text(): string {
    const value = this.#value;
    if (typeof value !== "string" || value === "" || value.length > 200 || /\p{C}/u.test(value)) {
      return this.fail(`expected 1 to 200 printable characters, got ${show(value)}`);
    }
    return value;
  }

  severity(): Severity {
    const found = severities.find((severity) => severity === this.#value);
    return found ?? this.fail(`unknown severity ${show(this.#value)}; one of ${severities.join(", ")}`);
  }

  attack(): string {
    const value = this.#value;
    if (typeof value !== "string" || !/^T\d{4}(\.\d{3})?$/.test(value)) {
      return this.fail(`expected an ATT&CK technique such as T1048 or T1048.003, got ${show(value)}`);
    }
    return value;
  }

  isAbsent(): boolean {
    return this.#value === undefined;
  }
}

function show(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value).slice(0, 60);
}

/**
 * The code book in `json`, as JSON.parse gave it; `file` stands in front of every error.
 * @throws CodeBookError
 */
export function parseCodeBook(json: unknown, file: string): CodeBook {
  const root = new Place(file, "", json);
  const fields = root.fields(["name", "version", "categories"]);
  const places = root.at("categories", fields).items();
  const categories = places.map(parseCategory);
  refuseRepeats(places, categories, ["code", "name", "title"]);
  refuseRepeatedTitles(places, categories);
  return { name: root.at("name", fields).text(), version: root.at("version", fields).positive(), categories };
}

function parseCategory(place: Place): Category {
  const fields = place.fields(["code", "name", "title", "description", "halfLifeHours", "activities"]);
  const halfLife = place.at("halfLifeHours", fields);
  const places = place.at("activities", fields).items();
  const activities = places.map(parseActivity);
  refuseRepeats(places, activities, ["code", "name"]);
  return {
    code: place.at("code", fields).code(),
    name: place.at("name", fields).name(),
    title: place.at("title", fields).text(),
    description: place.at("description", fields).text(),
    ...(halfLife.isAbsent() ? {} : { halfLifeHours: halfLife.positive() }),
    activities,
  };
}

function parseActivity(place: Place): Activity {
  const fields = place.fields(["code", "name", "title", "description", "severity", "attack"]);
  const attack = place.at("attack", fields);
  return {
    code: place.at("code", fields).code(),
    name: place.at("name", fields).name(),
    title: place.at("title", fields).text(),
    description: place.at("description", fields).text(),
    severity: place.at("severity", fields).severity(),
    ...(attack.isAbsent() ? {} : { attack: attack.attack() }),
  };
}

function refuseRepeats<Key extends string, Entry extends Readonly<Record<Key, number | string>>>(
  places: readonly Place[],
  entries: readonly Entry[],
  keys: readonly Key[],
): void {
  for (const key of keys) {
    const seen = new Set<number | string>();
    for (const [index, entry] of entries.entries()) {
      if (seen.has(entry[key])) places[index]?.at(key, {}).fail(`duplicate ${key} ${show(entry[key])}`);
      seen.add(entry[key]);
    }
  }
}

function refuseRepeatedTitles(places: readonly Place[], categories: readonly Category[]): void {
  const seen = new Set<string>();
  for (const [index, category] of categories.entries()) {
    for (const [position, activity] of category.activities.entries()) {
      if (seen.has(activity.title)) {
        places[index]
          ?.at(`activities[${position}].title`, {})
          .fail(`duplicate title ${show(activity.title)}`);
      }
      seen.add(activity.title);
    }
  }
}
