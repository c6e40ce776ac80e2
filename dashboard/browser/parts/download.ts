/** A file to save. Where the dashboard asks for a token, a plain link would come without it, so the script fetches the file. */
import { ApiError } from "../api-client.ts";
import type { ErrorAnswer } from "../../api.ts";
import { h } from "../element.ts";
import { storedToken } from "../token.ts";

export function downloadLink(label: string, href: string, kind = "button"): HTMLAnchorElement {
  const link = h("a", { class: kind, href, download: true }, label);
  link.addEventListener("click", (event) => {
    if (storedToken() === "") return;
    event.preventDefault();
    void save(link, label);
  });
  return link;
}

async function save(link: HTMLAnchorElement, label: string): Promise<void> {
  link.textContent = `${label} …`;
  try {
    const response = await fetch(link.href, {
      headers: { Authorization: `Bearer ${storedToken()}` },
      cache: "no-store",
    });
    if (!response.ok) throw new ApiError(response.status, ((await response.json()) as ErrorAnswer).error);
    const name =
      /filename="([^"]+)"/.exec(response.headers.get("content-disposition") ?? "")?.[1] ?? "tattle";
    const address = URL.createObjectURL(await response.blob());
    h("a", { href: address, download: name }).click();
    // The browser has begun to save it when its turn is over.
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
    link.textContent = label;
  } catch (error) {
    link.textContent = `${label}: ${error instanceof Error ? error.message : String(error)}`;
  }
}
