/** Why the octets of a capture could not be read on: becomes the reason of a partial or refused capture. */
export class CaptureError extends Error {
  constructor(reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.name = "CaptureError";
  }
}
