/** The access token of a dashboard beyond loopback, kept for this tab alone. */
const key = "tattle-token";

/** Empty if there is none. */
export function storedToken(): string {
  return sessionStorage.getItem(key) ?? "";
}

export function storeToken(token: string): void {
  sessionStorage.setItem(key, token);
}
