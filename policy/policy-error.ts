/** A policy that cannot be used, or cannot be used here: the message names the file, the path and the allowed values. */
export class PolicyError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "PolicyError";
  }
}
