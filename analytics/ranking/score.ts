/** The score's last step: log-odds to points and bands (docs/explanation/ranking.md). */
import type { Band, ScoreTerm } from "../store.ts";

/** Bands begin at these scores; analysts know them from other products. */
const bands: readonly (readonly [Band, number])[] = [
  ["critical", 90],
  ["high", 70],
  ["moderate", 40],
  ["low", 20],
];

export function bandOf(score: number): Band {
  return bands.find(([, least]) => score >= least)?.[0] ?? "minimal";
}

/** 0 to 100. */
export function scoreOf(logOdds: number): number {
  return 100 / (1 + Math.exp(-logOdds));
}

/** The waterfall: each term's points are what it adds in this order, so they sum to the score. */
export function waterfall(terms: readonly Omit<ScoreTerm, "points">[]): ScoreTerm[] {
  let logOdds = 0;
  let reached = 0;
  return terms.map((term) => {
    logOdds += term.logOdds;
    const score = scoreOf(logOdds);
    const points = score - reached;
    reached = score;
    return { ...term, points };
  });
}
