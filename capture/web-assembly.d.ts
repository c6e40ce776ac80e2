/** The part of WebAssembly that capture-buffer.ts uses; the compiler knows it only together with the browser's library. */
declare namespace WebAssembly {
  class Memory {
    constructor(descriptor: { readonly initial: number; readonly maximum?: number });
    readonly buffer: ArrayBuffer;
  }
}
