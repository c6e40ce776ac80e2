/** Who decides: asked once, kept in this browser. The server believes it; tokens say who may ask at all. */
const key = "tattle-who";

/** Empty if nobody has said yet. */
export function rememberedName(): string {
  return localStorage.getItem(key) ?? "";
}

export function rememberName(name: string): void {
  localStorage.setItem(key, name);
}
