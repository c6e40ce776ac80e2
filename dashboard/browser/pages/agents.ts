/** Who enforces, and whether all is well there: every agent that was heard, its rules' counters and its alarms. */
import type { RankedHost, Unmarked } from "../../../analytics/store.ts";
import { unmarkedMeaning } from "../../../analytics/unmarked-meaning.ts";
import type { AgentsAnswer, AgentState } from "../../api.ts";
import { fetchAgents, fetchRanking } from "../api-client.ts";
import { h, replaceChildren } from "../element.ts";
import type { Child } from "../element.ts";
import { isBlockedButSeen } from "../hosts/blocked-but-seen.ts";
import { stateBadge, unmarkedBadge } from "../hosts/host-table.ts";
import { formatCount, formatOctets, formatPlural } from "../number-text.ts";
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
  const [answer, { asOf, asOfSource, hosts: unmarked }, { hosts: blocked }] = await Promise.all([
    fetchAgents(signal),
    fetchRanking({ ...view, sort: "last-seen", filter: "unmarked" }, 0, signal),
    fetchRanking({ ...view, sort: "last-seen", filter: "blocked" }, 0, signal),
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
      hostAlarms({ unmarked, blocked }, asOf, view),
      place,
    ),
  };
}

interface AlarmedHosts {
  readonly unmarked: readonly RankedHost[];
  readonly blocked: readonly RankedHost[];
}

interface HostAlarm {
  readonly host: RankedHost;
  readonly badge: Child;
  readonly what: Child;
}

/** What enforcement does not stop: hosts whose mark is gone, and such as pass beside what is stopped. */
function hostAlarms({ unmarked, blocked }: AlarmedHosts, asOf: number, view: View): HTMLElement | undefined {
  const alarms = [
    ...unmarked.flatMap((host): HostAlarm[] =>
      host.unmarked
        ? [{ host, badge: unmarkedBadge(host), what: describeUnmarked(host.unmarked, asOf) }]
        : [],
    ),
    ...blocked
      .filter(isBlockedButSeen)
      .map((host): HostAlarm => ({ host, badge: stateBadge(host), what: describeFlows(host) })),
  ];
  if (alarms.length === 0) return undefined;
  return panel(
    { id: "host-alarms", title: "Flagged hosts that get through", note: formatCount(alarms.length) },
    table<HostAlarm>(
      "Flagged hosts that get through",
      [
        { title: "Host", cell: ({ host }) => hostLink(host, view) },
        { title: "Alarm", cell: ({ badge }) => badge },
        { title: "What was seen", cell: ({ what }) => what },
      ],
      alarms,
    ),
    h("p", { class: "panel-text" }, h("strong", {}, "Now unmarked: "), unmarkedMeaning),
  );
}

function describeUnmarked({ since, lastSeen, packets }: Unmarked, asOf: number): Child {
  const count = `at least ${formatPlural(packets, "packet")} without a mark since `;
  return h("span", {}, count, absoluteTime(since), ", the last ", relativeTime(lastSeen, asOf));
}

function describeFlows({ flowsStopped, flowsPassed }: RankedHost): string {
  return `in the last hour ${formatPlural(flowsStopped, "flow")} stopped, and ${formatCount(flowsPassed)} passed`;
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
      { title: "Lag", cell: ({ heartbeat }) => lagOf(heartbeat), numeric: true },
      { title: "Drift", cell: ({ heartbeat }) => formatCount(heartbeat?.drift.count ?? 0), numeric: true },
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

/** How long the oldest event has waited that is not here yet. */
function lagOf(heartbeat: AgentState["heartbeat"]): string {
  return heartbeat === undefined ? "" : `${Math.round(heartbeat.lagSeconds)} s`;
}

function stateOf({ alarms }: AgentState): Child {
  if (alarms.length === 0) return h("span", { class: "state complete" }, "well");
  return alarms.map(({ kind, text }) =>
    h(
      "div",
      { class: "agent-alarm" },
      h("span", { class: "state partial" }, kind),
      " ",
      h("span", { class: "reason" }, h("bdi", {}, visible(text))),
    ),
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
