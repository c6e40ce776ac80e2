/** Asks the server. Answers are typed by dashboard/api.ts: the server that sent this script also sent them. */
import type {
  AgentsAnswer,
  CapturesAnswer,
  ErrorAnswer,
  EventsAnswer,
  HealthAnswer,
  HostAnswer,
  NetworkAnswer,
  PacketFilterAnswer,
  RankingAnswer,
  SavedViewsAnswer,
  TriageAnswer,
} from "../api.ts";
import type { HostList, HostListName, HostLists } from "../../analytics/host-lists.ts";
import type { SavedView, ViewToSave } from "../../analytics/saved-views/saved-views.ts";
import type { TriageDecision, TriageReport } from "../../analytics/triage/triage.ts";
import type { CodeBook } from "../../wire/code-book.ts";
import type { View } from "./view.ts";
import { storedToken } from "./token.ts";

/** The server refused, with one line that says why. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = "ApiError";
    this.status = status;
  }
}

/** Hosts that fit the filter of the view, from `offset` on. */
export async function fetchRanking(view: View, offset: number, signal: AbortSignal): Promise<RankingAnswer> {
  const { asOf, sort, filter } = view;
  const asked = parameters({ asOf, sort, filter, offset: offset === 0 ? "" : String(offset) });
  return ask<RankingAnswer>(`/api/ranking?${asked}`, signal);
}

/** The time that everything is judged by, without the hosts. */
export async function fetchMoment(view: View, signal: AbortSignal): Promise<RankingAnswer> {
  return ask<RankingAnswer>(`/api/ranking?${parameters({ asOf: view.asOf, limit: "0" })}`, signal);
}

/** Rows of each of a host's lists at first: all of them have to be passed on the way down the page. */
const firstRows = 20;

export async function fetchHost(view: View, signal: AbortSignal): Promise<HostAnswer> {
  const address = encodeURIComponent(view.address);
  const asked = parameters({ asOf: view.asOf, flowLimit: String(firstRows) });
  return ask<HostAnswer>(`/api/hosts/${address}?${asked}`, signal);
}

/** Rows of one of the host's lists, from `offset` on, in the order of the view. */
export async function fetchHostList<Name extends HostListName>(
  name: Name,
  view: View,
  offset: number,
  signal: AbortSignal,
): Promise<HostList<HostLists[Name]>> {
  const address = encodeURIComponent(view.address);
  const asked = parameters({
    asOf: view.asOf,
    sort: view.listSorts[name],
    limit: String(offset === 0 ? firstRows : 5 * firstRows),
    offset: offset === 0 ? "" : String(offset),
  });
  return ask<HostList<HostLists[Name]>>(`/api/hosts/${address}/${name}?${asked}`, signal);
}

export async function fetchEvents(
  address: string,
  cursor: string,
  signal: AbortSignal,
): Promise<EventsAnswer> {
  return ask<EventsAnswer>(
    `/api/hosts/${encodeURIComponent(address)}/events?${parameters({ cursor })}`,
    signal,
  );
}

export async function fetchNetwork(view: View, signal: AbortSignal): Promise<NetworkAnswer> {
  const { protect: _, ...asked } = view.network;
  return ask<NetworkAnswer>(`/api/network?${parameters({ asOf: view.asOf, ...asked })}`, signal);
}

/** `query`: the host, and what narrows it (dashboard/packet-query.ts). */
export async function fetchPacketFilter(
  query: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<PacketFilterAnswer> {
  return ask<PacketFilterAnswer>(`/api/packets/filter?${parameters(query)}`, signal);
}

export async function fetchCaptures(signal: AbortSignal): Promise<CapturesAnswer> {
  return ask<CapturesAnswer>("/api/captures", signal);
}

export async function fetchAgents(signal: AbortSignal): Promise<AgentsAnswer> {
  return ask<AgentsAnswer>("/api/agents", signal);
}

export async function fetchCodeBook(signal: AbortSignal): Promise<CodeBook> {
  return ask<CodeBook>("/api/code-book", signal);
}

export async function fetchHealth(signal: AbortSignal): Promise<HealthAnswer> {
  return ask<HealthAnswer>("/api/health", signal);
}

export async function fetchTriage(address: string, signal: AbortSignal): Promise<TriageAnswer> {
  return ask<TriageAnswer>(`/api/triage?${parameters({ host: address, limit: "200" })}`, signal);
}

export async function postDecision(decision: TriageDecision): Promise<TriageReport> {
  return ask<TriageReport>("/api/triage", undefined, decision);
}

export async function postUndo(undo: { change: number; who: string }): Promise<TriageReport> {
  return ask<TriageReport>("/api/triage/undo", undefined, undo);
}

export async function fetchSavedViews(): Promise<SavedViewsAnswer> {
  return ask<SavedViewsAnswer>("/api/views");
}

export async function postSavedView(view: ViewToSave): Promise<SavedView> {
  return ask<SavedView>("/api/views", undefined, view);
}

export async function postRemovedView(name: string): Promise<void> {
  await ask("/api/views/remove", undefined, { name });
}

function parameters(given: Readonly<Record<string, string>>): string {
  return new URLSearchParams(Object.entries(given).filter(([, value]) => value !== "")).toString();
}

/** What every request brings. */
export function ownHeaders(): Record<string, string> {
  const token = storedToken();
  return { Accept: "application/json", ...(token === "" ? {} : { Authorization: `Bearer ${token}` }) };
}

/** @throws ApiError with status 0 if nobody answers, or something that is no server of tattle's does. */
async function exchange(
  path: string,
  request: RequestInit,
): Promise<{ response: Response; answer: unknown }> {
  try {
    const response = await fetch(path, request);
    return { response, answer: await response.json() };
  } catch (error) {
    if (request.signal?.aborted === true) throw error;
    throw new ApiError(0, "the server does not answer");
  }
}

/** GET, or POST where there is a body. */
async function ask<Answer>(path: string, signal?: AbortSignal, body?: unknown): Promise<Answer> {
  const headers = ownHeaders();
  const request: RequestInit = { headers, cache: "no-store", signal: signal ?? null };
  if (body !== undefined) {
    headers["Content-Type"] = "application/json";
    // No form can set it (dashboard/security/same-origin.ts).
    headers["X-Tattle-Request"] = "1";
    Object.assign(request, { method: "POST", body: JSON.stringify(body) });
  }
  const { response, answer } = await exchange(path, request);
  if (!response.ok) throw new ApiError(response.status, (answer as ErrorAnswer).error);
  return answer as Answer;
}
