/** Hosts that are picked in the ranking, and the bar that decides about them or about all that the filter gives. */
import type { TriageSelection } from "../../../analytics/triage/triage.ts";
import { h, replaceChildren } from "../element.ts";
import { formatCount, formatPlural } from "../number-text.ts";
import { decisionForm } from "./decision-form.ts";

export interface PicksOptions {
  /** What the server is asked with now; `asOf` is empty for the newest evidence. */
  readonly current: () => { readonly filter: string; readonly asOf: number; readonly total: number };
  readonly refresh: () => void;
}

export interface Picks {
  readonly bar: HTMLElement;
  has(address: string): boolean;
  /** After the hosts that are shown have changed: what is no longer asked for is no longer picked. */
  reset(): void;
}

/** Reacts to the check boxes (`input.pick`) below `list`. */
export function createPicks(list: HTMLElement, { current, refresh }: PicksOptions): Picks {
  const picked = new Set<string>();
  const bar = h("div", { class: "picks", hidden: true });
  const dialog = h("dialog", { class: "decision-dialog", "aria-labelledby": "decision-title" });
  const ask = (hosts: TriageSelection, count: number): void => {
    const form = decisionForm({
      id: "decide-many",
      hosts,
      count,
      state: "acknowledged",
      onDecided: () => {
        dialog.close();
        refresh();
      },
    });
    const cancel = h("button", { type: "button", class: "button", onclick: () => dialog.close() }, "Cancel");
    replaceChildren(
      dialog,
      h("h2", { id: "decision-title" }, `Decide about ${formatPlural(count, "host")}`),
      form,
      cancel,
    );
    if (!dialog.open) dialog.showModal();
  };
  const askAll = (): void => {
    const { filter, asOf, total } = current();
    ask({ filter, asOf, expected: total }, total);
  };
  const show = (): void => {
    const { total } = current();
    bar.hidden = picked.size === 0;
    replaceChildren(
      bar,
      h("strong", { role: "status" }, `${formatPlural(picked.size, "host")} picked`),
      h(
        "button",
        {
          type: "button",
          id: "decide-picked",
          class: "button primary",
          onclick: () => ask({ addresses: [...picked] }, picked.size),
        },
        "Decide about these",
      ),
      picked.size < total
        ? h(
            "button",
            { type: "button", id: "decide-all", class: "button", onclick: askAll },
            `Decide about all ${formatCount(total)} that fit`,
          )
        : undefined,
      h("button", { type: "button", class: "button", onclick: clear }, "Pick none"),
      dialog,
    );
  };
  const clear = (): void => {
    picked.clear();
    for (const box of list.querySelectorAll<HTMLInputElement>("input.pick")) box.checked = false;
    show();
  };
  list.addEventListener("change", ({ target }) => {
    if (!(target instanceof HTMLInputElement) || !target.classList.contains("pick")) return;
    if (target.checked) picked.add(target.value);
    else picked.delete(target.value);
    show();
  });
  return { bar, has: (address) => picked.has(address), reset: clear };
}
