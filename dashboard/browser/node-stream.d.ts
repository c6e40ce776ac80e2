/** analytics/store.ts names this type for captures that are ingested; the browser, which has no Node types, never sees one. */
declare module "node:stream" {
  export interface Readable {
    readonly readable: boolean;
  }
}
