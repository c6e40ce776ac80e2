/** Uploads under way and done, in a corner of every page; one file after the other, as the server writes them. */
import type { CaptureReport } from "../../../analytics/store.ts";
import { h, replaceChildren } from "../element.ts";
import { formatCount, formatOctets, formatPlural } from "../number-text.ts";
import { sendCapture } from "./send-capture.ts";

export interface UploadTray {
  readonly element: HTMLElement;
  add(files: readonly File[]): void;
}

/** `onIngested` runs when the evidence may have changed; `maxOctets` is asked before a file is sent. */
export function createUploadTray({
  onIngested,
  maxOctets,
}: {
  onIngested: () => void;
  maxOctets: () => number;
}): UploadTray {
  const list = h("ul", { class: "uploads" });
  const close = h(
    "button",
    { type: "button", class: "button", "aria-label": "Close the list of uploads" },
    "Close",
  );
  const element = h(
    "section",
    { class: "tray", "aria-label": "Uploads", hidden: true },
    h("header", {}, h("h2", {}, "Uploads"), close),
    list,
  );
  close.addEventListener("click", () => {
    element.hidden = true;
    replaceChildren(list);
  });
  let queue = Promise.resolve();
  return {
    element,
    add(files) {
      element.hidden = false;
      for (const file of files) {
        const row = uploadRow(file);
        list.prepend(row.element);
        queue = queue
          .then(async () => row.send(maxOctets()))
          .then((changed) => (changed ? onIngested() : undefined));
      }
    },
  };
}

function uploadRow(file: File): { element: HTMLElement; send: (maxOctets: number) => Promise<boolean> } {
  const bar = h("progress", { max: 1, value: 0, "aria-label": `Upload of ${file.name}` });
  const status = h("p", { class: "upload-status", role: "status" }, `waiting · ${formatOctets(file.size)}`);
  const element = h("li", {}, h("p", { class: "upload-name" }, h("bdi", {}, file.name)), bar, status);
  const end = (kind: string, text: string): void => {
    bar.remove();
    element.classList.add(kind);
    replaceChildren(status, text);
  };
  const send = async (maxOctets: number): Promise<boolean> => {
    if (file.size > maxOctets) {
      end(
        "refused",
        `too large: ${formatOctets(file.size)}, and the server takes ${formatOctets(maxOctets)}`,
      );
      return false;
    }
    try {
      const report = await sendCapture(file, {
        onProgress: (part) => {
          bar.value = part;
          const text =
            part < 1 ? `sending · ${Math.floor(part * 100)} % of ${formatOctets(file.size)}` : "reading";
          replaceChildren(status, text);
        },
      });
      end(report.state, describeOutcome(report));
      return true;
    } catch (error) {
      end("refused", error instanceof Error ? error.message : String(error));
      return false;
    }
  };
  return { element, send };
}

function describeOutcome(report: CaptureReport): string {
  if (report.alreadyIngestedAs !== undefined) {
    return `known already as ${report.alreadyIngestedAs}; nothing was counted again`;
  }
  const place = report.reasonOffset === undefined ? "" : `, at octet ${formatCount(report.reasonOffset)}`;
  const known =
    report.grewFrom === undefined ? "" : ` (grown: ${formatPlural(report.grewFrom, "packet")} known before)`;
  const held = `${formatPlural(report.packets, "packet")}, ${formatCount(report.markedPackets)} marked${known}`;
  switch (report.state) {
    case "complete":
      return `complete · ${held}`;
    case "partial":
      return `partial · ${held} · ${report.reason ?? "damaged"}${place}`;
    case "refused":
      return `refused · ${report.reason ?? "not a capture"}${place}`;
  }
}
