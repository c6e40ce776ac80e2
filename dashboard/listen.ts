/** Puts the dashboard on a TCP port. On loopback anybody on this machine may use it; beyond it only with a token. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { isIPv6 } from "node:net";
import { hostname } from "node:os";
import type { Express } from "express";
import { createApp } from "./create-app.ts";
import type { AppOptions } from "./create-app.ts";
import { ListenError, explainListenFailure } from "./listen-error.ts";
import { acceptedHosts } from "./security/host-header.ts";
import { isLoopback } from "./security/loopback.ts";

export interface DashboardOptions extends Omit<AppOptions, "isOwnHost" | "inClear" | "signal"> {
  /** Name or address to listen on; 127.0.0.1 if absent. */
  readonly host?: string | undefined;
  /** 0, or absent: any free one. */
  readonly port?: number | undefined;
  /** Further names under which browsers may ask for us, as of a TLS proxy in front. */
  readonly names?: readonly string[] | undefined;
  /** Certificate chain and private key, PEM. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  /** Listens beyond loopback without TLS: whoever is on the way reads everything, the token too. */
  readonly insecureHttp?: boolean | undefined;
}

export interface RunningDashboard {
  /** `http://127.0.0.1:8765/` */
  readonly address: string;
  /** Ends uploads (nothing of them is kept), then the connections. */
  close(): Promise<void>;
}

/** Shorter ones can be guessed. */
export const minTokenLength = 16;

/** @throws ListenError */
export async function startDashboard(options: DashboardOptions): Promise<RunningDashboard> {
  const { host = "127.0.0.1", port = 0, names = [] } = options;
  requireTokenBeyondLoopback(host, options);
  const inClear = options.tls === undefined && !isLoopback(host);
  if (inClear && options.insecureHttp !== true) {
    throw new ListenError(
      "in clear",
      `${host}: others can reach this address, so TLS is required (--tls-cert FILE --tls-key FILE), or --insecure-http`,
    );
  }
  const closing = new AbortController();
  const isOwnHost = acceptedHosts(host, [hostname(), ...names]);
  const server = createWith(
    options.tls,
    createApp({ ...options, isOwnHost, inClear, signal: closing.signal }),
  );
  // A large capture over a slow line takes as long as it takes; the header must still come within a minute.
  server.requestTimeout = 0;
  server.headersTimeout = 60_000;
  server.listen({ host, port });
  try {
    await once(server, "listening");
  } catch (cause) {
    throw explainListenFailure(host, port, cause);
  }
  return {
    address: addressOf(options.tls === undefined ? "http" : "https", host, server.address()),
    async close() {
      closing.abort();
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function requireTokenBeyondLoopback(host: string, { token, people, proxy }: DashboardOptions): void {
  const asksNobody = token === undefined && proxy === undefined && (people === undefined || people.isEmpty);
  if (asksNobody && !isLoopback(host)) {
    throw new ListenError(
      "token missing",
      `${host}: others can reach this address, so a token is required (tattle tokens add NAME, or --token-file FILE)`,
    );
  }
  if (token !== undefined && token.length < minTokenLength) {
    throw new ListenError(
      "token too short",
      `the token has ${token.length} characters, but at least ${minTokenLength} are required`,
    );
  }
}

function createWith(tls: DashboardOptions["tls"], app: Express): Server {
  if (tls === undefined) return createServer(app);
  try {
    return createSecureServer({ ...tls, minVersion: "TLSv1.2" }, app);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ListenError("no certificate", `the certificate and key are not usable: ${reason}`, { cause });
  }
}

function addressOf(scheme: string, host: string, bound: AddressInfo | string | null): string {
  const port = bound !== null && typeof bound === "object" ? bound.port : 0;
  return `${scheme}://${isIPv6(host) ? `[${host}]` : host}:${port}/`;
}
