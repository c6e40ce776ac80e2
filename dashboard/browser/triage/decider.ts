/** Who decides: as the server knows by token or proxy, and then nobody else's name will do; otherwise as people say. */
import type { Person } from "../../security/person.ts";

const key = "tattle-who";
let person: Person | undefined;

/** What the server says of whoever uses this page. */
export function setPerson(asked: Person): void {
  person = asked;
}

/** Whether the server knows by itself who decides. */
export function isNameKnown(): boolean {
  return person?.isKnown === true;
}

export function mayDecide(): boolean {
  return person?.role !== "viewer";
}

/** Where nobody has said yet, the user that the server runs as. */
export function rememberedName(): string {
  const known = person?.name ?? "";
  return isNameKnown() ? known : (localStorage.getItem(key) ?? known);
}

export function rememberName(name: string): void {
  localStorage.setItem(key, name);
}
