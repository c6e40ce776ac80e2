/** What schemas of answers are made of. */
import { z } from "zod";
import { severities } from "../../wire/code-book.ts";

export const text = z.string();
export const maybe = z.exactOptional;
/** Seconds since 1970. */
export const time = z.number().meta({ description: "seconds since 1970, UTC" });
export const count = z.int().min(0);
export const hostile = z
  .string()
  .meta({ description: "text from packets or captures: to be shown as text, nothing else" });
export const severity = z.enum(severities);
export const band = z.enum(["critical", "high", "moderate", "low", "minimal"]);
export const octet = z.int().min(0).max(255);
export const port = z.int().min(0).max(65_535);
/** Where asOf comes from. */
export const asOfSource = z.enum(["asked", "now", "newest packet", "no evidence"]);
