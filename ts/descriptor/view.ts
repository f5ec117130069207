import { invalidArgType } from '../errors.js';

/**
 * The bytes of a view from `offset` on, for calls that take the rest of it unless told otherwise.
 * A detached view has none; a DataView throws where others answer 0.
 * @internal
 */
export function restOf(view: ArrayBufferView, offset: number): number {
  if (!ArrayBuffer.isView(view)) throw invalidArgType('buffer', 'TypedArray or DataView', view);
  try {
    return view.byteLength - offset;
  } catch {
    return 0;
  }
}

/**
 * The bytes of a view, as bytes. A detached view has none, nor has one that its buffer has shrunk
 * away from, as at level 1.
 * @internal
 */
export function bytesOf(view: unknown, name: string): Uint8Array {
  if (!ArrayBuffer.isView(view)) throw invalidArgType(name, 'TypedArray or DataView', view);
  try {
    return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  } catch {
    return new Uint8Array(0);
  }
}
