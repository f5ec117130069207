/** Memory that changes its size, which the types of ES2023 do not know yet. */

/** An ArrayBuffer made with `maxByteLength`. */
export type ResizableArrayBuffer = ArrayBuffer & { readonly resize: (length: number) => void };

interface WasmMemory {
  readonly buffer: ArrayBuffer;
  readonly grow: (pages: number) => number;
}

const { WebAssembly } = globalThis as unknown as {
  WebAssembly: { Memory: new (limits: { initial: number }) => WasmMemory };
};

/** Memory that can be resized, up to four times its length. */
export function resizableMemory(length: number): ResizableArrayBuffer {
  const Resizable = ArrayBuffer as unknown as new (
    length: number,
    options: { maxByteLength: number },
  ) => ResizableArrayBuffer;
  return new Resizable(length, { maxByteLength: 4 * length });
}

/** Shared memory that can grow, up to four times its length. */
export function growableMemory(length: number): SharedArrayBuffer {
  const Growable = SharedArrayBuffer as unknown as new (
    length: number,
    options: { maxByteLength: number },
  ) => SharedArrayBuffer;
  return new Growable(length, { maxByteLength: 4 * length });
}

/** A page of the memory of a WebAssembly module. To grow it detaches its buffer. */
export function wasmMemory(): WasmMemory {
  return new WebAssembly.Memory({ initial: 1 });
}

/** Takes the memory away from under all its views. */
export function detach(memory: ArrayBufferLike): void {
  structuredClone(memory, { transfer: [memory as ArrayBuffer] });
}
