/**
 * Echo on `Deno.listen`, an asynchronous function for each connection.
 *
 *     deno run --allow-net --allow-read --allow-write echo.js [--host 127.0.0.1] [--port 0] [--path FILE]
 *
 * What differs in the work: `read` and `write` are promises, and each connection has a buffer of its
 * own while it waits. Writing before the next read is the back pressure.
 */
/* global Deno */
import { parseArgs } from 'node:util';

const READ_SIZE = 64 * 1024;

const { values } = parseArgs({
  args: Deno.args,
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '0' },
    path: { type: 'string' },
  },
});

async function echo(connection) {
  const buffer = new Uint8Array(READ_SIZE);
  try {
    for (let length; (length = await connection.read(buffer)) !== null;) {
      for (let sent = 0; sent < length;) {
        sent += await connection.write(buffer.subarray(sent, length));
      }
    }
  } catch {
    // A client that resets its connection is not an event for the log.
  } finally {
    connection.close();
  }
}

const listener =
  values.path === undefined
    ? Deno.listen({ hostname: values.host, port: Number(values.port) })
    : Deno.listen({ transport: 'unix', path: values.path });
console.log(`listening on ${values.path ?? `${values.host}:${listener.addr.port}`}`);
for await (const connection of listener) {
  if (values.path === undefined) connection.setNoDelay(true);
  void echo(connection);
}
