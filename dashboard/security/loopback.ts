/** Is this host name or address one that only this machine can reach (RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3)? */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}
