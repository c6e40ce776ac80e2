/** Whether the keys that rules about tags need can be read. A key is never shown. */
import { readReaderKeys } from "../../marker/reader-keys.ts";
import type { AgentConfig } from "../agent-config.ts";
import { describeError } from "../agent-log.ts";
import { ill, well } from "./finding.ts";
import type { Finding } from "./finding.ts";

export function examineKeys({ markKeys }: Pick<AgentConfig, "markKeys">): Finding[] {
  if (markKeys === undefined) return [];
  try {
    const { length } = readReaderKeys(markKeys);
    return [well("mark keys", `${markKeys}: ${length === 1 ? "1 key" : `${length} keys`}`)];
  } catch (error) {
    const mend = `chmod 600 ${markKeys}; tattle key new makes such a file (docs/how-to/mark-a-host.md)`;
    return [ill("mark keys", describeError(error), mend)];
  }
}
