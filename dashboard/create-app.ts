/** The dashboard as an Express application: it does not listen, knows no wall clock, and opens no file of the user's. */
import { fileURLToPath } from "node:url";
import express from "express";
import type { Express } from "express";
import type { Store } from "../analytics/store.ts";
import type { CodeBook } from "../wire/code-book.ts";
import { answerError } from "./answer-error.ts";
import { HttpError } from "./http-error.ts";
import { agentReports } from "./routes/agent-reports.ts";
import { auditRoute } from "./routes/audit.ts";
import { browserFiles } from "./routes/browser-files.ts";
import { evidenceRoutes } from "./routes/evidence.ts";
import { exportRoutes } from "./routes/export.ts";
import { liveRoute } from "./routes/live.ts";
import { openApiRoute } from "./routes/openapi.ts";
import { packetRoutes } from "./routes/packets.ts";
import { savedViewRoutes } from "./routes/saved-views.ts";
import { triageRoutes } from "./routes/triage.ts";
import { uploadCapture } from "./routes/upload-capture.ts";
import type { AgentTokens } from "./security/agent-tokens.ts";
import { auditRequests } from "./security/audit-requests.ts";
import { setSecurityHeaders } from "./security/headers.ts";
import { requireOwnHost } from "./security/host-header.ts";
import type { HostCheck } from "./security/host-header.ts";
import { identify, requireRole } from "./security/identify.ts";
import type { TrustedProxy } from "./security/identify.ts";
import type { PeopleTokens } from "./security/people.ts";
import { limitRate, usualRateLimit } from "./security/rate-limit.ts";
import type { RateLimit } from "./security/rate-limit.ts";
import { refuseCrossSite } from "./security/same-origin.ts";

/** 64 GiB: a day of a busy link; above that `tattle ingest` on the machine itself is the way. */
export const defaultMaxUploadOctets = 2 ** 36;

export interface AppOptions {
  readonly store: Store;
  readonly codeBook: CodeBook;
  /** Seconds since 1970. */
  readonly clock: () => number;
  /** Which host names in requests are ours. */
  readonly isOwnHost: HostCheck;
  /** A token for all, whose bearer may do everything. */
  readonly token?: string | undefined;
  /** Tokens of people, with roles. */
  readonly people?: PeopleTokens | undefined;
  readonly proxy?: TrustedProxy | undefined;
  /** Who uses a dashboard where nobody has to say so. */
  readonly localUser?: string | undefined;
  /** Milliseconds between two looks for news; 1,000 if absent. */
  readonly liveMs?: number | undefined;
  /** Requests of one sender. */
  readonly rateLimit?: RateLimit | undefined;
  /** Whether requests travel in clear beyond this machine: the page says so. */
  readonly inClear?: boolean;
  /** Tokens of agents; absent: nobody reports here. */
  readonly agentTokens?: AgentTokens | undefined;
  /** Milliseconds in which a request of an agent has to be here whole; 30,000 if absent. */
  readonly agentBodyMs?: number | undefined;
  readonly maxUploadOctets?: number | undefined;
  /** Folder of index.html, style.css and the bundle; absent: the one that the build puts beside this file. */
  readonly browserFolder?: string | undefined;
  /** Told of errors that are our fault; the sender learns only that there was one. */
  readonly onUnexpectedError?: ((error: unknown) => void) | undefined;
  /** Ends the uploads that are under way. */
  readonly signal?: AbortSignal | undefined;
}

export function createApp(options: AppOptions): Express {
  const { store, codeBook, clock, token } = options;
  const onUnexpectedError = options.onUnexpectedError ?? ((): void => undefined);
  const maxUploadOctets = options.maxUploadOctets ?? defaultMaxUploadOctets;
  const signal = options.signal ?? new AbortController().signal;

  const app = express();
  app.disable("x-powered-by");
  // Answers hold times and ranks that change with every capture; hashing a large one costs more than sending it.
  app.disable("etag");

  app.use(setSecurityHeaders);
  app.use(requireOwnHost(options.isOwnHost));
  // No browser has an agent's token, so no page can make one send it.
  if (store.agentLog && options.agentTokens) {
    const { agentTokens: tokens, agentBodyMs: bodyMs } = options;
    app.use("/api/agent", agentReports({ log: store.agentLog, tokens, clock, bodyMs }));
  }
  app.use("/api", refuseCrossSite);
  app.use(
    "/api",
    limitRate(options.rateLimit ?? usualRateLimit, () => performance.now() / 1000, options.proxy),
  );
  const { people, proxy, localUser = "analyst" } = options;
  // A token that is added while the server runs closes the door; it does not open again when the last one is taken out.
  const hasPeople = (): boolean => people !== undefined && !people.isEmpty;
  let isClosed = token !== undefined || proxy !== undefined || hasPeople();
  const isRequired = (): boolean => (isClosed ||= hasPeople());
  app.use("/api", identify({ token, people, proxy, localUser, isRequired }));
  app.use("/api", requireRole);
  app.use("/api", auditRequests(store.audit, clock));
  app.post("/api/captures", uploadCapture({ store, maxUploadOctets, onUnexpectedError, signal }));
  app.use(
    "/api",
    evidenceRoutes({ store, codeBook, clock, maxUploadOctets, inClear: options.inClear ?? false }),
  );
  app.use("/api", packetRoutes({ store, signal }));
  app.use("/api", exportRoutes({ store, signal }));
  app.use("/api/triage", triageRoutes({ triage: store.triage, clock }));
  app.use("/api/views", savedViewRoutes({ savedViews: store.savedViews, audit: store.audit, clock }));
  app.use("/api", liveRoute({ store, onUnexpectedError, signal, everyMs: options.liveMs }));
  app.use("/api", auditRoute(store.audit));
  app.use("/api", openApiRoute());
  app.use(browserFiles(options.browserFolder ?? fileURLToPath(new URL("./browser", import.meta.url))));
  app.use((request) => {
    throw new HttpError(404, `nothing is here: ${request.method} ${request.path.slice(0, 100)}`);
  });
  app.use(answerError(onUnexpectedError));
  return app;
}
