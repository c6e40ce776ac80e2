/** A selection as another process writes it, checked once at the edge. */
import { z } from "zod";
import { formatAddress, parseAddress } from "../../wire/address.ts";
import { MalformedError } from "../../wire/malformed-error.ts";
import type { PacketSelection, SliceLimits } from "./selection.ts";

/** The largest time a Date can hold, in seconds (ECMA-262, time range). */
const latestTime = 8.64e12;

/** An address, as the database writes it. */
export const addressSchema = z.string().transform((text, context): string => {
  try {
    const octets = parseAddress(text);
    return formatAddress(new DataView(octets.buffer), 0, octets.length === 4 ? 4 : 6);
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    context.addIssue(error.problem);
    return z.NEVER;
  }
});

const whole = (maximum: number): z.ZodInt => z.int().min(0).max(maximum);
const seconds = z.number().min(0).max(latestTime);

export const selectionSchema = z.strictObject({
  host: addressSchema,
  marked: z.boolean().optional(),
  record: z
    .strictObject({ detectedAt: whole(0xffffffff), category: whole(255), activity: whole(255) })
    .optional(),
  peer: addressSchema.optional(),
  protocol: whole(255).optional(),
  hostPort: whole(65_535).optional(),
  peerPort: whole(65_535).optional(),
  from: seconds.optional(),
  to: seconds.optional(),
  captureId: whole(0xffffffff).optional(),
});

export const limitsSchema = z.strictObject({
  packets: z.int().min(1),
  octets: z.int().min(1),
});

export interface PacketQuestion {
  readonly selection: PacketSelection;
  readonly limits: SliceLimits;
}
