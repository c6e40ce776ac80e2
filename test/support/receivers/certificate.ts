/** A certificate for localhost and 127.0.0.1 that vouches for itself, made by openssl for one test run. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface Certificate {
  readonly key: string;
  readonly cert: string;
  /** File of the certificate. */
  readonly path: string;
}

export function makeCertificate(folder: string): Certificate {
  const [key, path] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
  const options =
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost";
  const names = "subjectAltName=DNS:localhost,IP:127.0.0.1";
  execFileSync("openssl", [...options.split(" "), "-addext", names, "-keyout", key, "-out", path], {
    stdio: "pipe",
  });
  return { key: readFileSync(key, "utf8"), cert: readFileSync(path, "utf8"), path };
}
