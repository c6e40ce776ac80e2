/**
 * How many requests one sender may make: a bucket of tokens for each address, which fills again with time. Memory is bounded:
 * of too many senders, those that were quiet longest are forgotten, and their buckets are the fullest.
 */
import { isIPv6 } from "node:net";
import type { RequestHandler } from "express";
import { HttpError } from "../http-error.ts";
import { proxiedName } from "./identify.ts";
import type { TrustedProxy } from "./identify.ts";

export interface RateLimit {
  readonly perSecond: number;
  /** At once, after a pause. */
  readonly burst: number;
}

/** A page asks for ten things, so this is a person in a hurry, or twenty behind one address. */
export const usualRateLimit: RateLimit = { perSecond: 100, burst: 1000 };

interface Bucket {
  tokens: number;
  /** Seconds since 1970. */
  filledAt: number;
}

/** Senders that are remembered. */
const mostSenders = 10_000;

export class TokenBuckets {
  readonly #buckets = new Map<string, Bucket>();
  readonly #limit: RateLimit;
  readonly #most: number;

  constructor(limit: RateLimit, most = mostSenders) {
    this.#limit = limit;
    this.#most = most;
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** Takes one token: 0, or the seconds to wait until there is one. */
  take(sender: string, now: number): number {
    const { perSecond, burst } = this.#limit;
    const bucket = this.#buckets.get(sender) ?? { tokens: burst, filledAt: now };
    // A clock that was set back fills nothing, and takes nothing.
    const elapsed = Math.max(0, now - bucket.filledAt);
    bucket.tokens = Math.min(burst, bucket.tokens + elapsed * perSecond);
    bucket.filledAt = now;
    // Last in the map's order: the first one is the one that was quiet longest.
    this.#buckets.delete(sender);
    this.#buckets.set(sender, bucket);
    if (this.#buckets.size > this.#most) {
      for (const quietest of this.#buckets.keys()) {
        this.#buckets.delete(quietest);
        break;
      }
    }
    if (bucket.tokens < 1) return (1 - bucket.tokens) / perSecond;
    bucket.tokens -= 1;
    return 0;
  }
}

/** `seconds`: a clock that only runs on. Behind a trusted proxy each user is a sender. */
export function limitRate(
  limit: RateLimit,
  seconds: () => number,
  proxy: TrustedProxy | undefined,
): RequestHandler {
  const buckets = new TokenBuckets(limit);
  return (request, _response, next) => {
    const user = proxiedName(request, proxy);
    const sender = user === undefined ? senderOf(request.socket.remoteAddress ?? "") : `user ${user}`;
    const wait = buckets.take(sender, seconds());
    if (wait === 0) return next();
    throw new HttpError(429, "too many requests at once", { "Retry-After": String(Math.ceil(wait)) });
  };
}

/** Whoever has an IPv6 address has 2^64 of them (RFC 4291 section 2.5.1): the network counts. */
export function senderOf(address: string): string {
  if (!isIPv6(address) || address.startsWith("::ffff:")) return address;
  const [head = "", tail] = address.split("::");
  const groups = head.split(":").filter(Boolean);
  const behind = (tail ?? "").split(":").filter(Boolean);
  const zeros = Array.from({ length: Math.max(0, 8 - groups.length - behind.length) }, () => "0");
  return [...groups, ...zeros, ...behind].slice(0, 4).join(":");
}
