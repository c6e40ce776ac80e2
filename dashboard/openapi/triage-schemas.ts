/** Decisions of people, as the API answers with them. */
import { z } from "zod";
import { triageStates } from "../../analytics/triage/triage.ts";
import type { HostTriage, TriageEntry } from "../../analytics/triage/triage.ts";
import { count, hostile, maybe, text, time } from "./primitives.ts";
import { schemaOf } from "./same-type.ts";

const triageState = z.enum(triageStates);

export const hostTriage = schemaOf<HostTriage>()(
  z.strictObject({
    state: triageState,
    decidedAt: time,
    who: hostile,
    note: maybe(hostile),
    change: count,
    decidedState: maybe(triageState),
  }),
);

export const triageEntry = schemaOf<TriageEntry>()(
  z.strictObject({
    change: count,
    address: text,
    name: maybe(hostile),
    state: triageState,
    decidedAt: time,
    who: hostile,
    note: maybe(hostile),
    undoes: maybe(count),
  }),
);
