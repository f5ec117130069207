import type { SocketAddress } from 'raw-epoll';

/** Tells that clients can come now, and how. */
export function announceHttp(address: SocketAddress, target: string): void {
  if ('path' in address) {
    const curl = `curl --unix-socket ${address.path} http://localhost${target}`;
    console.log(`listening on ${address.path}\ntry: ${curl}`);
  } else {
    const authority = authorityOf(address);
    console.log(`listening on ${authority}\ntry: curl http://${authority}${target}`);
  }
}

/** As it stands in a URL. */
export function authorityOf(address: SocketAddress): string {
  if ('path' in address) return address.path;
  const { address: host, port } = address;
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
