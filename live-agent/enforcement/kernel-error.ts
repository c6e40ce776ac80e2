/** Something that the kernel, or a program that speaks to it, refused; its own words are the cause. */
export class KernelError extends Error {
  constructor(message: string, words: string) {
    super(message, { cause: words.trim().slice(0, 2000) });
    this.name = "KernelError";
  }
}
