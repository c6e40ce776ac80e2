/** Asks how hosts stand from now on, why, and who says so. */
import { longestNote, longestWho, triageStates } from "../../../analytics/triage/triage.ts";
import type { TriageSelection, TriageState } from "../../../analytics/triage/triage.ts";
import { postDecision } from "../api-client.ts";
import { h } from "../element.ts";
import { formatPlural } from "../number-text.ts";
import { problemOf } from "../problem.ts";
import { isNameKnown, mayDecide, rememberedName, rememberName } from "./decider.ts";
import { noticeDecision } from "./notice.ts";
import { stateNames } from "./states.ts";

export interface DecisionFormOptions {
  /** Tells the fields of several forms apart. */
  readonly id: string;
  readonly hosts: TriageSelection;
  readonly count: number;
  /** The state that is chosen at first. */
  readonly state: TriageState;
  /** After the server took the decision. */
  readonly onDecided: () => void;
}

export function decisionForm({ id, hosts, count, state, onDecided }: DecisionFormOptions): HTMLFormElement {
  if (!mayDecide()) {
    return h("form", { class: "decision" }, h("p", {}, "You look on as a viewer; analysts decide."));
  }
  const states = h(
    "select",
    { id: `${id}-state` },
    triageStates.map((each) => h("option", { value: each, selected: each === state }, stateNames[each])),
  );
  const note = h("input", { id: `${id}-note`, type: "text", maxlength: longestNote, autocomplete: "off" });
  const name = h("input", {
    id: `${id}-who`,
    type: "text",
    maxlength: longestWho,
    required: true,
    readonly: isNameKnown(),
    autocomplete: "nickname",
    value: rememberedName(),
  });
  const submit = h(
    "button",
    { type: "submit", class: "button primary" },
    count === 1 ? "Decide" : `Decide about ${formatPlural(count, "host")}`,
  );
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const decide = async (): Promise<void> => {
    const chosen = triageStates.find((each) => each === states.value) ?? "new";
    const [who, why] = [name.value.trim(), note.value.trim()];
    rememberName(who);
    const report = await postDecision({ hosts, state: chosen, who, ...(why === "" ? {} : { note: why }) });
    noticeDecision(`${formatPlural(report.hosts, "host")}: ${stateNames[chosen]}`, report, onDecided);
    onDecided();
  };
  const form = h(
    "form",
    { class: "decision" },
    field("State", states),
    field("Note", note),
    field("Your name", name),
    submit,
    problem,
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit.disabled = true;
    decide().catch((error: unknown) => {
      submit.disabled = false;
      problem.hidden = false;
      problem.textContent = problemOf(error);
    });
  });
  return form;
}

function field(label: string, input: HTMLElement): HTMLElement {
  return h("label", { class: "field", for: input.id }, h("span", {}, label), input);
}
