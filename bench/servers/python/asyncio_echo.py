"""Echo on Python's asyncio: a BufferedProtocol, the fastest of its interfaces.

    python3 asyncio_echo.py [--host 127.0.0.1] [--port 0] [--path FILE]

What differs in the work: what was read is copied once, because the transport keeps by itself what the
kernel did not take; reading pauses while more than its mark waits. asyncio sets TCP_NODELAY. (A plain
Protocol allocates 256 KiB for each read, which takes many times as long where mapping memory is dear.)
"""

import argparse
import asyncio
import resource

READ_SIZE = 64 * 1024
BACKLOG = 4096

# One for all connections: nothing is left in it from one event to the next.
buffer = memoryview(bytearray(READ_SIZE))


class Echo(asyncio.BufferedProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def get_buffer(self, _size):
        return buffer

    def buffer_updated(self, length):
        self.transport.write(bytes(buffer[:length]))

    def pause_writing(self):
        self.transport.pause_reading()

    def resume_writing(self):
        self.transport.resume_reading()


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--path")
    options = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    loop = asyncio.get_running_loop()
    if options.path:
        server = await loop.create_unix_server(Echo, options.path, backlog=BACKLOG)
        print("listening on", options.path, flush=True)
    else:
        server = await loop.create_server(Echo, options.host, options.port, backlog=BACKLOG)
        print("listening on %s:%d" % server.sockets[0].getsockname(), flush=True)
    await server.serve_forever()


asyncio.run(main())
