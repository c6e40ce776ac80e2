/** What installing and uninstalling the dissector came to, in lines for a person at a terminal. */
import type { Finding } from "./doctor.ts";
import type { ProfileOutcome } from "./profile-install.ts";
import { profileName } from "./profile.ts";
import type { InstallOutcome, InstallProblem, UninstallOutcome } from "./install.ts";

/** Whether the dissector is where it should be now. */
export function hasSucceeded(outcome: InstallOutcome | UninstallOutcome): boolean {
  return outcome.state === "installed" || outcome.state === "removed" || outcome.state === "absent";
}

/** Lines about an installation: what happened, then what to do. */
export function describeInstall(outcome: InstallOutcome): string[] {
  switch (outcome.state) {
    case "installed":
      return [
        `${outcome.replaced ? "replaced" : "installed"} ${outcome.path}`,
        `Wireshark ${outcome.version} lists it with ${outcome.fields} fields; restart Wireshark, or press Ctrl+Shift+L`,
        ...describeProfile(outcome.profile, "installed"),
        ...describeCopies(outcome.copies),
      ];
    case "not-loaded":
      return [
        `wrote ${outcome.path}, but Wireshark ${outcome.version} does not load it: ${outcome.reason}`,
        ...describeCopies(outcome.copies),
      ];
    case "root-runs-no-lua":
      return [
        `wrote ${outcome.path}, but Wireshark ${outcome.version} runs no user's Lua as root`,
        "install and use it as an ordinary user: run `tattle dissector install` as that user",
        ...(outcome.globalPlugins === undefined
          ? []
          : [`or, for every user and root too: cp "${outcome.path}" "${outcome.globalPlugins}/"`]),
      ];
    case "no-wireshark":
    case "no-lua":
    case "occupied":
    case "not-writable":
      return describeProblem(outcome);
  }
}

/** Lines about taking it away. */
export function describeUninstall(outcome: UninstallOutcome): string[] {
  switch (outcome.state) {
    case "removed":
      return [
        `removed ${outcome.path}`,
        ...describeProfile(outcome.profile, "removed"),
        ...describeCopies(outcome.copies),
      ];
    case "absent":
      return [
        `nothing to remove: no ${outcome.path}`,
        ...describeProfile(outcome.profile, "removed"),
        ...describeCopies(outcome.copies),
      ];
    case "no-wireshark":
    case "no-lua":
    case "occupied":
    case "not-writable":
      return describeProblem(outcome);
  }
}

function describeProblem(outcome: InstallProblem): string[] {
  switch (outcome.state) {
    case "no-wireshark":
      return outcome.tshark === undefined
        ? [
            "found no Wireshark: no tshark on PATH or where it is usually installed",
            "Debian and Ubuntu: apt-get install wireshark tshark; macOS: brew install --cask wireshark; Windows: wireshark.org",
          ]
        : [`${outcome.tshark}: not a tshark that runs`];
    case "no-lua":
      return [`Wireshark ${outcome.version} names no folder for Lua plugins: it was built without Lua`];
    case "occupied":
      return [`${outcome.path} is not a dissector of tattle; move it away first`];
    case "not-writable":
      return [`${outcome.path}: ${outcome.reason}`];
  }
}

function describeProfile(profile: ProfileOutcome | undefined, done: "installed" | "removed"): string[] {
  if (!profile) return [];
  if (profile.problem !== undefined) return [`the profile ${profileName} is not ${done}: ${profile.problem}`];
  const kept =
    profile.kept.length === 0 ? "" : `; left as they are, for they were changed: ${profile.kept.join(", ")}`;
  const hint = done === "installed" ? ": Edit > Configuration Profiles, or Wireshark 4.4 picks it" : "";
  return [`${done} the profile ${profileName} (columns, colours, filter buttons)${hint}${kept}`];
}

/** Lines about what `tattle dissector doctor` found. */
export function describeFindings(findings: readonly Finding[]): string[] {
  const signs = { good: "ok      ", note: "note    ", problem: "problem " };
  return findings.flatMap(({ kind, text, remedy }) => [
    `${signs[kind]} ${text}`,
    ...(remedy === undefined ? [] : [`         -> ${remedy}`]),
  ]);
}

function describeCopies(copies: readonly string[]): string[] {
  return copies.map((path) => `another copy is in ${path}; Wireshark loads only one of them: remove it`);
}
