/** Why the dashboard could not start listening, in one line for people and one word for commands. */
export type ListenProblem =
  | "port in use"
  | "port not permitted"
  | "address not here"
  | "token missing"
  | "token too short"
  | "in clear"
  | "no certificate"
  | "cannot listen";

export class ListenError extends Error {
  readonly problem: ListenProblem;

  constructor(problem: ListenProblem, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ListenError";
    this.problem = problem;
  }
}

/** What node:net's refusal to listen on `host` and `port` means. */
export function explainListenFailure(host: string, port: number, cause: unknown): ListenError {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  switch (code) {
    case "EADDRINUSE":
      return new ListenError(
        "port in use",
        `${host}: port ${port} is in use; --port takes another, 0 a free one`,
        {
          cause,
        },
      );
    case "EACCES":
      return new ListenError("port not permitted", `${host}: port ${port} is not permitted to this user`, {
        cause,
      });
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return new ListenError("address not here", `${host}: no address of this machine`, { cause });
    default: {
      const reason = cause instanceof Error ? cause.message : String(cause);
      return new ListenError("cannot listen", `${host}: port ${port}: ${reason}`, { cause });
    }
  }
}
