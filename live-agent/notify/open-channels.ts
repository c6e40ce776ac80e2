/** The channels that the settings name, opened: files with secrets are read, sockets are bound. */
import { hostname } from "node:os";
import { pid } from "node:process";
import type { Channel } from "./channel.ts";
import { IpMessenger } from "./ip-messenger.ts";
import type { IpMessengerWorld } from "./ip-messenger.ts";
import { Mail } from "./mail.ts";
import type { Subscription } from "./notifier.ts";
import { networksOf } from "./notify-settings.ts";
import type { ChannelSettings } from "./notify-settings.ts";
import { Sound } from "./sound.ts";
import { Syslog } from "./syslog.ts";
import { Wall } from "./wall.ts";
import { Webhook } from "./webhook.ts";

export interface ChannelWorld extends IpMessengerWorld {
  /** The content of a file. */
  readonly readText: (path: string) => string;
}

/**
 * Opens all of them or none.
 * @throws what reading a file or binding a socket throws.
 */
export async function openChannels(
  settings: readonly ChannelSettings[],
  world: ChannelWorld,
): Promise<Subscription[]> {
  const open: Subscription[] = [];
  try {
    for (const entry of settings) {
      open.push({ channel: await openChannel(entry, world), minimumSeverity: entry.minimumSeverity });
    }
    return open;
  } catch (error) {
    await closeChannels(open);
    throw error;
  }
}

export async function closeChannels(subscriptions: readonly Subscription[]): Promise<void> {
  await Promise.all(subscriptions.map(({ channel }) => channel.close()));
}

async function openChannel(entry: ChannelSettings, world: ChannelWorld): Promise<Channel> {
  const { name } = entry;
  switch (entry.type) {
    case "mail": {
      const { server, port, security, user, passwordFile, authoritiesFile, from, to, listId } = entry;
      const password = readSecret(passwordFile, world);
      return new Mail({
        name,
        server,
        port,
        security,
        from,
        to,
        listId,
        timeoutMs: entry.timeoutSeconds * 1000,
        ...(user === undefined ? {} : { user }),
        ...(password === undefined ? {} : { password }),
        ...authorities(authoritiesFile, world),
      });
    }
    case "webhook": {
      const secret = readSecret(entry.secretFile, world) ?? "";
      return new Webhook({ name, url: entry.url, secret, timeoutMs: entry.timeoutSeconds * 1000 }, world.now);
    }
    case "syslog": {
      const { transport, host, facility, enterprise, authoritiesFile } = entry;
      // IANA: syslog over UDP and, by habit, TCP; syslog over TLS (RFC 5425 section 4.1).
      const port = entry.port ?? (transport === "tls" ? 6514 : 514);
      return new Syslog(
        {
          name,
          transport,
          host,
          port,
          timeoutMs: entry.timeoutSeconds * 1000,
          ...authorities(authoritiesFile, world),
        },
        { facility, enterprise, hostname: hostname(), processId: pid },
      );
    }
    case "ip-messenger": {
      const { sender, verify, localAddress, localPort, port } = entry;
      const networks = networksOf(entry.networks);
      const reference = { retryMs: 750, attempts: 6, senderHost: hostname() };
      return IpMessenger.open(
        { name, sender, networks, verify, localAddress, localPort, port, ...reference },
        world,
      );
    }
    case "sound":
      return new Sound({ name, command: entry.command, timeoutMs: entry.timeoutSeconds * 1000 });
    case "wall":
      return new Wall({ name, command: entry.command, timeoutMs: entry.timeoutSeconds * 1000 });
  }
}

/** Editors end a file with a line feed that is no part of the secret. */
function readSecret(path: string | undefined, world: ChannelWorld): string | undefined {
  if (path === undefined) return undefined;
  const secret = world.readText(path).replace(/\r?\n$/, "");
  if (secret === "") throw new Error(`${path}: expected a secret, got an empty file`);
  return secret;
}

function authorities(path: string | undefined, world: ChannelWorld): { authorities?: string } {
  return path === undefined ? {} : { authorities: world.readText(path) };
}
