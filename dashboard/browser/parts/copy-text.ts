/** Text to take elsewhere: shown whole, and copied by a button. */
import { h } from "../element.ts";

export function copyText(title: string, text: string, note?: string): HTMLElement {
  const code = h("code", { tabindex: 0, "aria-label": title }, text);
  const button = h("button", { type: "button", class: "button" }, "Copy");
  button.addEventListener("click", () => {
    void copy(text, code).then((isCopied) => {
      button.textContent = isCopied ? "Copied" : "Press Ctrl+C";
    });
  });
  return h(
    "div",
    { class: "copy-text" },
    h("p", { class: "copy-title" }, h("strong", {}, title), note === undefined ? undefined : ` ${note}`),
    h("div", { class: "copy-row" }, code, button),
  );
}

/** Without TLS beyond loopback, browsers give pages no clipboard: then the text is at least selected. */
async function copy(text: string, code: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    getSelection()?.selectAllChildren(code);
    return false;
  }
}
