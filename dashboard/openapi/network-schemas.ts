/** The network over time, as the API answers with it. */
import { z } from "zod";
import { networkScales } from "../../analytics/network-timeline.ts";
import type { NetworkMark, NetworkRow, NetworkTimeline } from "../../analytics/network-timeline.ts";
import { asOfSource, count, hostile, maybe, severity, text, time } from "./primitives.ts";
import { schemaOf } from "./same-type.ts";

export const networkMark = schemaOf<NetworkMark>()(
  z.strictObject({
    kind: z.enum(["detection", "drop", "exposure"]),
    host: count,
    row: count,
    at: z.number(),
    count,
    octets: count,
    title: maybe(text),
    severity: maybe(severity),
  }),
);

export const networkRow = schemaOf<NetworkRow>()(
  z.strictObject({ address: text, name: maybe(hostile), firstDetected: maybe(time) }),
);

export const networkTimeline = schemaOf<NetworkTimeline>()(
  z.strictObject({
    asOf: time,
    asOfSource,
    scale: z.enum(networkScales),
    from: z.number(),
    to: z.number(),
    binSeconds: z.number(),
    rows: z.array(networkRow),
    marks: z.array(networkMark),
    cut: z.strictObject({ flaggedHosts: maybe(count), rows: maybe(count), marks: maybe(count) }),
  }),
);
