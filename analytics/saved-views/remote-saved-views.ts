/** Saved views through the process that holds the database. The owner's clock says when. */
import { routes } from "../owner/wire-format.ts";
import type { Ask } from "../triage/remote-triage.ts";
import type { SavedView, SavedViews, ViewToSave } from "./saved-views.ts";

export class RemoteSavedViews implements SavedViews {
  readonly #ask: Ask;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  list(): Promise<readonly SavedView[]> {
    return this.#ask(routes.savedViews) as Promise<readonly SavedView[]>;
  }

  save(view: ViewToSave): Promise<SavedView> {
    return this.#ask(routes.savedViews, view) as Promise<SavedView>;
  }

  async remove(name: string): Promise<void> {
    await this.#ask(routes.removeSavedView, { name });
  }
}
