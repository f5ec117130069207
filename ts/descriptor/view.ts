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
