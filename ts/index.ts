/**
 * raw-epoll: readiness made explicit.
 *
 * Level 2: owned descriptors, `Epoll` and `Kqueue`; errors thrown, stale events filtered. Level 3:
 * `Poller`, one interface over epoll, kqueue, poll and select. Level 4: `Loop`, with handlers, timers,
 * signals, scopes and connections; beside it what goes from thread to thread. The system calls
 * themselves are in `raw-epoll/sys`, the kernel's numbers in `raw-epoll/constants`.
 *
 * @packageDocumentation
 */

// 1. The set, its batch of events, and what ends a wait.
export { Epoll } from './epoll/epoll.js';
export type { EpollOptions } from './epoll/epoll.js';
export { EpollEvents } from './epoll/epoll-events.js';
export type { EpollEvent } from './epoll/epoll-events.js';
export { EventBatch } from './set/event-batch.js';
export type { Registration } from './set/registration-table.js';
export type { SpinOptions } from './epoll/spin.js';
export type { TurnsOptions } from './epoll/turns.js';
export { Waker } from './epoll/waker.js';

// 2. Descriptors with one owner.
export type { FdLike, HasFd } from './descriptor/fd-like.js';
export { OwnedDescriptor, WOULD_BLOCK } from './descriptor/owned-descriptor.js';
export { Listener } from './descriptor/listener.js';
export type { ListenerOptions } from './descriptor/listener.js';
export { Socket } from './descriptor/socket.js';
export { Stream } from './descriptor/stream.js';
export type { ShutdownHow, ToNetSocketOptions } from './descriptor/stream.js';
export { inheritedDescriptors } from './descriptor/inherited-descriptors.js';
export type {
  InheritedDescriptor,
  InheritedDescriptorsOptions,
} from './descriptor/inherited-descriptors.js';
export type { FromNetSocket } from './descriptor/from-node.js';
export { TcpListener, TcpStream } from './descriptor/tcp.js';
export type { KeepAliveOptions, TcpConnectOptions, TcpListenOptions } from './descriptor/tcp.js';
export type { TcpInfo, TcpState } from './descriptor/tcp-info.js';
export { UnixListener, UnixStream } from './descriptor/unix.js';
export { ReceivedDescriptor } from './descriptor/received-descriptor.js';
export type { ReceivedMessage } from './descriptor/descriptor-passing.js';
export type { UnixListenOptions } from './descriptor/unix.js';
export { DatagramBatch } from './descriptor/datagram-batch.js';
export { DatagramSocket } from './descriptor/datagram-socket.js';
export { UdpSocket } from './descriptor/udp.js';
export type { UdpBindOptions, UdpConnectOptions } from './descriptor/udp.js';
export { UnixDatagram } from './descriptor/unix-datagram.js';
export type { UnixDatagramBindOptions } from './descriptor/unix-datagram.js';
export { Pipe } from './descriptor/pipe.js';
export type { PipePair } from './descriptor/pipe.js';
export { EventFd } from './descriptor/event-fd.js';
export type { EventFdOptions } from './descriptor/event-fd.js';
export { TimerFd } from './descriptor/timer-fd.js';
export type { TimerClock, TimerSetting } from './descriptor/timer-fd.js';
export { Pidfd } from './descriptor/pidfd.js';
export { Inotify, inotifyEvents } from './descriptor/inotify.js';
export type { InotifyEvent } from './descriptor/inotify.js';
export { trackDescriptors } from './descriptor/leak-detector.js';

export { Kqueue } from './kqueue/kqueue.js';
export type { KqueueChange } from './kqueue/kqueue.js';
export { KqueueEvents } from './kqueue/kqueue-events.js';
export type { KqueueEvent } from './kqueue/kqueue-events.js';
export type { KnoteRegistration } from './kqueue/knote-table.js';

// 3. One interface over every backend.
export { Poller } from './poller/poller.js';
export type {
  BackendName,
  PollerOptions,
  PollerRegisterOptions,
  PollerRegistration,
} from './poller/poller.js';
export type { PollerSupports } from './poller/backend.js';
export { PRIORITY, READABLE, WRITABLE } from './poller/conditions.js';
export type { PollerMode } from './poller/conditions.js';
export { PollerEvents } from './poller/poller-events.js';
export type { PollerEvent } from './poller/poller-events.js';

// 4. Handlers, timers, deferred calls and connections around it.
export { Loop } from './loop/loop.js';
export type { DeferOptions, LoopOptions, RunAsyncOptions } from './loop/loop.js';
export { LoopRegistration, Ready } from './loop/registration.js';
export type { LoopRegisterOptions, ReadyHandler } from './loop/registration.js';
export { SignalWatch } from './loop/signals.js';
export type { SignalHandler, SignalOptions } from './loop/signals.js';
export { Timer } from './loop/timers.js';
export type { TimerOptions } from './loop/timers.js';
export { Hold, Scope } from './loop/scope.js';
export type { ScopeOptions } from './loop/scope.js';
export type { OwnOptions } from './loop/owned.js';
export type { ByteCount, LoopEntry } from './loop/entries.js';
export type { KeepAlive } from './loop/member.js';
export { Shutdown } from './loop/shutdown.js';
export type { ShutdownOptions } from './loop/shutdown.js';
export { drain } from './loop/drain.js';
export type { DrainOptions, DrainResult } from './loop/drain.js';
export { Connection } from './loop/connection.js';
export type { ConnectionHandlers, ConnectionOptions } from './loop/connection.js';
export { BufferPool } from './loop/buffer-pool.js';
export type { BufferPoolOptions } from './loop/buffer-pool.js';

// 5. Connecting by name.
export { connect, connectAsync } from './connect/connect.js';
export type { ConnectCallback, ConnectOptions } from './connect/connect.js';
export type { Lookup, LookupAnswer } from './connect/lookup.js';
export { Resolver } from './connect/resolver.js';
export { listenLocalhost } from './connect/listen-localhost.js';

// 6. Channels between threads, each end a descriptor.
export { ByteChannel, ByteReceiver, ByteSender } from './channel/byte-channel.js';
export type { ByteChannelEnds } from './channel/byte-channel.js';
export { Channel, Receiver, Sender } from './channel/channel.js';
export type { ChannelEnds } from './channel/channel.js';
export { ChannelEnd } from './channel/channel-end.js';
export type { ChannelEndKind, ChannelOptions, SharedEnd } from './channel/channel-end.js';
export { CHANNEL_END, ReceivingEnd } from './channel/receiving-end.js';
export { SendingEnd } from './channel/sending-end.js';
export type { WaitOptions, WaitSyncOptions } from './channel/wait-options.js';

// 7. A loop for each core.
export { LoopGroup } from './group/loop-group.js';
export type { GroupReport } from './group/loop-group.js';
export type { FailurePolicy, GroupShutdownOptions, LoopGroupOptions } from './group/options.js';
export { GroupMember } from './group/group-member.js';
export type { MemberEnd, MemberReport, MemberState } from './group/group-member.js';
export { joinGroup, Membership } from './group/membership.js';

// 8. What goes wrong.
export { SystemError } from './errors.js';
export type { CodedError, SystemErrorDetails } from './errors.js';
export type { Credentials, SocketAddress, SocketAddressOut, TimerValueOut } from './sys/index.js';
