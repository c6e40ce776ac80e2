/** What the system said about a file, in words: `no such file`, not `ENOENT`. */
const words: Readonly<Record<string, string>> = {
  ENOENT: "no such file or folder",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EISDIR: "is a folder, expected a file",
  ENOTDIR: "a part of the path is a file, expected a folder",
  ENOSPC: "no space left on the disk",
  EROFS: "the file system is read-only",
  ENAMETOOLONG: "the name is too long",
  ELOOP: "too many symbolic links",
  EMFILE: "too many open files",
};

/** One phrase for an error that a file operation threw. */
export function describeFileError(error: unknown): string {
  const code = errorCode(error);
  return words[code] ?? (error instanceof Error ? error.message : String(error));
}

/** `ENOENT` and the like; an empty text if the error has no code. */
export function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}
