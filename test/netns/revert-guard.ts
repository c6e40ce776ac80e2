/** The process that commit-confirm starts, for the tests: in the product it is a command. */
import { revertUnlessConfirmed } from "../../live-agent/enforcement/commit-confirm.ts";
import { runCommand } from "../../live-agent/enforcement/run-command.ts";

await revertUnlessConfirmed(process.argv.at(-1) ?? "", runCommand);
