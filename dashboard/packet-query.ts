/** The query parameters that select packets, checked once at the edge. */
import { z } from "zod";
import { addressSchema } from "../analytics/packets/read-selection.ts";
import { defaultSliceLimits } from "../analytics/packets/selection.ts";
import type { PacketSelection, SliceLimits } from "../analytics/packets/selection.ts";
import { HttpError } from "./http-error.ts";
import { parse, timeParameter } from "./query.ts";

const whole = (minimum: number, maximum: number) =>
  z
    .string()
    .regex(/^\d{1,12}$/, "expected a whole number")
    .transform(Number)
    .pipe(z.number().min(minimum).max(maximum));

const octet = whole(0, 255);
const port = whole(0, 65_535);

const selectionShape = {
  host: addressSchema,
  marked: z.literal("true").optional(),
  detectedAt: whole(0, 0xffffffff).optional(),
  category: octet.optional(),
  activity: octet.optional(),
  peer: addressSchema.optional(),
  protocol: octet.optional(),
  hostPort: port.optional(),
  peerPort: port.optional(),
  from: timeParameter.optional(),
  to: timeParameter.optional(),
  capture: whole(1, 0xffffffff).optional(),
};

export const packetFilterQuery = z.strictObject(selectionShape);

export const packetsQuery = z.strictObject({
  ...selectionShape,
  maxPackets: whole(1, defaultSliceLimits.packets).optional(),
  maxOctets: whole(1000, defaultSliceLimits.octets).optional(),
});

/** @throws HttpError 400 */
export function parsePacketFilterQuery(query: unknown): PacketSelection {
  return toSelection(parse(packetFilterQuery, query));
}

/** @throws HttpError 400 */
export function parsePacketsQuery(query: unknown): { selection: PacketSelection; limits: SliceLimits } {
  const { maxPackets, maxOctets, ...selection } = parse(packetsQuery, query);
  const { packets, octets } = defaultSliceLimits;
  return {
    selection: toSelection(selection),
    limits: { packets: maxPackets ?? packets, octets: maxOctets ?? octets },
  };
}

function toSelection(query: z.output<typeof packetFilterQuery>): PacketSelection {
  const { marked, detectedAt, category, activity, capture, ...rest } = query;
  const isWhole = detectedAt !== undefined && category !== undefined && activity !== undefined;
  if (!isWhole && (detectedAt ?? category ?? activity) !== undefined)
    throw new HttpError(400, "detectedAt, category and activity belong together");
  const { peer, protocol, hostPort, peerPort } = rest;
  if ((hostPort ?? peerPort) !== undefined) {
    if (peer === undefined || hostPort === undefined || peerPort === undefined)
      throw new HttpError(400, "peer, protocol, hostPort and peerPort belong together");
    if (protocol !== 6 && protocol !== 17)
      throw new HttpError(400, "protocol: expected 6 (TCP) or 17 (UDP) where there are ports");
  }
  return {
    ...rest,
    marked: marked === "true",
    record: isWhole ? { detectedAt, category, activity } : undefined,
    captureId: capture,
  };
}
