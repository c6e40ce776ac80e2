/** Keys: j and k move through the rows, Enter opens one (it is a link), / goes to the filter, ? lists the keys. */
import { h } from "./element.ts";

const keys: readonly (readonly [string, string])[] = [
  ["j", "next row"],
  ["k", "previous row"],
  ["Enter", "open the row"],
  ["x", "pick the row, or not"],
  ["e", "decide about what is picked, or about the row"],
  ["f", "only hosts that nobody has decided about, or all again"],
  ["/", "filter"],
  ["Escape", "leave the filter; close this list"],
  ["v", "saved views"],
  ["g", "group by activity, or not"],
  ["h", "flagged hosts"],
  ["n", "network timeline"],
  ["c", "captures"],
  ["a", "agents"],
  ["?", "these keys"],
];

/** Listens until the page is gone. `commands` does what depends on the page. */
export function listenToKeys(commands: Readonly<Record<string, () => void>>): void {
  const help = keyList();
  document.body.append(help);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (isTyping(event.target)) {
      if (event.key === "Escape" && event.target instanceof HTMLElement) event.target.blur();
      return;
    }
    const command = builtIn(help)[event.key] ?? commands[event.key];
    if (!command) return;
    event.preventDefault();
    command();
  });
}

function builtIn(help: HTMLDialogElement): Readonly<Record<string, () => void>> {
  return {
    x: () => boxOfRow()?.click(),
    e: decideAboutPicked,
    f: filterNew,
    j: () => moveRow(1),
    k: () => moveRow(-1),
    "/": () => document.querySelector<HTMLInputElement>("#filter")?.focus(),
    "?": () => (help.open ? help.close() : help.showModal()),
  };
}

function isTyping(target: EventTarget | null): boolean {
  if (target instanceof HTMLSelectElement) return true;
  const otherTypes = ["file", "button", "checkbox"];
  return target instanceof HTMLInputElement && !otherTypes.includes(target.type);
}

/** The check box of the row that has the focus. */
function boxOfRow(): HTMLInputElement | null | undefined {
  return document.activeElement?.closest("tr")?.querySelector<HTMLInputElement>("input.pick");
}

/** Writes into the filter's box, as if it had been typed. */
function filterNew(): void {
  const box = document.querySelector<HTMLInputElement>("#filter");
  if (!box) return;
  const words = box.value.split(/\s+/u).filter(Boolean);
  const others = words.filter((word) => !word.startsWith("triage:"));
  box.value = (words.includes("triage:new") ? others : [...others, "triage:new"]).join(" ");
  box.dispatchEvent(new Event("input"));
}

function decideAboutPicked(): void {
  const button = (): HTMLElement | null => document.querySelector("#decide-picked");
  if (!button()) boxOfRow()?.click();
  button()?.click();
}

function moveRow(step: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>("[data-row]")].filter(
    (row) => row.offsetParent !== null,
  );
  const current = rows.findIndex((row) => row === document.activeElement);
  const next = current === -1 ? (step === 1 ? 0 : rows.length - 1) : current + step;
  const row = rows[Math.min(rows.length - 1, Math.max(0, next))];
  row?.focus({ preventScroll: true });
  row?.scrollIntoView({ block: "nearest" });
}

function keyList(): HTMLDialogElement {
  const dialog = h(
    "dialog",
    { class: "keys", "aria-labelledby": "keys-title" },
    h("h2", { id: "keys-title" }, "Keys"),
    h(
      "dl",
      {},
      keys.map(([key, meaning]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, meaning)]),
    ),
    h("button", { type: "button", class: "button", onclick: () => dialog.close() }, "Close"),
  );
  return dialog;
}
