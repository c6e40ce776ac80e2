/** Says that an answer takes long: what stands on the page meanwhile belongs to another address or time. */
import { h } from "../element.ts";

/** Most answers are there before; a word that only flickers up would be in the way. */
const patienceMs = 400;

export interface Waiting {
  readonly element: HTMLElement;
  /** `isEmpty`: nothing is on the page yet. */
  begin(isEmpty: boolean): void;
  end(): void;
}

export function createWaiting(): Waiting {
  const element = h("p", { class: "waiting-line", role: "status" });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const end = (): void => {
    clearTimeout(timer);
    element.textContent = "";
  };
  return {
    element,
    begin(isEmpty) {
      end();
      timer = setTimeout(() => {
        element.textContent = isEmpty
          ? "Waiting for the server."
          : "Waiting for the server. What stands here is what was asked for before.";
      }, patienceMs);
    },
    end,
  };
}
