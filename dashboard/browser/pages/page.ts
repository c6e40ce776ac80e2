/** What a page is given and what it gives back; the frame around it (main.ts) does the rest. */
import type { CodeBook } from "../../../wire/code-book.ts";
import type { AsOf } from "../parts/as-of.ts";
import type { View } from "../view.ts";

export interface PageContext {
  readonly view: View;
  readonly codeBook: CodeBook;
  /** Ends what the page asks for when the analyst has gone on. */
  readonly signal: AbortSignal;
  /** Goes to a view. */
  readonly go: (view: View) => void;
  /** Changes the address without going anywhere: what the page has done itself, as filtering. */
  readonly note: (view: View) => void;
  /** Asks for everything that is shown once more. */
  readonly refresh: () => void;
  /** Opens the file chooser for captures. */
  readonly chooseFiles: () => void;
}

export interface Page {
  readonly title: string;
  readonly content: HTMLElement;
  readonly asOf: AsOf;
}
