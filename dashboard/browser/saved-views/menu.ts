/** The menu of saved views: opens one, saves what is shown, gives one another name, removes one. */
import { isViewAddress, longestViewName } from "../../../analytics/saved-views/saved-views.ts";
import type { SavedView, ViewToSave } from "../../../analytics/saved-views/saved-views.ts";
import { longestWho } from "../../../analytics/triage/triage.ts";
import { ApiError, fetchSavedViews, postRemovedView, postSavedView } from "../api-client.ts";
import { h, replaceChildren } from "../element.ts";
import { formatTime } from "../time-text.ts";
import { isNameKnown, mayDecide, rememberedName, rememberName } from "../triage/decider.ts";
import { problemOf } from "../problem.ts";

export interface SavedViewsMenu {
  readonly element: HTMLElement;
  readonly toggle: () => void;
}

/** `address`: of what is shown. */
export function savedViewsMenu(address: () => string): SavedViewsMenu {
  const content = h("div", { class: "menu-content views-content" });
  const menu = h(
    "details",
    { class: "menu views-menu" },
    h("summary", { class: "button" }, "Views"),
    content,
  );
  const close = (): void => {
    menu.open = false;
    menu.querySelector("summary")?.focus();
  };
  const fill = async (said = ""): Promise<void> => {
    const { views } = await fetchSavedViews();
    replaceChildren(
      content,
      viewList(views, address(), again),
      mayDecide() ? form() : onlyLook(),
      line(said),
    );
    (content.querySelector<HTMLElement>("a[aria-current], a") ?? content.querySelector("input"))?.focus();
  };
  const again = (work: Promise<unknown>, done: string): void => {
    work.then(() => fill(done)).catch((error: unknown) => replaceLine(content, problemOf(error)));
  };
  const form = (): HTMLFormElement => saveForm(address, again, content);
  menu.addEventListener("toggle", () => {
    if (!menu.open) return content.replaceChildren();
    replaceChildren(content, h("p", { class: "note" }, "Asking …"));
    fill().catch((error: unknown) => replaceChildren(content, line(problemOf(error))));
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && menu.open) close();
  });
  menu.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest("a")) menu.open = false;
  });
  // A menu that somebody left is in the way.
  menu.addEventListener("focusout", (event) => {
    if (event.relatedTarget instanceof Node && !menu.contains(event.relatedTarget)) menu.open = false;
  });
  return {
    element: menu,
    toggle: () => {
      menu.open = !menu.open;
    },
  };
}

type Again = (work: Promise<unknown>, done: string) => void;

function viewList(views: readonly SavedView[], shown: string, again: Again): HTMLElement {
  if (views.length === 0) return h("p", { class: "note" }, "Nobody has saved a view yet.");
  const safe = views.filter((view) => isViewAddress(view.address));
  return h(
    "ul",
    {},
    safe.map((view) =>
      h(
        "li",
        { class: "saved-view" },
        h(
          "a",
          {
            class: "menu-item",
            href: view.address,
            "aria-current": view.address === shown ? "page" : undefined,
            title: `saved by ${view.who}, ${formatTime(view.savedAt)}`,
          },
          h("bdi", {}, view.name),
        ),
        mayDecide() ? changes(view, again) : undefined,
      ),
    ),
  );
}

function changes(view: SavedView, again: Again): HTMLElement[] {
  const button = (label: string, onclick: () => void): HTMLButtonElement =>
    h("button", { type: "button", class: "button", "aria-label": `${label} ${view.name}`, onclick }, label);
  const rename = button("Rename", () => {
    const name = h("input", {
      type: "text",
      "aria-label": `New name of ${view.name}`,
      value: view.name,
      maxlength: longestViewName,
      autocomplete: "off",
    });
    const submit = h("button", { type: "submit", class: "button primary" }, "Rename");
    const form = h("form", { class: "saved-view" }, name, submit);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const to = name.value.trim();
      const who = rememberedName() || view.who;
      again(
        postSavedView({ name: to, address: view.address, who, replaces: view.name }),
        `${view.name} is ${to} now.`,
      );
    });
    rename.closest("li")?.replaceChildren(form);
    name.select();
  });
  const remove = button("Remove", () => {
    if (remove.textContent === "Remove") {
      // A view is everybody's: one press too many must not take it away.
      remove.textContent = "Remove it?";
      return;
    }
    again(postRemovedView(view.name), `${view.name} is removed.`);
  });
  return [rename, remove];
}

function saveForm(address: () => string, again: Again, content: HTMLElement): HTMLFormElement {
  const field = (label: string, input: HTMLElement): HTMLElement =>
    h("label", { class: "field", for: input.id }, h("span", {}, label), input);
  const name = h("input", {
    id: "view-name",
    type: "text",
    required: true,
    maxlength: longestViewName,
    autocomplete: "off",
  });
  const who = h("input", {
    id: "view-who",
    type: "text",
    required: true,
    maxlength: longestWho,
    autocomplete: "nickname",
    value: rememberedName(),
  });
  const form = h(
    "form",
    { class: "decision" },
    field("Save what is shown as", name),
    isNameKnown() ? undefined : field("Your name", who),
    h("button", { type: "submit", class: "button primary" }, "Save"),
  );
  const save = async (replaces?: string): Promise<void> => {
    const view: ViewToSave = { name: name.value.trim(), address: address(), who: who.value.trim() };
    rememberName(view.who);
    await postSavedView(replaces === undefined ? view : { ...view, replaces });
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const saved = `Saved as ${name.value.trim()}.`;
    save().then(
      () => again(Promise.resolve(), saved),
      (error: unknown) => {
        const isTaken = error instanceof ApiError && error.status === 409 && /this name/.test(error.message);
        const replace = h("button", { type: "button", class: "button" }, "Put this in its place");
        replace.addEventListener("click", () => again(save(name.value.trim()), saved));
        replaceLine(content, problemOf(error), isTaken ? replace : undefined);
      },
    );
  });
  return form;
}

function onlyLook(): HTMLElement {
  return h("p", { class: "note" }, "You look on as a viewer; analysts save views.");
}

function line(text: string): HTMLElement {
  return h("p", { class: "views-line", role: "status" }, text);
}

function replaceLine(content: HTMLElement, text: string, button?: HTMLElement): void {
  const place = content.querySelector(".views-line") ?? content.appendChild(line(""));
  replaceChildren(place, text, " ", button);
}
