/** Files dropped anywhere on the page, or chosen, are captures to ingest. */
import { h } from "../element.ts";

/** Listens until the page is gone; returns what opens the file chooser. */
export function listenToDrops(onFiles: (files: readonly File[]) => void): () => void {
  const veil = h("div", { class: "veil", hidden: true }, h("p", {}, "Drop captures to add them"));
  const chooser = h("input", {
    type: "file",
    id: "chooser",
    multiple: true,
    hidden: true,
    "aria-label": "Capture files",
    tabindex: -1,
  });
  document.body.append(veil, chooser);
  chooser.addEventListener("change", () => {
    if (chooser.files && chooser.files.length > 0) onFiles([...chooser.files]);
    chooser.value = "";
  });
  document.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    veil.hidden = false;
  });
  document.addEventListener("dragleave", (event) => {
    // The pointer left the window; within it, it only went from one element to another.
    if (event.relatedTarget === null) veil.hidden = true;
  });
  document.addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    veil.hidden = true;
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length > 0) onFiles(files);
  });
  return () => chooser.click();
}

function hasFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes("Files") ?? false;
}
