/**
 * A made-up network for judging rankings: hosts, what happens on them, what a detector and an operator notice of it, and
 * the flows that follow. What is assumed stands in `World`, with the reason; nothing here knows the formula of the
 * ranking, and nothing was changed after results were seen.
 */
import { severities } from "../../wire/code-book.ts";
import type { CodeBook, Severity } from "../../wire/code-book.ts";
import { Chance } from "./chance.ts";

export interface World {
  readonly hosts: number;
  /** Hours that are simulated. */
  readonly hours: number;
  /** Incidents a host and day: few hosts have one, some have several. */
  readonly incidentsPerDay: number;
  /** Share of detections behind which there is nothing: they mark the host, and no harm follows. */
  readonly falseAlarms: number;
  /** Median flows an hour by which a real incident does harm; they spread over orders of magnitude. */
  readonly harmfulFlows: number;
  /** Mean hours of activity, and of silence after it; 0 hours of silence is a steady stream. */
  readonly activeHours: number;
  readonly silentHours: number;
  /** Share of detected hosts whose traffic an operator stops, and the mean hours until it is done. */
  readonly contained: number;
  readonly hoursToContain: number;
  /** Mean hours from a detection to its cleaning, which ends the mark too. */
  readonly hoursToClean: number;
  /** Share of flows that a sensor sees. */
  readonly seen: number;
}

export const usualWorld: World = {
  hosts: 240,
  hours: 48,
  incidentsPerDay: 0.3,
  falseAlarms: 0.3,
  harmfulFlows: 8,
  activeHours: 3,
  silentHours: 3,
  contained: 0.4,
  hoursToContain: 3,
  hoursToClean: 18,
  seen: 0.8,
};

/** Points that Elastic gives alerts of a severity: as harm, too, so that no measure of ours decides. */
export const severityPoints: Readonly<Record<Severity, number>> = {
  info: 5,
  low: 21,
  medium: 47,
  high: 73,
  critical: 99,
};

/** 2026-03-02T00:00:00Z, a Monday. */
export const worldStart = 1_772_409_600;

export interface Incident {
  /** Seconds since 1970; whole. */
  readonly detectedAt: number;
  readonly cleanedAt: number;
  readonly category: number;
  readonly activity: number;
  readonly severity: Severity;
}

export interface Flow {
  /** Seconds since 1970; whole. */
  readonly time: number;
  readonly peer: number;
  /** Answered, and octets acknowledged. */
  readonly passed: boolean;
  readonly stopped: boolean;
  readonly seen: boolean;
  /** Points of harm if it passes; 0 of harmless traffic. */
  readonly harm: number;
}

export interface SimulatedHost {
  /** 0.5, 1 or 2. */
  readonly weight: number;
  readonly incidents: readonly Incident[];
  /** In order of time. */
  readonly flows: readonly Flow[];
}

const hour = 3600;

interface Stretch {
  readonly from: number;
  readonly to: number;
}

const isWithin = (stretches: readonly Stretch[], time: number): boolean =>
  stretches.some(({ from, to }) => time >= from && time < to);

export function simulateHosts(world: World, book: CodeBook, seed: number): SimulatedHost[] {
  const chance = new Chance(seed);
  return Array.from({ length: world.hosts }, () => simulateHost(world, book, chance));
}

function simulateHost(world: World, book: CodeBook, chance: Chance): SimulatedHost {
  const end = worldStart + world.hours * hour;
  const weight = chance.pick([0.5, 1, 1, 1, 2]);
  const isServer = chance.happens(0.3);
  const flows = usualFlows(world, chance, isServer);
  const incidents: Incident[] = [];
  const stops: Stretch[] = [];
  for (let left = chance.count((world.incidentsPerDay * world.hours) / 24); left > 0; left--) {
    const began = worldStart + chance.fraction() * (end - worldStart);
    const incident = detect(world, book, chance, began);
    incidents.push(incident);
    if (!chance.happens(world.falseAlarms)) flows.push(...harmfulFlows(world, chance, began, incident));
    if (chance.happens(world.contained)) {
      const from = incident.detectedAt + chance.wait(world.hoursToContain) * hour;
      stops.push({ from, to: incident.cleanedAt });
    }
  }
  // What stops a host's marked traffic stops the harmless part of it, too; a little finds another way.
  const settled = flows
    .filter((flow) => flow.time < end)
    .map((flow) =>
      isWithin(stops, flow.time) && chance.happens(0.95) ? { ...flow, stopped: true, passed: false } : flow,
    );
  return { weight, incidents, flows: settled.toSorted((one, other) => one.time - other.time) };
}

function detect(world: World, book: CodeBook, chance: Chance, began: number): Incident {
  const category = chance.pick(book.categories);
  const activity = chance.pick(category.activities);
  const detectedAt = Math.round(began + chance.wait(1) * hour);
  const cleanedAt = detectedAt + chance.wait(world.hoursToClean) * hour;
  const { severity } = activity;
  return { detectedAt, cleanedAt, category: category.code, activity: activity.code, severity };
}

/** Mail, updates, browsing: more by day for people, always for servers. */
function usualFlows(world: World, chance: Chance, isServer: boolean): Flow[] {
  const perHour = chance.spread(6, 1);
  const pool = 5 + Math.floor(chance.fraction() * 200);
  const flows: Flow[] = [];
  for (let number = 0; number < world.hours; number++) {
    const isDay = number % 24 >= 8 && number % 24 < 18;
    const share = isServer || isDay ? 1 : 0.15;
    for (let left = chance.count(perHour * share); left > 0; left--)
      flows.push(flowAt(world, chance, worldStart + number * hour, hour, pool, 0));
  }
  return flows;
}

/** From the incident's beginning, seen by the detector or not, until it is cleaned: active, silent, active. */
function harmfulFlows(world: World, chance: Chance, began: number, incident: Incident): Flow[] {
  const perHour = chance.spread(world.harmfulFlows, 1.2);
  const pool = 20 + Math.floor(chance.fraction() * 2000);
  const harm = severityPoints[incident.severity];
  const end = Math.min(incident.cleanedAt, worldStart + world.hours * hour);
  const flows: Flow[] = [];
  for (let at = began; at < end; at += chance.wait(world.silentHours) * hour) {
    const until = Math.min(end, at + chance.wait(world.activeHours) * hour);
    for (let left = chance.count(perHour * ((until - at) / hour)); left > 0; left--)
      flows.push(flowAt(world, chance, at, until - at, pool, harm));
    at = until;
  }
  return flows;
}

function flowAt(
  world: World,
  chance: Chance,
  from: number,
  seconds: number,
  pool: number,
  harm: number,
): Flow {
  return {
    time: Math.floor(from + chance.fraction() * seconds),
    // Few peers get most of the flows.
    peer: Math.floor(pool * chance.fraction() ** 3),
    passed: chance.happens(0.9),
    stopped: false,
    seen: chance.happens(world.seen),
    harm,
  };
}

/** The incidents whose records the host's packets carry at that time. */
export function carriedAt(host: SimulatedHost, time: number): Incident[] {
  return host.incidents.filter(({ detectedAt, cleanedAt }) => detectedAt <= time && time < cleanedAt);
}

export function gravest(incidents: readonly Incident[]): Severity {
  return severities[Math.max(0, ...incidents.map(({ severity }) => severities.indexOf(severity)))] ?? "info";
}

/** What is at stake in `(after, until]`: points of the harmful flows that pass, times the host's weight. */
export function harmBetween(host: SimulatedHost, after: number, until: number): number {
  const flows = host.flows.filter((flow) => flow.passed && flow.time > after && flow.time <= until);
  return host.weight * flows.reduce((sum, flow) => sum + flow.harm, 0);
}
