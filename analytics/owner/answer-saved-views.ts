/** Saved views, for another process. */
import type { IncomingMessage } from "node:http";
import { viewToRemoveSchema, viewToSaveSchema } from "../saved-views/saved-view-schema.ts";
import type { SavedView } from "../saved-views/saved-views.ts";
import type { Store } from "../store.ts";
import { readBody, readJson } from "./read-request.ts";

/** Octets: an address and two names. */
const longestView = 16_384;

export async function answerSave({ savedViews }: Store, request: IncomingMessage): Promise<SavedView> {
  return savedViews.save(readJson(viewToSaveSchema, await readBody(request, longestView)), Date.now() / 1000);
}

export async function answerRemove({ savedViews }: Store, request: IncomingMessage): Promise<null> {
  await savedViews.remove(readJson(viewToRemoveSchema, await readBody(request, longestView)).name);
  return null;
}
