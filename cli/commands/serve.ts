/** `tattle serve`: the dashboard, and the owner of the database. */
import { readFileSync, statSync } from "node:fs";
import { isIP } from "node:net";
import { AgentTokenFile } from "../../dashboard/security/agent-tokens.ts";
import type { TrustedProxy } from "../../dashboard/security/identify.ts";
import { PeopleTokenFile } from "../../dashboard/security/people.ts";
import { roles } from "../../dashboard/security/person.ts";
import { agentTokenPath } from "../agent-token-file.ts";
import { CliError, exitCodes } from "../cli-error.ts";
import type { CommandLine } from "../command.ts";
import { listen, untilInterrupted } from "../dashboard-session.ts";
import { withOwnedEvidence } from "../evidence.ts";
import { describeFileError } from "../file-error.ts";
import { printable } from "../printable.ts";
import { peopleTokenPath } from "../people-token-file.ts";
import { readWholeNumber } from "../number-option.ts";
import type { Shell } from "../shell.ts";

const defaultPort = 8765;

export async function run(line: CommandLine, shell: Shell): Promise<number> {
  const port = readWholeNumber(line, "port", { minimum: 0, maximum: 65_535 }) ?? defaultPort;
  const host = line.value("host");
  const token = readToken(line.value("token-file"));
  const proxy = readProxy(line);
  const name = line.value("name");
  const tls = readCertificate(line.value("tls-cert"), line.value("tls-key"));
  await withOwnedEvidence(line, shell, async (store, codeBook, database) => {
    const agentTokens = new AgentTokenFile(agentTokenPath(database));
    const place = {
      port,
      token,
      agentTokens,
      people: new PeopleTokenFile(peopleTokenPath(database)),
      proxy,
      names: name === undefined ? [] : [name],
      insecureHttp: line.has("insecure-http"),
      ...(tls === undefined ? {} : { tls }),
      ...(host === undefined ? {} : { host }),
    };
    const dashboard = await listen(store, codeBook, place, shell);
    try {
      shell.out(`${dashboard.address}\n`);
      if (line.has("insecure-http"))
        shell.err("tattle: without TLS, whoever is on the way reads everything\n");
      shell.err(`serving ${database}; Ctrl-C ends\n`);
      await untilInterrupted(shell.signal, store);
    } finally {
      await dashboard.close();
    }
  });
  return exitCodes.done;
}

function readProxy(line: CommandLine): TrustedProxy | undefined {
  const address = line.value("trust-proxy");
  const header = line.value("trust-proxy-user");
  const role = roles.find((known) => known === line.value("trust-proxy-role"));
  if (address === undefined && header === undefined) {
    if (role !== undefined) throw new CliError("--trust-proxy-role goes with --trust-proxy");
    return undefined;
  }
  if (address === undefined || header === undefined)
    throw new CliError("--trust-proxy and --trust-proxy-user go together: from where, and in which header");
  if (isIP(address) === 0)
    throw new CliError(`--trust-proxy: expected an address, got ${printable(address)}`);
  if (!/^[A-Za-z0-9-]{1,60}$/.test(header))
    throw new CliError(`--trust-proxy-user: expected the name of a header, got ${printable(header)}`);
  return { addresses: [address], header: header.toLowerCase(), role: role ?? "viewer" };
}

function readToken(file: string | undefined): string | undefined {
  return file === undefined ? undefined : readText(file).trim();
}

function readCertificate(
  certFile: string | undefined,
  keyFile: string | undefined,
): { cert: string; key: string } | undefined {
  if (certFile === undefined && keyFile === undefined) return undefined;
  if (certFile === undefined) throw new CliError("--tls-key needs --tls-cert, the certificate for the key");
  if (keyFile === undefined) throw new CliError("--tls-cert needs --tls-key, the key of the certificate");
  const cert = readText(certFile);
  const key = readText(keyFile);
  // Whoever reads the key can be this server to everybody.
  const mode = statSync(keyFile).mode & 0o777;
  if (process.platform !== "win32" && (mode & 0o007) !== 0) {
    const shown = mode.toString(8).padStart(4, "0");
    throw new CliError(`${keyFile}: mode ${shown} lets anybody read the key; chmod o= ${keyFile}`);
  }
  return { cert, key };
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new CliError(`${file}: ${describeFileError(error)}`, exitCodes.usage, { cause: error });
  }
}
