import { once } from 'node:events';
import type { Readable } from 'node:stream';

/**
 * All that a stream brings until it ends. Leaves a socket open for writing, where
 * `node:stream/consumers` destroys it.
 */
export async function readAll(stream: Readable): Promise<string> {
  const pieces: Buffer[] = [];
  stream.on('data', (piece: Buffer) => pieces.push(piece));
  await once(stream, 'end');
  return Buffer.concat(pieces).toString();
}
