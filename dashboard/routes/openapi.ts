/** GET /api/openapi.json: the description of the API. */
import { Router } from "express";
import { openApiDocument } from "../openapi/document.ts";
import { parseNoQuery } from "../query.ts";

/** Mounted at /api. */
export function openApiRoute(): Router {
  const router = Router();
  let text: string | undefined;
  router.get("/openapi.json", (request, response) => {
    parseNoQuery(request.query);
    text ??= JSON.stringify(openApiDocument());
    response.type("json").send(text);
  });
  return router;
}
