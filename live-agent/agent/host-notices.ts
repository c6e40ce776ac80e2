/** From events to notices: rules that say `notify` tell of hosts; the others only of contained hosts that get through. */
import type { Policy } from "../../policy/policy.ts";
import type { LoggedEvent } from "../events/nflog-events.ts";
import type { HostWatch, Observation } from "../notify/host-watch.ts";
import type { Notice } from "../notify/notice.ts";

export class HostNotices {
  readonly #watch: HostWatch;
  readonly #notifying: ReadonlySet<string>;
  readonly #report: (notice: Notice) => void;

  constructor(policy: Policy, watch: HostWatch, report: (notice: Notice) => void) {
    this.#watch = watch;
    this.#notifying = new Set(policy.rules.filter(({ notify }) => notify).map(({ name }) => name));
    this.#report = report;
  }

  take(event: LoggedEvent): void {
    // Most packets of a flood are lone; neither a lone packet nor a wrong tag ever notifies.
    if (event.trust === "lone" || event.trust === "invalid") return;
    const seen = observationOf(event);
    const notices = this.#notifying.has(event.rule ?? "")
      ? this.#watch.observe(seen)
      : this.#watch.judge(seen).filter(({ kind }) => kind === "blocked-but-seen");
    for (const notice of notices) this.#report(notice);
  }
}

function observationOf({ host, time, trust, detections, verdict, rule }: LoggedEvent): Observation {
  return {
    host,
    at: time,
    trust,
    records: detections,
    verdict,
    ...(rule === undefined ? {} : { rule }),
  };
}
