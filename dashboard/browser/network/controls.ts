/** What the network timeline shows can be chosen by buttons, fields and keys, all of which end in the address of the page. */
import type { NetworkMarkKind, NetworkTimeline } from "../../../analytics/network-timeline.ts";
import { protectedBy } from "../../figures/protected-networks.ts";
import { h, svg } from "../element.ts";
import type { PageContext } from "../pages/page.ts";
import type { NetworkView } from "../view.ts";

/** Points of the symbols in a box of 12 by 12. */
const shapes: Readonly<Record<NetworkMarkKind | "band", string>> = {
  detection: "M6 1.2A4.8 4.8 0 1 1 6 10.8 4.8 4.8 0 1 1 6 1.2Z",
  drop: "M6 1.4 11 10.4H1Z",
  exposure: "M1.8 1.8H10.2V10.2H1.8Z",
  band: "M0 2H12V10H0Z",
};

export function networkSymbol(kind: NetworkMarkKind | "band"): SVGElement {
  return svg(
    "svg",
    { class: "network-symbol", viewBox: "0 0 12 12", "aria-hidden": "true" },
    svg("path", { class: `network-${kind}`, d: shapes[kind] }),
  );
}

export function networkControls(timeline: NetworkTimeline, context: PageContext): HTMLElement {
  const { view, go } = context;
  const change = (network: Partial<NetworkView>): void =>
    go({ ...view, network: { ...view.network, ...network } });
  const scale = (name: NetworkView["scale"], label: string): HTMLElement =>
    h(
      "button",
      {
        type: "button",
        id: `scale-${name}`,
        class: "button",
        "aria-pressed": String(view.network.scale === name),
        // A place on one scale is none on the other.
        onclick: () => change({ scale: name, from: "", to: "" }),
      },
      label,
    );
  return h(
    "div",
    { class: "network-controls" },
    h(
      "span",
      { class: "button-group", role: "group", "aria-label": "Time" },
      scale("elapsed", "Since detection"),
      scale("utc", "UTC"),
    ),
    zoomButtons(timeline, context, change),
    fields(view.network, change),
  );
}

function zoomButtons(
  timeline: NetworkTimeline,
  { view }: PageContext,
  change: (network: Partial<NetworkView>) => void,
): HTMLElement {
  const zoomTo = (from: number, to: number): void =>
    change({ from: String(Number(from.toFixed(3))), to: String(Number(to.toFixed(3))) });
  const button = (id: string, label: string, meaning: string, move: Move): HTMLElement =>
    h(
      "button",
      {
        type: "button",
        id: `network-${id}`,
        class: "button",
        "aria-label": meaning,
        title: meaning,
        onclick: () => zoomTo(...move(timeline)),
      },
      label,
    );
  return h(
    "span",
    { class: "button-group", role: "group", "aria-label": "Stretch of time" },
    button("earlier", "←", "earlier", moves.ArrowLeft),
    button("in", "+", "zoom in", moves["+"]),
    button("out", "−", "zoom out", moves["-"]),
    button("later", "→", "later", moves.ArrowRight),
    h(
      "button",
      {
        type: "button",
        id: "network-all",
        class: "button",
        disabled: view.network.from === "" && view.network.to === "",
        onclick: () => change({ from: "", to: "" }),
      },
      "All",
    ),
  );
}

type Move = (stretch: Pick<NetworkTimeline, "from" | "to">) => [number, number];

const shifted =
  (share: number): Move =>
  ({ from, to }) => [from + (to - from) * share, to + (to - from) * share];
const scaled =
  (share: number): Move =>
  ({ from, to }) => {
    const [middle, half] = [(from + to) / 2, Math.max(1e-3, ((to - from) / 2) * share)];
    return [middle - half, middle + half];
  };

const moves = {
  ArrowLeft: shifted(-0.25),
  ArrowRight: shifted(0.25),
  "+": scaled(0.5),
  "=": scaled(0.5),
  "-": scaled(2),
} as const satisfies Readonly<Record<string, Move>>;

/** Keys that hold while the chart has the focus. */
export function zoomKeys(
  timeline: NetworkTimeline,
  zoomTo: (from: number, to: number) => void,
  showAll: () => void,
): (event: KeyboardEvent) => void {
  return (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const move: Move | undefined = Object.entries(moves).find(([key]) => key === event.key)?.[1];
    if (!move && event.key !== "0") return;
    event.preventDefault();
    event.stopPropagation();
    if (move) zoomTo(...move(timeline));
    else showAll();
  };
}

function fields(network: NetworkView, change: (network: Partial<NetworkView>) => void): HTMLElement {
  const field = (
    name: "host" | "protect" | "leastOctets",
    label: string,
    placeholder: string,
  ): HTMLElement => {
    const input = h("input", {
      id: `network-${name}-field`,
      value: network[name],
      placeholder,
      autocomplete: "off",
      spellcheck: "false",
      inputmode: name === "leastOctets" ? "numeric" : undefined,
    });
    input.addEventListener("input", () => input.setCustomValidity(""));
    input.addEventListener("change", () => {
      const problem = problemWith(name, input.value.trim());
      input.setCustomValidity(problem);
      if (problem !== "") input.reportValidity();
      else change({ [name]: input.value.trim() });
    });
    return h("label", { class: "network-field" }, h("span", {}, label), input);
  };
  return h(
    "span",
    { class: "network-fields" },
    field("protect", "Protected network", "10.0.2.0/24"),
    field("host", "Only flagged host", "all"),
    field("leastOctets", "Passed at least", "0 B"),
  );
}

/** Nothing, if the server will take it. */
function problemWith(name: "host" | "protect" | "leastOctets", value: string): string {
  if (name === "leastOctets") return /^\d{0,15}$/.test(value) ? "" : "expected a number of octets";
  try {
    if (value !== "") protectedBy(value);
    return name === "host" && /[,/]/.test(value) ? "expected one address" : "";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
