/** Saved views, as the API answers with them. */
import { z } from "zod";
import type { SavedView } from "../../analytics/saved-views/saved-views.ts";
import { hostile, text, time } from "./primitives.ts";
import { schemaOf } from "./same-type.ts";

export const savedView = schemaOf<SavedView>()(
  z.strictObject({ name: hostile, address: text, who: hostile, savedAt: time }),
);
