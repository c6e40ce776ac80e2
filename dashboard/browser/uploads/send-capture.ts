/** Sends one file to the server. XMLHttpRequest, since fetch cannot tell how much of a body has left. */
import type { CaptureReport } from "../../../analytics/store.ts";
import type { UploadLine } from "../../api.ts";
import { storedToken } from "../token.ts";

export interface SendOptions {
  /** Part of the file that has left, 0 to 1. */
  readonly onProgress: (part: number) => void;
}

/** The report of the capture. @throws Error with one line for the analyst. */
export async function sendCapture(file: File, { onProgress }: SendOptions): Promise<CaptureReport> {
  const request = new XMLHttpRequest();
  request.open("POST", `/api/captures?${new URLSearchParams({ name: file.name }).toString()}`);
  request.setRequestHeader("Accept", "application/x-ndjson");
  request.setRequestHeader("Content-Type", "application/octet-stream");
  request.setRequestHeader("X-Tattle-Request", "1");
  const token = storedToken();
  if (token !== "") request.setRequestHeader("Authorization", `Bearer ${token}`);
  request.upload.addEventListener("progress", (event) =>
    onProgress(event.total === 0 ? 1 : event.loaded / event.total),
  );
  const text = await new Promise<string>((resolve, reject) => {
    request.addEventListener("load", () => resolve(request.responseText));
    request.addEventListener("error", () => reject(new Error("the connection to the server broke")));
    request.addEventListener("abort", () => reject(new Error("the upload was ended")));
    request.send(file);
  });
  return readAnswer(text);
}

/** The last line has the outcome; an answer that refuses has no other line. */
function readAnswer(text: string): CaptureReport {
  const last = text.trimEnd().split("\n").at(-1) ?? "";
  let line: UploadLine;
  try {
    line = JSON.parse(last) as UploadLine;
  } catch (cause) {
    throw new Error("the server's answer ended too early", { cause });
  }
  if ("report" in line) return line.report;
  throw new Error("error" in line ? line.error : "the server's answer ended too early");
}
