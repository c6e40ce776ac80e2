/** The read-only part of the API: what the store knows, as JSON. */
import { Router } from "express";
import { alarmsOf } from "../../analytics/agents/agent-alarms.ts";
import type { Store } from "../../analytics/store.ts";
import type { CodeBook } from "../../wire/code-book.ts";
import type {
  AgentsAnswer,
  CapturesAnswer,
  EventsAnswer,
  HealthAnswer,
  HostAnswer,
  HostListAnswer,
  NetworkAnswer,
  RankingAnswer,
} from "../api.ts";
import { HttpError } from "../http-error.ts";
import { personOf } from "../security/identify.ts";
import {
  parseEventsQuery,
  parseHostAddress,
  parseHostListName,
  parseHostListQuery,
  parseHostQuery,
  parseNetworkQuery,
  parseNoQuery,
  parseRankingQuery,
} from "../query.ts";

export interface EvidenceRoutes {
  readonly store: Store;
  readonly codeBook: CodeBook;
  /** Seconds since 1970. */
  readonly clock: () => number;
  readonly maxUploadOctets: number;
  readonly inClear: boolean;
}

/** What was seen later than `asOf` must not be denied. */
function neverSeen(address: string, asOf: number | undefined): string {
  if (asOf === undefined) return `${address} was never seen with a mark`;
  const time = new Date(asOf * 1000).toISOString();
  return `${address} was not seen with a mark up to ${time.slice(0, 19).replace("T", " ")} UTC`;
}

export function evidenceRoutes({ store, codeBook, clock, maxUploadOctets, inClear }: EvidenceRoutes): Router {
  const router = Router();

  router.get("/ranking", async (request, response) => {
    const answer: RankingAnswer = await store.ranking(parseRankingQuery(request.query));
    response.json(answer);
  });

  router.get("/hosts/:address", async (request, response) => {
    const address = parseHostAddress(request.params.address);
    const { asOf, flowLimit } = parseHostQuery(request.query);
    const answer: HostAnswer | undefined = await store.host(address, asOf, flowLimit);
    if (!answer) throw new HttpError(404, neverSeen(address, asOf));
    response.json(answer);
  });

  router.get("/hosts/:address/events", async (request, response) => {
    const address = parseHostAddress(request.params.address);
    const answer: EventsAnswer = await store.events(address, parseEventsQuery(request.query).cursor);
    response.json(answer);
  });

  router.get("/hosts/:address/:list", async (request, response) => {
    const address = parseHostAddress(request.params.address);
    const name = parseHostListName(request.params.list);
    const answer: HostListAnswer = await store.hostList(
      name,
      address,
      parseHostListQuery(name, request.query),
    );
    response.json(answer);
  });

  router.get("/network", async (request, response) => {
    const answer: NetworkAnswer = await store.network(parseNetworkQuery(request.query));
    response.json(answer);
  });

  router.get("/captures", async (request, response) => {
    parseNoQuery(request.query);
    const answer: CapturesAnswer = { captures: await store.captures() };
    response.json(answer);
  });

  router.get("/agents", async (request, response) => {
    parseNoQuery(request.query);
    const now = clock();
    const agents = (await store.agents()).map((agent) => ({ ...agent, alarms: alarmsOf(agent, now) }));
    const answer: AgentsAnswer = { now, agents };
    response.json(answer);
  });

  router.get("/code-book", (request, response) => {
    parseNoQuery(request.query);
    response.json(codeBook);
  });

  router.get("/health", async (request, response) => {
    parseNoQuery(request.query);
    const { cursor } = await store.news();
    const answer: HealthAnswer = {
      status: "ok",
      now: clock(),
      maxUploadOctets,
      inClear,
      cursor,
      person: personOf(request),
    };
    response.json(answer);
  });

  return router;
}
