/** GET /api/packets and /api/packets/filter: the packets behind what the dashboard shows (analytics/packets). */
import { Router } from "express";
import { filterOf, tsharkCommand } from "../../analytics/packets/display-filter.ts";
import { PacketsError } from "../../analytics/packets/selection.ts";
import type { Store } from "../../analytics/store.ts";
import type { PacketFilterAnswer } from "../api.ts";
import { HttpError } from "../http-error.ts";
import { parsePacketFilterQuery, parsePacketsQuery } from "../packet-query.ts";
import { namePart, sendFile } from "../streamed-file.ts";

/** Each reads captures from the disk from beginning to end. */
const mostSlices = 2;

export interface PacketRoutes {
  readonly store: Store;
  /** Ends the slices that are under way. */
  readonly signal: AbortSignal;
}

/** Mounted at /api. */
export function packetRoutes({ store, signal }: PacketRoutes): Router {
  const router = Router();
  let slices = 0;

  router.get("/packets", async (request, response) => {
    const { selection, limits } = parsePacketsQuery(request.query);
    if (slices >= mostSlices)
      throw new HttpError(429, `${mostSlices} slices are being read; try again`, { "Retry-After": "5" });
    slices++;
    try {
      const name = `tattle-${namePart(selection.host)}.pcapng`;
      await sendFile(response, { name, type: "application/vnd.tcpdump.pcap" }, signal, (output, ended) =>
        store.packets(selection, output, { limits, signal: ended }),
      );
    } catch (error) {
      throw error instanceof PacketsError ? new HttpError(404, error.message) : error;
    } finally {
      slices--;
    }
  });

  router.get("/packets/filter", async (request, response) => {
    const selection = parsePacketFilterQuery(request.query);
    const { filter, plainFilter } = filterOf(selection);
    const sources = await store.packetSources(selection);
    const answer: PacketFilterAnswer = {
      filter,
      plainFilter,
      sources: sources.map((source) => ({
        ...source,
        command: tsharkCommand(source.name, plainFilter, "slice.pcapng"),
      })),
    };
    response.json(answer);
  });

  return router;
}
