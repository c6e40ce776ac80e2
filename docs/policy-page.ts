/** docs/reference/policy.md from the schema of policies. */
import { policyJsonSchema } from "../policy/policy-schema.ts";
import { formatSchema } from "./schema-page.ts";
import type { JsonSchema } from "./schema-page.ts";

/** The page. */
export function formatPolicyPage(): string {
  return `# Policies

<!-- Generated from policy/policy-schema.ts by \`npm run docs\`. -->

A policy says what happens to packets that carry a mark. \`tattle policy check\` checks a file, \`show\` prints it in words, and
\`explain\` says what it would do with a packet and why. The JSON schema is \`policy/policy.schema.json\`.

\`\`\`json
{
  "version": 1,
  "name": "leaks stay inside",
  "outside": ["wan0"],
  "trustedNetworks": ["198.51.100.0/24"],
  "neverBlock": ["10.0.0.5"],
  "stripAtEgress": true,
  "rules": [
    { "name": "fresh-leak", "category": ["leak"], "elapsed": { "lessThan": 86400 }, "direction": "outbound", "action": "drop", "notify": true },
    { "name": "critical", "severity": ["critical"], "trust": "established", "action": "reject", "notify": true }
  ]
}
\`\`\`

- A rule matches if **one and the same record** of the mark satisfies all its conditions. The first rule that matches decides.
- No rule matches: the packet passes, and is reported as \`default\`. So \`"rules": []\` only observes.
- A packet to a trusted network passes as it is, mark included (\`trusted-network\`). One from or to \`neverBlock\` is never
  dropped, rejected or altered (\`never-block\`).
- Elapsed time is counted on the clock of whoever enforces, in whole seconds, and renewed every 15 s. If the agent dies, conditions
  that age fail towards enforcement 60 s later: what they would let pass is dropped.
- \`drop\` forgets the packet. \`reject\` answers with a TCP reset. \`alter\` zeroes the payload and keeps the connection up; it works
  where packets leave by an outside interface, or arrive on one for this host, and drops elsewhere. \`strip\` removes the mark. A packet whose mark cannot be
  removed, because another option of the same kind would be damaged, is dropped (\`unstrippable\`).
- Marks of all versions are matched and removed: the paper's, those with \`exid\`, authenticated ones. One without
  records (there was no room, or the host says it is clean) meets no rule and is no event, but \`stripAtEgress\` removes it. Tags are
  looked at only for rules that ask for it: \`"trust": "verified"\` (the tag is right and of the last two minutes) and
  \`"invalid"\` (it is not: forged, replayed, or an address was rewritten on the way). They need \`markKeys\` in the agent's
  configuration. A mark without a tag, or with one of a key that is not there, is neither.
- While nothing checks tags, because somebody took the program away, a mark with a tag meets both conditions if the rule's action is
  \`drop\`, \`reject\`, \`alter\` or \`strip\`, and neither if it is \`accept\`. The agent puts the program back within a second.

${formatSchema(policyJsonSchema() as JsonSchema)}`;
}
