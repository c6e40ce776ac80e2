/** Starts the page: reads the address, asks the server, shows the answer, and listens. */
import { ApiError, fetchCodeBook, fetchHealth } from "./api-client.ts";
import { h } from "./element.ts";
import { createFrame } from "./frame.ts";
import { followNews } from "./live/follow.ts";
import { savedViewsMenu } from "./saved-views/menu.ts";
import { createPill } from "./live/pill.ts";
import { listenToKeys } from "./keyboard.ts";
import { agentsPage } from "./pages/agents.ts";
import { capturesPage } from "./pages/captures.ts";
import { hostPage } from "./pages/host.ts";
import { hostsPage } from "./pages/hosts.ts";
import { networkPage } from "./pages/network.ts";
import type { Page, PageContext } from "./pages/page.ts";
import { tokenForm } from "./pages/token.ts";
import { problemOf } from "./problem.ts";
import { setPerson } from "./triage/decider.ts";
import { listenToDrops } from "./uploads/drop-zone.ts";
import { createUploadTray } from "./uploads/upload-tray.ts";
import { hrefOf, parseView } from "./view.ts";
import type { View } from "./view.ts";

let underWay = new AbortController();
let maxUploadOctets = Number.POSITIVE_INFINITY;
let shownAddress = "";

const tray = createUploadTray({ onIngested: () => void show(), maxOctets: () => maxUploadOctets });
const chooseFiles = listenToDrops((files) => tray.add(files));
const views = savedViewsMenu(() => hrefOf(currentView()));
const frame = createFrame({
  views: views.element,
  moveTo: (asOf) => go({ ...currentView(), asOf }),
  chooseFiles,
});
const pill = createPill(() => void show());
let following: AbortController | undefined;
document.body.append(...frame.element, tray.element, pill.element);

/** From the first answer on: before, the server may want a token. */
function follow(): void {
  if (following) return;
  const ending = new AbortController();
  following = ending;
  void followNews((news) => pill.add(news), ending.signal).then(() => {
    following = undefined;
  });
}

function currentView(): View {
  return parseView(new URL(location.href));
}

function go(view: View): void {
  const isElsewhere = location.pathname !== new URL(hrefOf(view), location.href).pathname;
  history.pushState(null, "", hrefOf(view));
  if (isElsewhere) scrollTo({ top: 0 });
  void show();
}

/** Shows what the address asks for; what was asked for before is given up. */
async function show(): Promise<void> {
  underWay.abort();
  underWay = new AbortController();
  const { signal } = underWay;
  const view = currentView();
  shownAddress = addressWithoutPart();
  frame.wait(view);
  try {
    const [codeBook, health] = await Promise.all([fetchCodeBook(signal), fetchHealth(signal)]);
    setPerson(health.person);
    pill.startAt(health.cursor);
    maxUploadOctets = health.maxUploadOctets;
    frame.warn(
      health.inClear ? "This page and your token travel in clear: the server runs without TLS." : "",
    );
    const page = await pageOf({ view, codeBook, signal, go, note, refresh, chooseFiles });
    if (signal.aborted) return;
    frame.show(page, view);
    follow();
  } catch (error) {
    if (!signal.aborted) frame.showInstead(explain(error), view);
  }
}

function refresh(): void {
  void show();
}

function note(view: View): void {
  history.replaceState(null, "", hrefOf(view));
  shownAddress = addressWithoutPart();
}

function addressWithoutPart(): string {
  return location.pathname + location.search;
}

async function pageOf(context: PageContext): Promise<Page> {
  switch (context.view.page) {
    case "hosts":
    case "nowhere":
      return hostsPage(context);
    case "host":
      return hostPage(context);
    case "network":
      return networkPage(context);
    case "captures":
      return capturesPage(context);
    case "agents":
      return agentsPage(context);
  }
}

function explain(error: unknown): HTMLElement {
  if (error instanceof ApiError && error.status === 401) return tokenForm(error.message, () => void show());
  return h(
    "div",
    { class: "panel nothing", role: "alert" },
    h("h2", {}, "This cannot be shown"),
    h("p", {}, problemOf(error)),
    h("button", { type: "button", class: "button", onclick: () => void show() }, "Try again"),
  );
}

document.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
  // A file to save is no page.
  if (!link || !isPlain || link.hasAttribute("download")) return;
  // Links in a chart are SVG, which Plot writes with the older attribute.
  const href = link.getAttribute("href") ?? link.getAttributeNS("http://www.w3.org/1999/xlink", "href") ?? "";
  if (!href.startsWith("/")) return;
  event.preventDefault();
  go(parseView(new URL(href, location.href)));
});
// Following a link to a part of the page ends here too; the page stays.
addEventListener("popstate", () => {
  if (addressWithoutPart() !== shownAddress) void show();
});
listenToKeys({
  h: () => go({ ...currentView(), page: "hosts", address: "" }),
  n: () => go({ ...currentView(), page: "network", address: "" }),
  c: () => go({ ...currentView(), page: "captures", address: "" }),
  a: () => go({ ...currentView(), page: "agents", address: "" }),
  v: views.toggle,
  g: () => {
    const view = currentView();
    if (view.page === "hosts") go({ ...view, group: view.group === "none" ? "activity" : "none" });
  },
});
void show();
