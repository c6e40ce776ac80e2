/** A picture as plain values: the page makes elements of it (browser/charts), `tattle network` a file. */
import { visible } from "../browser/visible.ts";

export interface SvgNode {
  readonly tag: "svg" | "g" | "path" | "rect" | "line" | "text" | "tspan" | "a" | "title" | "style";
  readonly attributes: Readonly<Record<string, string | number | undefined>>;
  readonly children: readonly (SvgNode | string)[];
}

export function node(
  tag: SvgNode["tag"],
  attributes: SvgNode["attributes"],
  ...children: readonly (SvgNode | string | undefined)[]
): SvgNode {
  return { tag, attributes, children: children.filter((child) => child !== undefined) };
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

/** The picture as the text of an SVG file. Names of hosts are hostile text: they are escaped, and nothing in them is hidden. */
export function svgText(root: SvgNode): string {
  const attributes = { xmlns: "http://www.w3.org/2000/svg", ...root.attributes };
  return `${markup({ ...root, attributes })}\n`;
}

function markup({ tag, attributes, children }: SvgNode): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}="${escape(String(value))}"`)
    .join("");
  const content = children
    .map((child) => (typeof child === "string" ? escape(child) : markup(child)))
    .join("");
  return content === "" ? `<${tag}${written}/>` : `<${tag}${written}>${content}</${tag}>`;
}

function escape(text: string): string {
  return visible(text).replace(/[&<>"]/g, (character) => entities[character] ?? "");
}
