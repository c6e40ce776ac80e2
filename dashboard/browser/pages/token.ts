/** Asks for the access token, where the server wants one. */
import { h } from "../element.ts";
import { storeToken, storedToken } from "../token.ts";

export function tokenForm(problem: string, onStored: () => void): HTMLElement {
  const input = h("input", {
    id: "token",
    type: "password",
    autocomplete: "current-password",
    "aria-label": "Access token",
    required: true,
  });
  return h(
    "form",
    {
      class: "panel nothing token-form",
      onsubmit: (event) => {
        event.preventDefault();
        storeToken(input.value.trim());
        onStored();
      },
    },
    h("h2", {}, "This dashboard asks for its access token"),
    h("p", {}, "Whoever started it knows the token. It is kept in this tab until the tab is closed."),
    storedToken() === "" ? undefined : h("p", { class: "problem", role: "alert" }, problem),
    h("div", { class: "token-row" }, input, h("button", { class: "button primary" }, "Continue")),
  );
}
