/** Who enforces, and whether all is well there: every agent that was heard, its rules' counters and its alarms. */
import type { RankedHost } from "../../../analytics/store.ts";
import { unmarkedMeaning } from "../../../analytics/unmarked-meaning.ts";
import type { AgentsAnswer, AgentState } from "../../api.ts";
import { fetchAgents, fetchRanking } from "../api-client.ts";
import { h, replaceChildren } from "../element.ts";
import type { Child } from "../element.ts";
import { formatCount, formatOctets } from "../number-text.ts";
import { hostLink } from "../parts/host-link.ts";
import { panel } from "../parts/panel.ts";
import { table } from "../parts/table.ts";
import { absoluteTime, relativeTime } from "../parts/time.ts";
import { visible } from "../visible.ts";
import type { View } from "../view.ts";
import type { Page, PageContext } from "./page.ts";

/** As often as agents are heard. */
const refreshMs = 10_000;

export async function agentsPage({ view, signal }: PageContext): Promise<Page> {
  const [answer, { asOf, asOfSource, hosts }] = await Promise.all([
    fetchAgents(signal),
    fetchRanking({ ...view, sort: "last-seen", filter: "unmarked" }, 0, signal),
  ]);
  const place = h("div", { class: "agent-panels" }, agentPanels(answer));
  const refresh = async (): Promise<void> => {
    try {
      replaceChildren(place, agentPanels(await fetchAgents(signal)));
    } catch {
      // What is shown grows old, and says so by its times; the next look may succeed.
    }
  };
  const timer = setInterval(() => void refresh(), refreshMs);
  signal.addEventListener("abort", () => clearInterval(timer), { once: true });
  return {
    title: "Agents",
    asOf: { time: asOf, isAsked: asOfSource === "asked", source: asOfSource },
    content: h(
      "div",
      { class: "page" },
      h("div", { class: "page-head" }, h("h1", {}, "Agents")),
      unmarkedPanel(hosts, asOf, view),
      place,
    ),
  };
}

/** What no rule stops any more: rules see marks alone. */
function unmarkedPanel(hosts: readonly RankedHost[], asOf: number, view: View): HTMLElement | undefined {
  const alarmed = hosts.filter(({ unmarked }) => unmarked);
  if (alarmed.length === 0) return undefined;
  return panel(
    { id: "unmarked", title: "Flagged hosts now unmarked", note: "Rules no longer see what they send." },
    table<RankedHost>(
      "Flagged hosts now unmarked",
      [
        { title: "Host", cell: (host) => hostLink(host, view) },
        { title: "Since", cell: ({ unmarked }) => absoluteTime(unmarked?.since ?? 0) },
        { title: "Last seen", cell: ({ unmarked }) => relativeTime(unmarked?.lastSeen ?? 0, asOf) },
        { title: "Packets", cell: ({ unmarked }) => formatCount(unmarked?.packets ?? 0), numeric: true },
      ],
      alarmed,
    ),
    h("p", { class: "panel-text" }, unmarkedMeaning),
  );
}

function agentPanels({ agents, now }: AgentsAnswer): HTMLElement[] {
  if (agents.length === 0) {
    return [
      h(
        "div",
        { class: "panel nothing" },
        h("h2", {}, "No agent was heard"),
        h(
          "p",
          {},
          "tattle agents add NAME makes a token; tattle agent run, on a router or host, reports with it.",
        ),
      ),
    ];
  }
  return [
    panel({ id: "agents", title: "Heard", note: formatCount(agents.length) }, agentTable(agents, now)),
    ...agents.filter(({ heartbeat }) => (heartbeat?.counters.length ?? 0) > 0).map(counterPanel),
  ];
}

function agentTable(agents: readonly AgentState[], now: number): HTMLElement {
  return table<AgentState>(
    "Agents",
    [
      { title: "Agent", cell: (agent) => h("bdi", {}, nameOf(agent)) },
      { title: "State", cell: stateOf },
      { title: "Heard", cell: ({ heardAt }) => relativeTime(heardAt, now) },
      { title: "Token", cell: ({ token }) => token },
      { title: "Policy", cell: ({ heartbeat }) => h("bdi", {}, visible(heartbeat?.policy.name ?? "")) },
      { title: "Enforces on", cell: ({ heartbeat }) => placeOf(heartbeat) },
      { title: "Version", cell: ({ heartbeat }) => h("bdi", {}, visible(heartbeat?.version ?? "")) },
      { title: "Events", cell: ({ events }) => formatCount(events), numeric: true },
      { title: "In gaps", cell: ({ gapPackets }) => formatCount(gapPackets), numeric: true },
      { title: "Waiting", cell: ({ heartbeat }) => formatCount(heartbeat?.spooled ?? 0), numeric: true },
    ],
    agents,
  );
}

function nameOf({ heartbeat, agent }: AgentState): string {
  return visible(heartbeat?.hostName ?? agent);
}

function placeOf(heartbeat: AgentState["heartbeat"]): string {
  return heartbeat === undefined ? "" : `${heartbeat.hooks.join(", ")} (${heartbeat.backend})`;
}

function stateOf({ alarms }: AgentState): Child {
  if (alarms.length === 0) return h("span", { class: "state complete" }, "well");
  return h(
    "div",
    { class: "capture-state" },
    h("span", { class: "state partial" }, alarms[0]?.kind ?? ""),
    alarms.map(({ text }) => h("span", { class: "reason" }, h("bdi", {}, visible(text)))),
  );
}

function counterPanel(agent: AgentState): HTMLElement {
  const counters = agent.heartbeat?.counters ?? [];
  return panel(
    { id: `rules-${agent.agent}`, title: `Rules of ${nameOf(agent)}`, note: "as its kernel counts" },
    table(
      `Rules of ${nameOf(agent)}`,
      [
        { title: "Verdict", cell: ({ verdict }) => verdict },
        { title: "Rule", cell: ({ rule }) => h("bdi", {}, visible(rule)) },
        { title: "Packets", cell: ({ packets }) => formatCount(packets), numeric: true },
        { title: "Octets", cell: ({ octets }) => formatOctets(octets), numeric: true },
      ],
      counters,
    ),
  );
}
