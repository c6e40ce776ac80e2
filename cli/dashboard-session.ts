/** A dashboard that runs until Ctrl-C: what `serve` and `open` share. */
import { userInfo } from "node:os";
import type { Store } from "../analytics/store.ts";
import { startDashboard } from "../dashboard/listen.ts";
import type { RunningDashboard } from "../dashboard/listen.ts";
import { ListenError } from "../dashboard/listen-error.ts";
import type { ListenProblem } from "../dashboard/listen-error.ts";
import type { AgentTokens } from "../dashboard/security/agent-tokens.ts";
import type { TrustedProxy } from "../dashboard/security/identify.ts";
import type { PeopleTokens } from "../dashboard/security/people.ts";
import type { CodeBook } from "../wire/code-book.ts";
import { CliError, exitCodes } from "./cli-error.ts";
import { describeFailure } from "./describe-failure.ts";
import type { Shell } from "./shell.ts";

export interface DashboardPlace {
  readonly host?: string;
  readonly port: number;
  /** Taken if the port is in use; otherwise that is an error. */
  readonly otherPort?: number;
  readonly token?: string | undefined;
  /** Tokens of agents; absent: nobody reports here. */
  readonly agentTokens?: AgentTokens;
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly insecureHttp?: boolean;
  readonly people?: PeopleTokens;
  readonly proxy?: TrustedProxy | undefined;
  readonly names?: readonly string[];
}

/**
 * Starts the dashboard on a store.
 * @throws CliError if it cannot listen there.
 */
export async function listen(
  store: Store,
  codeBook: CodeBook,
  place: DashboardPlace,
  shell: Shell,
): Promise<RunningDashboard> {
  const start = async (port: number): Promise<RunningDashboard> =>
    startDashboard({
      store,
      codeBook,
      clock: shell.now,
      host: place.host,
      port,
      token: place.token,
      agentTokens: place.agentTokens,
      tls: place.tls,
      insecureHttp: place.insecureHttp,
      people: place.people,
      proxy: place.proxy,
      names: place.names ?? [],
      localUser: userInfo().username,
      onUnexpectedError: (error) =>
        shell.err(`tattle: ${describeFailure(error, { interrupted: false }).line}\n`),
    });
  const { otherPort } = place;
  try {
    return await start(place.port).catch((error: unknown) => {
      if (otherPort === undefined || !isProblem(error, "port in use")) throw error;
      return start(otherPort);
    });
  } catch (error) {
    if (error instanceof ListenError) throw new CliError(error.message, exitCodes.usage, { cause: error });
    throw error;
  }
}

function isProblem(error: unknown, problem: ListenProblem): boolean {
  return error instanceof ListenError && error.problem === problem;
}

/**
 * Returns when somebody has pressed Ctrl-C; that is how a server is meant to end.
 * @throws DatabaseError when the database has failed for good: a server that answers nothing has to be started again.
 */
export async function untilInterrupted(
  signal: AbortSignal,
  { failure }: Pick<Store, "failure">,
): Promise<void> {
  const failed = failure?.then((reason) => Promise.reject(reason));
  await Promise.race([interruption(signal), ...(failed ? [failed] : [])]);
}

async function interruption(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
