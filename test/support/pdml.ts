/** `tshark -T pdml` as a tree: every item of the packet details with its position in the frame. */
export interface PdmlItem {
  /** Filter name. */
  readonly name: string;
  /** Offset of its first octet in the frame. */
  readonly position: number;
  /** Octets it takes in the frame. */
  readonly size: number;
  readonly show: string;
  /** Its line in the packet details; empty if the line is `show`. */
  readonly title: string;
  readonly isHidden: boolean;
  readonly children: readonly PdmlItem[];
  /** The first child of that name. */
  child(name: string): PdmlItem | undefined;
}

/** The packets in order. Only what tshark writes is understood: tags and double-quoted attributes, no text between. */
export function parsePdml(text: string): PdmlItem[] {
  const packets: PdmlItem[] = [];
  const open: { children: PdmlItem[] }[] = [{ children: packets }];
  for (const [, closes, tag, attributes = "", empty] of text.matchAll(
    /<(\/?)(packet|proto|field)\b([^>]*?)(\/?)>/g,
  )) {
    if (closes === "/") {
      open.pop();
      continue;
    }
    const children: PdmlItem[] = [];
    open.at(-1)?.children.push(createItem(tag ?? "", attributes, children));
    if (empty !== "/") open.push({ children });
  }
  return packets;
}

function createItem(tag: string, text: string, children: readonly PdmlItem[]): PdmlItem {
  const attributes = new Map([...text.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]));
  return {
    name: attributes.get("name") ?? tag,
    position: Number(attributes.get("pos") ?? 0),
    size: Number(attributes.get("size") ?? 0),
    show: unescapeXml(attributes.get("show") ?? ""),
    title: unescapeXml(attributes.get("showname") ?? ""),
    isHidden: attributes.get("hide") === "yes",
    children,
    child: (name) => children.find((item) => item.name === name),
  };
}

function unescapeXml(text: string): string {
  const named: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', amp: "&" };
  return text.replaceAll(/&(lt|gt|quot|amp);/g, (_, name: string) => named[name] ?? "");
}

/** The item and everything below it, depth first. */
export function* allItems(item: PdmlItem): Generator<PdmlItem> {
  yield item;
  for (const child of item.children) yield* allItems(child);
}
