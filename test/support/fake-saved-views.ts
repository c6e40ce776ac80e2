/** Saved views in memory, for tests of the dashboard. */
import { SavedViewError } from "../../analytics/saved-views/saved-views.ts";
import type { SavedView, SavedViews, ViewToSave } from "../../analytics/saved-views/saved-views.ts";

export class FakeSavedViews implements SavedViews {
  views: SavedView[] = [];

  async list(): Promise<readonly SavedView[]> {
    return Promise.resolve(this.views);
  }

  async save({ replaces, ...view }: ViewToSave, now: number): Promise<SavedView> {
    if (replaces !== undefined) await this.remove(replaces);
    const namesake = this.views.find(({ name }) => name === view.name);
    if (namesake)
      throw new SavedViewError("name taken", `there is a view of this name, saved by ${namesake.who}`);
    const saved = { ...view, savedAt: now };
    this.views = [...this.views, saved];
    return saved;
  }

  async remove(name: string): Promise<void> {
    const kept = this.views.filter((view) => view.name !== name);
    if (kept.length === this.views.length)
      throw new SavedViewError("unknown view", "there is no view of this name any more");
    this.views = kept;
    return Promise.resolve();
  }
}
