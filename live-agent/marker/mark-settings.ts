/**
 * What the administrator of a marked host decides, as it stands in a JSON file. The kind is never chosen for them:
 * experimental kinds are shared by all experiments of a network (RFC 4727 section 1), so somebody must have decided.
 */
import * as z from "zod";
import { describeIssue } from "../../policy/policy-issue.ts";
import { defaultAuthenticatedExid } from "../../wire/authenticated-format.ts";
import { registeredLowExids, tcpMarkKinds } from "../../wire/mark-format.ts";

export class MarkSettingsError extends Error {
  constructor(file: string, path: string, problem: string) {
    super(`${file}: ${path === "" ? "" : `${path}: `}${problem}`);
    this.name = "MarkSettingsError";
  }
}

const absolutePath = z
  .string()
  .max(1000)
  .refine((path) => path.startsWith("/"), "expected a path that begins with /");

const interfaceName = z
  .string()
  .refine((name) => /^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$/.test(name), "expected the name of an interface");

/** Where programs say what they detected, and who may. */
const socketSettings = z.strictObject({
  path: absolutePath.max(107).default("/run/tattle-mark/mark.sock"),
  /** Name or number; its members may, besides root. */
  group: z.union([z.string().regex(/^[a-z_][a-z0-9_-]{0,31}$/), z.int().min(0)]).optional(),
  mode: z
    .string()
    .refine(
      (mode) => /^0?[0-6][0-6]0$/.test(mode),
      "expected an octal mode that lets nobody else in, as 0660",
    )
    .default("0660"),
  allow: z
    .array(z.enum(["add", "remove", "list"]))
    .min(1)
    .default(["add", "remove", "list"]),
});

export type SocketSettings = Readonly<z.infer<typeof socketSettings>>;

const settings = z.strictObject({
  /** TCP option kind that carries the mark. */
  kind: z.int().refine((kind) => tcpMarkKinds.includes(kind), `expected ${tcpMarkKinds.join(" or ")}`),
  /** Experiment identifier (RFC 6994), if readers are configured for it. */
  exid: z
    .int()
    .min(1)
    .max(0xffff)
    .refine((exid) => !registeredLowExids.includes(exid), "expected one that is not somebody else's")
    .optional(),
  /** cgroup2 folder whose processes are marked; by default the root: the whole host. */
  cgroup: absolutePath.optional(),
  /** Whether packets that stay on this host are marked, too. */
  loopback: z.boolean().default(false),
  /** File with the keys that sign this host's marks; without it they carry no tag. */
  keyFile: absolutePath.optional(),
  /** Experiment identifier of marks with a tag. */
  authenticatedExid: z.int().min(1).max(0xffff).default(defaultAuthenticatedExid),
  /** Interfaces at which packets without a socket are marked, too. */
  gapInterfaces: z.array(interfaceName).max(64).default([]),
  /** Absent: there is none. */
  socket: socketSettings.optional(),
  /** Folder of the state, which outlives reboots. */
  stateFolder: absolutePath.default("/var/lib/tattle"),
  /** Folder in a bpf file system, where program and map are found again. */
  pinFolder: absolutePath.default("/sys/fs/bpf/tattle"),
});

export type MarkSettings = Readonly<z.infer<typeof settings>>;

/**
 * The settings in `json`, as JSON.parse gave it; `file` stands in front of every error.
 * @throws MarkSettingsError
 */
export function parseMarkSettings(json: unknown, file: string): MarkSettings {
  const parsed = settings.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (!issue) throw new MarkSettingsError(file, "", "not settings of the marker");
  if (issue.code === "unrecognized_keys") {
    const keys = Object.keys(settings.shape).join(", ");
    throw new MarkSettingsError(file, "", `unknown key "${issue.keys[0] ?? ""}"; one of ${keys}`);
  }
  const { path, problem } = describeIssue(issue, json);
  throw new MarkSettingsError(file, path, problem);
}
