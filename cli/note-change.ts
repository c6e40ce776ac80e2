/** Who lets whom in, in the audit log of the database. */
import { userInfo } from "node:os";
import type { AuditAction } from "../analytics/audit/audit.ts";
import type { CommandLine } from "./command.ts";
import { withNewEvidence } from "./evidence.ts";
import type { Shell } from "./shell.ts";

export async function noteChange(
  line: CommandLine,
  shell: Shell,
  action: AuditAction,
  subject: string,
): Promise<void> {
  const event = { who: userInfo().username, role: "operator", action, subject };
  await withNewEvidence(line, shell, (store) => store.audit.note(event, shell.now()));
}
