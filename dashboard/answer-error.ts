/** How a failed request is answered: `{"error": …}` and nothing that tells of the inside. */
import type { ErrorRequestHandler } from "express";
import type { ErrorAnswer } from "./api.ts";
import { HttpError } from "./http-error.ts";

/** Answers with the line of an HttpError; anything else is our fault, told to `onUnexpectedError` and to nobody else. */
export function answerError(onUnexpectedError: (error: unknown) => void): ErrorRequestHandler {
  // Express knows an error handler by its four parameters.
  return (error: unknown, _request, response, _next) => {
    const known = refusal(error);
    if (!known) onUnexpectedError(error);
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const answer: ErrorAnswer = { error: known?.message ?? "unexpected error; the server's log says more" };
    response
      .status(known?.status ?? 500)
      .set(known?.headers ?? {})
      .json(answer);
  };
}

function refusal(error: unknown): HttpError | undefined {
  if (error instanceof HttpError) return error;
  // What Express itself throws at a path such as /api/hosts/%ff.
  if (error instanceof URIError) return new HttpError(400, "the path is not valid percent-encoding");
  return undefined;
}
