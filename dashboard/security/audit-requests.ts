/** Notes who takes evidence out and who brings it in, before it happens: what breaks off was tried all the same. */
import type { Request, RequestHandler } from "express";
import type { AuditAction, AuditLog } from "../../analytics/audit/audit.ts";
import { personOf } from "./identify.ts";

/** Notes requests for whole files: packets, exports and uploads. `clock`: seconds since 1970. */
export function auditRequests(audit: AuditLog, clock: () => number): RequestHandler {
  return async (request, _response, next) => {
    const action = actionOf(request);
    if (action !== undefined) {
      const { name, role } = personOf(request);
      await audit.note({ who: name, role, action, subject: subjectOf(request) }, clock());
    }
    next();
  };
}

function actionOf({ method, path }: Request): AuditAction | undefined {
  if (method === "POST") return /^\/captures\/?$/i.test(path) ? "upload" : undefined;
  if (method !== "GET") return undefined;
  if (/^\/packets\/?$/i.test(path)) return "packets";
  return /^\/export\//i.test(path) ? "export" : undefined;
}

/** What was asked for: the part of the address behind the action. */
function subjectOf(request: Request): string {
  const { name } = request.query;
  if (request.method === "POST" && typeof name === "string") return name;
  return request.url.replace(/^\/(export\/)?/, "");
}
