/**
 * The page and its files. Each is named here, so no path from a request ever reaches the disk. The page's own addresses
 * (`/hosts/10.0.3.25`, `/network`, `/captures`, `/agents`) all get the same document; its script reads the rest from the address.
 */
import { Router } from "express";

const files = ["main.js", "main.js.map", "style.css", "style.css.map", "favicon.svg"];
const pages = ["/", "/hosts/:address", "/network", "/captures", "/agents"];

/** `folder` holds index.html, style.css, favicon.svg and the bundle main.js. */
export function browserFiles(folder: string): Router {
  const router = Router();
  // Nothing is kept (headers.ts says no-store): files in a package all bear the same date, so a browser could not tell an
  // upgrade from what it has, and would mix old script and new API.
  const options = { root: folder, cacheControl: false };
  for (const file of files) {
    router.get(`/${file}`, (_request, response) => response.sendFile(file, options));
  }
  router.get(pages, (_request, response) => response.sendFile("index.html", options));
  return router;
}
