/** Which addresses a saved view may have: pages of the dashboard, and nothing else. */
import { expect, it } from "vitest";
import { isViewAddress } from "../../analytics/saved-views/saved-views.ts";

it.each([
  "/",
  "/?filter=a+b%20c&sort=peers",
  "/hosts/10.0.0.1?flows=octets",
  "/hosts/fe80::1",
  "/network?scale=time&protect=10.0.0.0/8,fd00::/8",
])("%s is one", (address) => expect(isViewAddress(address)).toBe(true));

it.each([
  "https://evil.example/",
  "//evil.example/",
  "/\\evil.example",
  "javascript:alert(1)",
  "",
  "network",
  "/api/captures",
  "/hosts/",
  "/hosts/../api",
  "/?a=<b>",
  '/?a="',
  "/#a",
  "/?a\n",
])("%j is none", (address) => expect(isViewAddress(address)).toBe(false));

it("is bounded", () => {
  expect(isViewAddress(`/?${"a".repeat(1498)}`)).toBe(true);
  expect(isViewAddress(`/?${"a".repeat(1499)}`)).toBe(false);
});
