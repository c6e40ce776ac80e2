/** The only error that wire/ throws about octets: what was expected, what came, and where. */
export class MalformedError extends Error {
  /** Octets from the start of the buffer that the caller passed. */
  readonly offset: number;
  readonly problem: string;

  constructor(problem: string, offset: number) {
    super(`malformed at octet ${offset}: ${problem}`);
    this.name = "MalformedError";
    this.problem = problem;
    this.offset = offset;
  }
}
