"""Echo on Python's selectors: the explicit loop, as the documentation of `selectors` shows it.

    python3 selectors_echo.py [--host 127.0.0.1] [--port 0] [--path FILE]

The same loop as the C server: level-triggered epoll, one recv and one send for each event, nothing
read while something waits to be sent. What differs in the work: each recv makes a bytes object.
"""

import argparse
import resource
import selectors
import socket

READ_SIZE = 64 * 1024
BACKLOG = 4096

selector = selectors.DefaultSelector()


def accept(listener, _data):
    while True:
        try:
            connection, _ = listener.accept()
        except BlockingIOError:
            return
        connection.setblocking(False)
        if connection.family == socket.AF_INET:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(connection, selectors.EVENT_READ, (echo, None))


def close(connection):
    selector.unregister(connection)
    connection.close()


def echo(connection, _data):
    try:
        received = connection.recv(READ_SIZE)
        if not received:
            close(connection)
            return
        try:
            sent = connection.send(received)
        except BlockingIOError:
            sent = 0
    except BlockingIOError:
        return
    except OSError:
        close(connection)
        return
    if sent < len(received):
        rest = memoryview(received)[sent:]
        selector.modify(connection, selectors.EVENT_WRITE, (flush, rest))


def flush(connection, rest):
    try:
        rest = rest[connection.send(rest):]
    except BlockingIOError:
        return
    except OSError:
        close(connection)
        return
    if rest:
        selector.modify(connection, selectors.EVENT_WRITE, (flush, rest))
    else:
        selector.modify(connection, selectors.EVENT_READ, (echo, None))


def listen(options):
    family = socket.AF_UNIX if options.path else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(options.path or (options.host, options.port))
    listener.listen(BACKLOG)
    listener.setblocking(False)
    return listener


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--path")
    options = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    listener = listen(options)
    selector.register(listener, selectors.EVENT_READ, (accept, None))
    where = options.path or "%s:%d" % listener.getsockname()
    print("listening on", where, flush=True)
    while True:
        for key, _ in selector.select():
            serve, data = key.data
            serve(key.fileobj, data)


main()
