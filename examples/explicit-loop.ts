// An echo server whose event loop you can see: `sys` has the system calls, under their own names.
// Try it:  node build/examples/explicit-loop.js 8080   and from elsewhere:  nc 127.0.0.1 8080
// Left to echo.ts: clients that read slowly, a full descriptor table, a graceful end.
import * as c from 'raw-epoll/constants';
import * as sys from 'raw-epoll/sys';

const address = { family: c.AF_INET, address: '127.0.0.1', port: Number(process.argv[2] ?? 8080) };
const listener = sys.socket(c.AF_INET, c.SOCK_STREAM | c.SOCK_NONBLOCK, 0);
sys.setsockopt(listener, c.SOL_SOCKET, c.SO_REUSEADDR, 1);
const error = sys.bind(listener, address) || sys.listen(listener, c.SOMAXCONN);
if (error < 0) throw new Error(sys.strerror(error));

const epfd = sys.epoll_create1(0);
sys.epoll_ctl(epfd, c.EPOLL_CTL_ADD, listener, c.EPOLLIN);
console.log(`listening on ${address.address}:${address.port}`);

const events = new sys.EpollEventArray(64);
const buffer = new Uint8Array(65536);
for (;;) {
  const n = sys.epoll_wait(epfd, events, 64, -1); // -EINTR after a signal: no events, wait again
  for (let i = 0; i < n; i++) {
    const fd = events.getDataLow(i);
    if (fd === listener) {
      const client = sys.accept4(listener, null, c.SOCK_NONBLOCK);
      if (client >= 0) sys.epoll_ctl(epfd, c.EPOLL_CTL_ADD, client, c.EPOLLIN);
    } else {
      const length = sys.recv(fd, buffer, 0, buffer.length, 0);
      if (length === -c.EAGAIN) continue;
      // The end of the stream, an error, or a client that does not read: here it is dropped.
      if (length <= 0 || sys.send(fd, buffer, 0, length, c.MSG_NOSIGNAL) < length) sys.close(fd);
    }
  }
}
