/** What was just decided, with a button that takes it back. It stays until the next one, or until it is closed. */
import type { TriageReport } from "../../../analytics/triage/triage.ts";
import { postUndo } from "../api-client.ts";
import { h, replaceChildren } from "../element.ts";
import { formatPlural } from "../number-text.ts";
import { problemOf } from "../problem.ts";
import { rememberedName } from "./decider.ts";

let shown: HTMLElement | undefined;

function place(): HTMLElement {
  shown ??= h("div", { class: "notice", role: "status" });
  if (!shown.isConnected) document.body.append(shown);
  shown.hidden = false;
  return shown;
}

export function noticeDecision(text: string, report: TriageReport, refresh: () => void): void {
  const undo = h("button", { type: "button", id: "undo-decision", class: "button" }, "Undo");
  undo.addEventListener("click", () => {
    undo.disabled = true;
    postUndo({ change: report.change, who: rememberedName() })
      .then((undone) => {
        noticeText(`${formatPlural(undone.hosts, "host")} put back${leftAlone(undone)}`);
        refresh();
      })
      .catch((error: unknown) => noticeText(problemOf(error)));
  });
  replaceChildren(place(), h("span", {}, text), undo, closeButton());
}

export function noticeText(text: string): void {
  replaceChildren(place(), h("span", {}, text), closeButton());
}

function leftAlone({ decidedSince }: TriageReport): string {
  return decidedSince === 0 ? "" : `; ${formatPlural(decidedSince, "host")} decided about since`;
}

function closeButton(): HTMLElement {
  const close = h("button", { type: "button", class: "button", "aria-label": "Close this message" }, "×");
  close.addEventListener("click", () => {
    if (shown) shown.hidden = true;
  });
  return close;
}
