/** Headers of every answer: the page may run our script, use our style, ask our API, and nothing else. */
import type { RequestHandler } from "express";

/**
 * Content Security Policy level 3, with Trusted Types: no policy may be created, so every sink that turns text into
 * markup or script throws. Charts must not bring a style element along (browser/charts/figure.ts takes it out).
 */
export const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

export const setSecurityHeaders: RequestHandler = (_request, response, next) => {
  response.set({
    "Content-Security-Policy": contentSecurityPolicy,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "no-store",
  });
  next();
};
