/** Whoever uses the dashboard, and what they may do. */

/** Each may do what those before it may: look and take out; decide and bring in; see who did what. */
export const roles = ["viewer", "analyst", "operator"] as const;
export type Role = (typeof roles)[number];

export interface Person {
  readonly name: string;
  readonly role: Role;
  /** Whether a token or a trusted proxy says so; otherwise it is whoever sits at this machine. */
  readonly isKnown: boolean;
}
