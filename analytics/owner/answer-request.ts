/**
 * What clients ask of the owner, answered. Loaded when the first one asks: most commands are done before anybody does,
 * and checking what strangers say takes as much to load as the rest of a small capture's ingestion.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { ExportError } from "../export/check-export.ts";
import { PacketsError } from "../packets/selection.ts";
import { SavedViewError } from "../saved-views/saved-views.ts";
import type { Store } from "../store.ts";
import { TriageError } from "../triage/triage.ts";
import { answerAudit, answerNote } from "./answer-audit.ts";
import { answerIngest } from "./answer-ingest.ts";
import { answerRemove, answerSave } from "./answer-saved-views.ts";
import { answerDecision, answerEntries, answerUndo } from "./answer-triage.ts";
import { readAssets, readQuestion, RequestError } from "./read-request.ts";
import { answerStream } from "./streamed-answer.ts";
import { routes } from "./wire-format.ts";
import type { Failure } from "./wire-format.ts";

/** Whatever goes wrong becomes the answer. */
export async function answerRequest(
  store: Store,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await answer(store, request, response, signal);
  } catch (error) {
    sendFailure(response, error);
  }
}

async function answer(
  store: Store,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal | undefined,
): Promise<void> {
  const question = readQuestion(request.url ?? "/");
  switch (`${request.method ?? ""} ${question.path}`) {
    case `GET ${routes.ranking}`:
      sendJson(response, 200, await store.ranking(question.ranking()));
      return;
    case `GET ${routes.host}`:
      sendJson(
        response,
        200,
        (await store.host(question.address(), question.asOf(), question.flowLimit())) ?? null,
      );
      return;
    case `GET ${routes.hostList}`: {
      const { name, query } = question.hostList();
      sendJson(response, 200, await store.hostList(name, question.address(), query));
      return;
    }
    case `GET ${routes.events}`:
      sendJson(response, 200, await store.events(question.address(), question.cursor()));
      return;
    case `GET ${routes.network}`:
      sendJson(response, 200, await store.network(question.network()));
      return;
    case `GET ${routes.captures}`:
      sendJson(response, 200, await store.captures());
      return;
    case `GET ${routes.agents}`:
      sendJson(response, 200, await store.agents());
      return;
    case `GET ${routes.packetSources}`:
      sendJson(response, 200, await store.packetSources(question.packets().selection));
      return;
    case `GET ${routes.packets}`: {
      const { selection, limits } = question.packets();
      await answerStream(response, signal, (output, gone) =>
        store.packets(selection, output, { limits, signal: gone }),
      );
      return;
    }
    case `GET ${routes.export}`: {
      const query = question.export();
      await answerStream(response, signal, (output, gone) => store.export(query, output, gone));
      return;
    }
    case `GET ${routes.triage}`:
      sendJson(response, 200, await answerEntries(store, question));
      return;
    case `POST ${routes.triage}`:
      sendJson(response, 200, await answerDecision(store, request));
      return;
    case `POST ${routes.undoTriage}`:
      sendJson(response, 200, await answerUndo(store, request));
      return;
    case `GET ${routes.news}`:
      sendJson(response, 200, await store.news(question.since()));
      return;
    case `GET ${routes.audit}`:
      sendJson(response, 200, await answerAudit(store, question));
      return;
    case `POST ${routes.audit}`:
      sendJson(response, 200, await answerNote(store, request));
      return;
    case `GET ${routes.savedViews}`:
      sendJson(response, 200, await store.savedViews.list());
      return;
    case `POST ${routes.savedViews}`:
      sendJson(response, 200, await answerSave(store, request));
      return;
    case `POST ${routes.removeSavedView}`:
      sendJson(response, 200, await answerRemove(store, request));
      return;
    case `PUT ${routes.assets}`:
      await store.setAssets(await readAssets(request));
      sendJson(response, 200, null);
      return;
    case `POST ${routes.ingest}`:
      await answerIngest(store, request, response, signal);
      return;
    default:
      throw new RequestError(`unknown request ${request.method ?? ""} ${question.path}`);
  }
}

function sendFailure(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const failure: Failure = {
    failure: error instanceof Error ? error.message : String(error),
    ...(error instanceof TriageError
      ? { triage: { kind: error.kind, ...(error.count === undefined ? {} : { count: error.count }) } }
      : {}),
    ...(error instanceof SavedViewError ? { savedView: error.kind } : {}),
  };
  const status =
    error instanceof RequestError || error instanceof ExportError
      ? 400
      : error instanceof PacketsError
        ? 404
        : 500;
  sendJson(response, status, failure);
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json", connection: "close" });
  response.end(JSON.stringify(value));
}
