/**
 * The code book: what the category and activity octets of a record mean. A site brings its own file; the same one
 * drives the dissector, the ingester, the dashboard, the agent's policy and the marker's names.
 * Unknown codes are normal: they are shown as numbers, never refused.
 */
export const severities = ["info", "low", "medium", "high", "critical"] as const;
export type Severity = (typeof severities)[number];

export interface Activity {
  /** 0 to 255. */
  readonly code: number;
  /** Lower case, for commands and files: `sharing-folder`. */
  readonly name: string;
  /** For people: `Files put into a sharing folder`. Unique in the whole book, so that filters by it are exact. */
  readonly title: string;
  readonly description: string;
  readonly severity: Severity;
  /** MITRE ATT&CK technique, where one exists. */
  readonly attack?: string;
}

export interface Category {
  readonly code: number;
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** Hours after which a detection counts half in the ranking; 6 if absent. */
  readonly halfLifeHours?: number;
  readonly activities: readonly Activity[];
}

export interface CodeBook {
  readonly name: string;
  readonly version: number;
  readonly categories: readonly Category[];
}

/** An activity that is not in the book counts as this. */
export const unknownSeverity: Severity = "medium";

export const defaultHalfLifeHours = 6;

export function findCategory(book: CodeBook, category: number): Category | undefined {
  return book.categories.find((entry) => entry.code === category);
}

export function findActivity(book: CodeBook, category: number, activity: number): Activity | undefined {
  return findCategory(book, category)?.activities.find((entry) => entry.code === activity);
}

/** Title of an activity for people; numbers where the book has none: `Malware 9`, `category 9, activity 200`. */
export function describeActivity(book: CodeBook, category: number, activity: number): string {
  const known = findCategory(book, category);
  const title = known?.activities.find((entry) => entry.code === activity)?.title;
  return (
    title ?? (known ? `${known.title}, activity ${activity}` : `category ${category}, activity ${activity}`)
  );
}

/** The codes of `category/activity`, each given by name or number; undefined if a name is unknown or a number too large. */
export function resolveActivity(
  book: CodeBook,
  text: string,
): { category: number; activity: number } | undefined {
  const [categoryText = "", activityText = "", ...rest] = text.split("/");
  if (rest.length > 0) return undefined;
  const category = resolveCode(book.categories, categoryText);
  if (category === undefined) return undefined;
  const activity = resolveCode(findCategory(book, category)?.activities ?? [], activityText);
  return activity === undefined ? undefined : { category, activity };
}

function resolveCode(entries: readonly { code: number; name: string }[], text: string): number | undefined {
  if (/^\d{1,3}$/.test(text)) return Number(text) <= 255 ? Number(text) : undefined;
  return entries.find((entry) => entry.name === text)?.code;
}
