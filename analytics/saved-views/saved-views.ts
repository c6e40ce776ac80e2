/** Views of the dashboard that somebody saved under a name. Everybody who may look sees them. Times are seconds since 1970 (UTC). */

export interface SavedView {
  /** Hostile text, as is `who`. */
  readonly name: string;
  /** Path and query of a page; nothing that leads elsewhere. */
  readonly address: string;
  readonly who: string;
  readonly savedAt: number;
}

export interface ViewToSave {
  readonly name: string;
  readonly address: string;
  readonly who: string;
  /** Name of the view whose place it takes; absent: it is a new one. */
  readonly replaces?: string | undefined;
}

export interface SavedViews {
  /** By name. */
  list(): Promise<readonly SavedView[]>;
  /** @throws SavedViewError. `now`: seconds since 1970. */
  save(view: ViewToSave, now: number): Promise<SavedView>;
  /** @throws SavedViewError if there is none of this name. */
  remove(name: string): Promise<void>;
}

/** Characters. */
export const longestViewName = 80;
export const longestViewAddress = 1500;

export const mostViews = 200;

/** What was asked for cannot be. */
export class SavedViewError extends Error {
  readonly kind: "name taken" | "unknown view" | "too many";

  constructor(kind: SavedViewError["kind"], message: string) {
    super(message);
    this.name = "SavedViewError";
    this.kind = kind;
  }
}

/** A path of one of the pages, and a query in the characters that RFC 3986 has for it: never another site, never a script. */
const pageAddress =
  /^\/(?:network|captures|agents|audit|hosts\/[0-9A-Za-z.:%]{1,64})?(?:\?[\w\-.~:/?@!$&'()*+,;=%]*)?$/;

export function isViewAddress(text: string): boolean {
  return text.length <= longestViewAddress && pageAddress.test(text);
}
