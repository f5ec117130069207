/**
 * The constants of the system calls, the import `raw-epoll/constants`.
 *
 * The values come from the headers that the addon was compiled with, never from a table in
 * TypeScript. A constant that the platform lacks is 0 there; a few, such as `AF_UNSPEC` and
 * `O_RDONLY`, are 0 by nature. Where one may be lacking, look before use: a flag of 0 asks for
 * nothing, a command of 0 is another command, and the errno 0 is success.
 *
 * @module
 */

import { binding } from '../native.js';

const value = (name: string): number => binding.constants[name] ?? 0;

// ------------------------------------------------------------------------------------------------
// epoll: flag of `epoll_create1`, operations of `epoll_ctl`
// ------------------------------------------------------------------------------------------------

/**
 * Flag of `epoll_create1`: the new descriptor is closed when the process calls `execve`. Since
 * Linux 2.6.27.
 *
 * @see epoll_create1(2)
 */
export const EPOLL_CLOEXEC: number = value('EPOLL_CLOEXEC');

/**
 * Operation: takes a descriptor into the set; `-EEXIST` if it is there already.
 *
 * @see epoll_ctl(2)
 */
export const EPOLL_CTL_ADD: number = value('EPOLL_CTL_ADD');

/**
 * Operation: takes a descriptor out of the set, `events` and `data` are ignored; `-ENOENT` if it is
 * not there.
 *
 * @see epoll_ctl(2)
 */
export const EPOLL_CTL_DEL: number = value('EPOLL_CTL_DEL');

/**
 * Operation: replaces the event mask and the data of a descriptor in the set, and re-arms it after
 * {@link EPOLLONESHOT}; `-ENOENT` if it is not there.
 *
 * @see epoll_ctl(2)
 */
export const EPOLL_CTL_MOD: number = value('EPOLL_CTL_MOD');

// ------------------------------------------------------------------------------------------------
// epoll: event bits, which `epoll_wait` can report
// ------------------------------------------------------------------------------------------------

/**
 * Data can be read, a connection can be accepted, or the end of the stream has been reached: a read
 * would not block. Input and output.
 *
 * @see epoll_ctl(2)
 */
export const EPOLLIN: number = value('EPOLLIN');

/**
 * Something exceptional is there: urgent data on a TCP socket, a change of state on the master of a
 * pseudo-terminal in packet mode, a changed `cgroup.events` file. Input and output.
 *
 * @see epoll_ctl(2), poll(2)
 */
export const EPOLLPRI: number = value('EPOLLPRI');

/**
 * At least some bytes can be written, or a connection that was being established is now up or has
 * failed. Input and output.
 *
 * @see epoll_ctl(2)
 */
export const EPOLLOUT: number = value('EPOLLOUT');

/**
 * Normal data can be read: Linux sets it together with {@link EPOLLIN} and it says nothing more.
 * Input and output; reported only if it was asked for.
 *
 * @see epoll_ctl(2), poll(2)
 */
export const EPOLLRDNORM: number = value('EPOLLRDNORM');

/**
 * Data of a priority band can be read: a notion of System V STREAMS that hardly any Linux file
 * reports; urgent TCP data is {@link EPOLLPRI}. Input and output.
 *
 * @see epoll_ctl(2), poll(2)
 */
export const EPOLLRDBAND: number = value('EPOLLRDBAND');

/**
 * Normal data can be written: Linux sets it together with {@link EPOLLOUT} and it says nothing
 * more. Input and output; reported only if it was asked for.
 *
 * @see epoll_ctl(2), poll(2)
 */
export const EPOLLWRNORM: number = value('EPOLLWRNORM');

/**
 * Data of a priority band can be written: Unix-domain and datagram sockets set it together with
 * {@link EPOLLOUT}, TCP sockets do not. Input and output; reported only if it was asked for.
 *
 * @see epoll_ctl(2), poll(2)
 */
export const EPOLLWRBAND: number = value('EPOLLWRBAND');

/**
 * Ignored by epoll: it is accepted in a mask, and no file of Linux ever reports it.
 *
 * @see epoll_ctl(2), poll(2)
 */
export const EPOLLMSG: number = value('EPOLLMSG');

/**
 * An error is pending on the descriptor (a socket tells which through {@link SO_ERROR}), or the
 * reading end of this pipe is closed. Output: always reported, asked for or not.
 *
 * @see epoll_ctl(2)
 */
export const EPOLLERR: number = value('EPOLLERR');

/**
 * Both directions of a stream are shut, or the last writer of this pipe is gone; what has arrived
 * before can still be read, until a read returns 0. Output: always reported, asked for or not.
 *
 * @see epoll_ctl(2)
 */
export const EPOLLHUP: number = value('EPOLLHUP');

/**
 * The peer of a stream socket has closed the connection or shut its writing half: no more will
 * arrive after what is buffered. Input and output; reported only if it was asked for. Since Linux
 * 2.6.17.
 *
 * @see epoll_ctl(2)
 */
export const EPOLLRDHUP: number = value('EPOLLRDHUP');

// ------------------------------------------------------------------------------------------------
// epoll: flags of a registration, which `epoll_wait` never reports
// ------------------------------------------------------------------------------------------------

/**
 * If several sets watch the same file with this flag, an event wakes one or a few of them instead
 * of all. Input only, with {@link EPOLL_CTL_ADD} only, and combined only with `EPOLLIN`,
 * `EPOLLOUT`, `EPOLLERR`, `EPOLLHUP`, `EPOLLWAKEUP` and `EPOLLET`; anything else, a later
 * `EPOLL_CTL_MOD`, and an epoll descriptor as the target answer `-EINVAL`. Since Linux 4.5.
 *
 * @see epoll_ctl(2)
 */
export const EPOLLEXCLUSIVE: number = value('EPOLLEXCLUSIVE');

/**
 * Keeps the system from suspending from the moment the event is pending until the next `epoll_wait`
 * on the set after the one that reported it. Input only; without effect together with
 * {@link EPOLLONESHOT} or {@link EPOLLET}, and silently dropped by the kernel if the process lacks
 * `CAP_BLOCK_SUSPEND`. Since Linux 3.5.
 *
 * @see epoll_ctl(2)
 */
export const EPOLLWAKEUP: number = value('EPOLLWAKEUP');

/**
 * After one reported event the descriptor stays in the set but is disabled, until
 * {@link EPOLL_CTL_MOD} arms it again. Input only. Since Linux 2.6.2.
 *
 * @see epoll_ctl(2)
 */
export const EPOLLONESHOT: number = value('EPOLLONESHOT');

/**
 * Edge-triggered: the descriptor is reported when something new happens on it, not for as long as
 * it is ready. Input only. It is bit 31, so here it is 2147483648, while JavaScript's `|` makes a
 * negative number of it: both are accepted as a mask.
 *
 * @see epoll_ctl(2), epoll(7)
 */
export const EPOLLET: number = value('EPOLLET');

// ------------------------------------------------------------------------------------------------
// poll: event bits; select: its limit
// ------------------------------------------------------------------------------------------------

/**
 * Data can be read, a connection can be accepted, or the end of the stream has been reached: a read
 * would not block. Input and output.
 *
 * @see poll(2)
 */
export const POLLIN: number = value('POLLIN');

/**
 * Something exceptional is there, such as urgent data on a TCP socket. Input and output.
 *
 * @see poll(2)
 */
export const POLLPRI: number = value('POLLPRI');

/**
 * At least some bytes can be written, or a connection that was being established is now up or has
 * failed. Input and output.
 *
 * @see poll(2)
 */
export const POLLOUT: number = value('POLLOUT');

/**
 * The peer has shut its sending side, or the connection is gone. Input and output; reported only if
 * it was asked for. Linux, FreeBSD.
 *
 * @see poll(2)
 */
export const POLLRDHUP: number = value('POLLRDHUP');

/**
 * An error is pending on the descriptor, or the reading end of this pipe is closed. Output: always
 * reported, asked for or not.
 *
 * @see poll(2)
 */
export const POLLERR: number = value('POLLERR');

/**
 * Hung up: both directions of a stream are over, or the writing end of this pipe is closed. There may
 * still be data to read. Output: always reported, asked for or not.
 *
 * @see poll(2)
 */
export const POLLHUP: number = value('POLLHUP');

/**
 * The descriptor is not open. Output: always reported, asked for or not.
 *
 * @see poll(2)
 */
export const POLLNVAL: number = value('POLLNVAL');

/**
 * Normal data can be read: set together with {@link POLLIN}. Input and output; reported only if it
 * was asked for.
 *
 * @see poll(2)
 */
export const POLLRDNORM: number = value('POLLRDNORM');

/**
 * Data of a priority band can be read: hardly any file of Linux reports it. Input and output.
 *
 * @see poll(2)
 */
export const POLLRDBAND: number = value('POLLRDBAND');

/**
 * Normal data can be written: set together with {@link POLLOUT}. Input and output; reported only if
 * it was asked for.
 *
 * @see poll(2)
 */
export const POLLWRNORM: number = value('POLLWRNORM');

/**
 * Data of a priority band can be written. Input and output.
 *
 * @see poll(2)
 */
export const POLLWRBAND: number = value('POLLWRBAND');

/**
 * One more than the highest descriptor that a set of `select` can hold: 1024 on Linux and macOS.
 *
 * @see select(2)
 */
export const FD_SETSIZE: number = value('FD_SETSIZE');

// ------------------------------------------------------------------------------------------------
// kqueue: filters
// ------------------------------------------------------------------------------------------------

/** Something can be read: `data` is how many bytes, or how many connections wait. */
export const EVFILT_READ: number = value('EVFILT_READ');
/** Something can be written: `data` is how many bytes there is room for. */
export const EVFILT_WRITE: number = value('EVFILT_WRITE');
/** An asynchronous input or output has ended. */
export const EVFILT_AIO: number = value('EVFILT_AIO');
/** A file has changed: `NOTE_DELETE`, `NOTE_WRITE` … */
export const EVFILT_VNODE: number = value('EVFILT_VNODE');
/** A process has ended, forked or executed: `NOTE_EXIT` …; `ident` is its number. */
export const EVFILT_PROC: number = value('EVFILT_PROC');
/** A process behind a process descriptor has ended (FreeBSD). */
export const EVFILT_PROCDESC: number = value('EVFILT_PROCDESC');
/** A signal was sent to the process, also one that is ignored; `data` is how often. */
export const EVFILT_SIGNAL: number = value('EVFILT_SIGNAL');
/** A timer: `data` is its period in, its expirations out. Milliseconds, unless `NOTE_SECONDS` … */
export const EVFILT_TIMER: number = value('EVFILT_TIMER');
/** An event that the program triggers itself, with `NOTE_TRIGGER`. */
export const EVFILT_USER: number = value('EVFILT_USER');
/** A message waits on a Mach port (macOS). */
export const EVFILT_MACHPORT: number = value('EVFILT_MACHPORT');
/** A file system was mounted, unmounted or has a problem. */
export const EVFILT_FS: number = value('EVFILT_FS');
/** Memory is short (macOS). */
export const EVFILT_VM: number = value('EVFILT_VM');
/** Something exceptional, such as urgent data: `NOTE_OOB` (macOS, OpenBSD, DragonFly). */
export const EVFILT_EXCEPT: number = value('EVFILT_EXCEPT');
/** A list of asynchronous inputs and outputs has ended (FreeBSD). */
export const EVFILT_LIO: number = value('EVFILT_LIO');
/** A `sendfile` has ended (FreeBSD). */
export const EVFILT_SENDFILE: number = value('EVFILT_SENDFILE');
/** Nothing is left in the sending buffer of a socket (FreeBSD). */
export const EVFILT_EMPTY: number = value('EVFILT_EMPTY');
/** A device has changed (OpenBSD). */
export const EVFILT_DEVICE: number = value('EVFILT_DEVICE');

// ------------------------------------------------------------------------------------------------
// kqueue: actions and modes in `flags`
// ------------------------------------------------------------------------------------------------

/**
 * Adds a knote, or changes the one that is there. Its mode stays: to change that, delete and add.
 */
export const EV_ADD: number = value('EV_ADD');
/** Removes a knote; `ENOENT` if there is none. */
export const EV_DELETE: number = value('EV_DELETE');
/** Lets a knote report again, after `EV_DISABLE` or a report with `EV_DISPATCH`. */
export const EV_ENABLE: number = value('EV_ENABLE');
/** Keeps a knote from reporting. */
export const EV_DISABLE: number = value('EV_DISABLE');
/** Mode: reported once, and then removed. */
export const EV_ONESHOT: number = value('EV_ONESHOT');
/** Mode: reported again only after something new has come, as with {@link EPOLLET}. */
export const EV_CLEAR: number = value('EV_CLEAR');
/** Answers every change with an event that has `EV_ERROR`; its `data` is 0 or an errno. */
export const EV_RECEIPT: number = value('EV_RECEIPT');
/** Mode: reported once, and then disabled. */
export const EV_DISPATCH: number = value('EV_DISPATCH');
/** `udata` is part of the name of the knote (macOS). */
export const EV_UDATA_SPECIFIC: number = value('EV_UDATA_SPECIFIC');
/** `EV_DISPATCH | EV_UDATA_SPECIFIC` (macOS). */
export const EV_DISPATCH2: number = value('EV_DISPATCH2');
/** The descriptor or port has gone while it was watched (macOS). */
export const EV_VANISHED: number = value('EV_VANISHED');
/** A change keeps the `udata` that the knote has (FreeBSD). */
export const EV_KEEPUDATA: number = value('EV_KEEPUDATA');
/** Reports once, whatever the state (FreeBSD). */
export const EV_FORCEONESHOT: number = value('EV_FORCEONESHOT');
/** Not for programs (FreeBSD). */
export const EV_DROP: number = value('EV_DROP');
/** Bits of `flags` that the system keeps for itself. */
export const EV_SYSFLAGS: number = value('EV_SYSFLAGS');
/** Means something to some filters. */
export const EV_FLAG0: number = value('EV_FLAG0');
/** Means something to some filters. */
export const EV_FLAG1: number = value('EV_FLAG1');
/** Urgent data: where it begins (macOS). */
export const EV_OOBAND: number = value('EV_OOBAND');
/** The knote was made by poll or select (macOS). */
export const EV_POLL: number = value('EV_POLL');
/** End of file, and no data left (DragonFly). */
export const EV_NODATA: number = value('EV_NODATA');

// ------------------------------------------------------------------------------------------------
// kqueue: answers in `flags`
// ------------------------------------------------------------------------------------------------

/** The end of what can be read or written; `fflags` is the error of the socket, or 0. */
export const EV_EOF: number = value('EV_EOF');
/** The answer to a change: `data` is the errno, 0 for success. */
export const EV_ERROR: number = value('EV_ERROR');

// ------------------------------------------------------------------------------------------------
// kqueue: `fflags` of `EVFILT_READ`, `EVFILT_WRITE` and `EVFILT_EXCEPT`
// ------------------------------------------------------------------------------------------------

/** `data` is how many bytes must be there. */
export const NOTE_LOWAT: number = value('NOTE_LOWAT');
/** Urgent data. */
export const NOTE_OOB: number = value('NOTE_OOB');
/** A regular file is always ready, as poll has it (FreeBSD). */
export const NOTE_FILE_POLL: number = value('NOTE_FILE_POLL');

// ------------------------------------------------------------------------------------------------
// kqueue: `fflags` of `EVFILT_VNODE`
// ------------------------------------------------------------------------------------------------

/** The file was unlinked. */
export const NOTE_DELETE: number = value('NOTE_DELETE');
/** The file was written to. */
export const NOTE_WRITE: number = value('NOTE_WRITE');
/** The file became longer. */
export const NOTE_EXTEND: number = value('NOTE_EXTEND');
/** The attributes of the file were changed. */
export const NOTE_ATTRIB: number = value('NOTE_ATTRIB');
/** The number of links of the file was changed. */
export const NOTE_LINK: number = value('NOTE_LINK');
/** The file was renamed. */
export const NOTE_RENAME: number = value('NOTE_RENAME');
/** Access to the file was revoked, or its file system unmounted. */
export const NOTE_REVOKE: number = value('NOTE_REVOKE');
/** Nothing of the kind, to see how the file is now (macOS). */
export const NOTE_NONE: number = value('NOTE_NONE');
/** The file was unlocked (macOS). */
export const NOTE_FUNLOCK: number = value('NOTE_FUNLOCK');
/** A lease is to be downgraded (macOS). */
export const NOTE_LEASE_DOWNGRADE: number = value('NOTE_LEASE_DOWNGRADE');
/** A lease is to be released (macOS). */
export const NOTE_LEASE_RELEASE: number = value('NOTE_LEASE_RELEASE');
/** The file was opened (FreeBSD, NetBSD). */
export const NOTE_OPEN: number = value('NOTE_OPEN');
/** A descriptor that could not write was closed (FreeBSD, NetBSD). */
export const NOTE_CLOSE: number = value('NOTE_CLOSE');
/** A descriptor that could write was closed (FreeBSD, NetBSD). */
export const NOTE_CLOSE_WRITE: number = value('NOTE_CLOSE_WRITE');
/** The file was read (FreeBSD, NetBSD). */
export const NOTE_READ: number = value('NOTE_READ');
/** The file was cut (OpenBSD). */
export const NOTE_TRUNCATE: number = value('NOTE_TRUNCATE');

// ------------------------------------------------------------------------------------------------
// kqueue: `fflags` of `EVFILT_PROC` and `EVFILT_DEVICE`
// ------------------------------------------------------------------------------------------------

/** The process has ended; `data` is its status, where the system says so. */
export const NOTE_EXIT: number = value('NOTE_EXIT');
/** The process has forked. */
export const NOTE_FORK: number = value('NOTE_FORK');
/** The process has executed another program. */
export const NOTE_EXEC: number = value('NOTE_EXEC');
/** Somebody has waited for the process (macOS). */
export const NOTE_REAP: number = value('NOTE_REAP');
/** A signal was sent to the process (macOS). */
export const NOTE_SIGNAL: number = value('NOTE_SIGNAL');
/** With `NOTE_EXIT`: `data` is the status (macOS). */
export const NOTE_EXITSTATUS: number = value('NOTE_EXITSTATUS');
/** With `NOTE_EXIT`: `data` says more of how the process ended (macOS). */
export const NOTE_EXIT_DETAIL: number = value('NOTE_EXIT_DETAIL');
/** The bits of that (macOS). */
export const NOTE_EXIT_DETAIL_MASK: number = value('NOTE_EXIT_DETAIL_MASK');
/** The process ended since it could not be decrypted (macOS). */
export const NOTE_EXIT_DECRYPTFAIL: number = value('NOTE_EXIT_DECRYPTFAIL');
/** The process ended since memory was short (macOS). */
export const NOTE_EXIT_MEMORY: number = value('NOTE_EXIT_MEMORY');
/** The process ended by an error of code signing (macOS). */
export const NOTE_EXIT_CSERROR: number = value('NOTE_EXIT_CSERROR');
/** The bits of data. */
export const NOTE_PDATAMASK: number = value('NOTE_PDATAMASK');
/** The bits that ask. */
export const NOTE_PCTRLMASK: number = value('NOTE_PCTRLMASK');
/** Follows the process over forks (BSD). */
export const NOTE_TRACK: number = value('NOTE_TRACK');
/** A child could not be followed (BSD). */
export const NOTE_TRACKERR: number = value('NOTE_TRACKERR');
/** The event is of a child; `data` is its parent (BSD). */
export const NOTE_CHILD: number = value('NOTE_CHILD');
/** The device has changed (OpenBSD). */
export const NOTE_CHANGE: number = value('NOTE_CHANGE');

// ------------------------------------------------------------------------------------------------
// kqueue: `fflags` of `EVFILT_TIMER`
// ------------------------------------------------------------------------------------------------

/** `data` is seconds. */
export const NOTE_SECONDS: number = value('NOTE_SECONDS');
/** `data` is milliseconds, as without any (FreeBSD, NetBSD, OpenBSD). */
export const NOTE_MSECONDS: number = value('NOTE_MSECONDS');
/** `data` is microseconds. */
export const NOTE_USECONDS: number = value('NOTE_USECONDS');
/** `data` is nanoseconds. */
export const NOTE_NSECONDS: number = value('NOTE_NSECONDS');
/** `data` is a moment of the calendar, not a period (macOS). */
export const NOTE_ABSOLUTE: number = value('NOTE_ABSOLUTE');
/** `data` is a moment of the calendar, not a period (FreeBSD, NetBSD, OpenBSD). */
export const NOTE_ABSTIME: number = value('NOTE_ABSTIME');
/** The timer may be late by as much (macOS). */
export const NOTE_LEEWAY: number = value('NOTE_LEEWAY');
/** The timer is not put off to save energy (macOS). */
export const NOTE_CRITICAL: number = value('NOTE_CRITICAL');
/** The timer may be put off to save energy (macOS). */
export const NOTE_BACKGROUND: number = value('NOTE_BACKGROUND');
/** `data` is in units of Mach (macOS). */
export const NOTE_MACHTIME: number = value('NOTE_MACHTIME');
/** The timer goes on while the machine sleeps (macOS). */
export const NOTE_MACH_CONTINUOUS_TIME: number = value('NOTE_MACH_CONTINUOUS_TIME');

// ------------------------------------------------------------------------------------------------
// kqueue: `fflags` of `EVFILT_USER`
// ------------------------------------------------------------------------------------------------

/** Triggers the event. */
export const NOTE_TRIGGER: number = value('NOTE_TRIGGER');
/** Leaves the bits of the knote as they are. */
export const NOTE_FFNOP: number = value('NOTE_FFNOP');
/** The bits of the knote become `bits & fflags`. */
export const NOTE_FFAND: number = value('NOTE_FFAND');
/** The bits of the knote become `bits | fflags`. */
export const NOTE_FFOR: number = value('NOTE_FFOR');
/** The bits of the knote become `fflags`. */
export const NOTE_FFCOPY: number = value('NOTE_FFCOPY');
/** Where these four are. */
export const NOTE_FFCTRLMASK: number = value('NOTE_FFCTRLMASK');
/** Where the bits are. */
export const NOTE_FFLAGSMASK: number = value('NOTE_FFLAGSMASK');

// ------------------------------------------------------------------------------------------------
// kqueue: `fflags` of `EVFILT_VM`
// ------------------------------------------------------------------------------------------------

/** Memory is short (macOS). */
export const NOTE_VM_PRESSURE: number = value('NOTE_VM_PRESSURE');
/** Memory is short, and the process should end (macOS). */
export const NOTE_VM_PRESSURE_TERMINATE: number = value('NOTE_VM_PRESSURE_TERMINATE');
/** Memory is short, and the process may be ended at any moment (macOS). */
export const NOTE_VM_PRESSURE_SUDDEN_TERMINATE: number = value('NOTE_VM_PRESSURE_SUDDEN_TERMINATE');
/** The state of the memory could not be found out (macOS). */
export const NOTE_VM_ERROR: number = value('NOTE_VM_ERROR');

// ------------------------------------------------------------------------------------------------
// eventfd
// ------------------------------------------------------------------------------------------------

/** Flag of `eventfd`: the new descriptor is closed by `execve`. */
export const EFD_CLOEXEC: number = value('EFD_CLOEXEC');

/**
 * Flag of `eventfd`: a read of the counter 0 and a write that would overflow it answer `-EAGAIN`
 * instead of blocking.
 */
export const EFD_NONBLOCK: number = value('EFD_NONBLOCK');

/**
 * Flag of `eventfd`: a read returns 1 and lowers the counter by 1, instead of returning all of it
 * and resetting it to 0 (since Linux 2.6.30).
 */
export const EFD_SEMAPHORE: number = value('EFD_SEMAPHORE');

// ------------------------------------------------------------------------------------------------
// timerfd
// ------------------------------------------------------------------------------------------------

/** Flag of `timerfd_create`: the new descriptor is closed by `execve`. */
export const TFD_CLOEXEC: number = value('TFD_CLOEXEC');

/**
 * Flag of `timerfd_create`: a read before the first expiration answers `-EAGAIN` instead of
 * blocking.
 */
export const TFD_NONBLOCK: number = value('TFD_NONBLOCK');

/**
 * Flag of `timerfd_settime`: the first expiration is a moment on the timer's clock, not a distance
 * from now.
 */
export const TFD_TIMER_ABSTIME: number = value('TFD_TIMER_ABSTIME');

/**
 * Flag of `timerfd_settime`, with `TFD_TIMER_ABSTIME` on a real-time clock: if that clock is set,
 * reads answer `-ECANCELED` (since Linux 3.0).
 */
export const TFD_TIMER_CANCEL_ON_SET: number = value('TFD_TIMER_CANCEL_ON_SET');

/** The wall clock: the time since 1970-01-01 UTC, which jumps when it is set. */
export const CLOCK_REALTIME: number = value('CLOCK_REALTIME');

/**
 * A clock that only goes forward from an arbitrary start and, on Linux, stands still while the
 * system is suspended.
 */
export const CLOCK_MONOTONIC: number = value('CLOCK_MONOTONIC');

/** Like `CLOCK_MONOTONIC`, but it counts the time in suspend too (for timers since Linux 3.15). */
export const CLOCK_BOOTTIME: number = value('CLOCK_BOOTTIME');

/**
 * Like `CLOCK_REALTIME`, but its timers wake a suspended system; needs `CAP_WAKE_ALARM` (since
 * Linux 3.11).
 */
export const CLOCK_REALTIME_ALARM: number = value('CLOCK_REALTIME_ALARM');

/**
 * Like `CLOCK_BOOTTIME`, but its timers wake a suspended system; needs `CAP_WAKE_ALARM` (since
 * Linux 3.11).
 */
export const CLOCK_BOOTTIME_ALARM: number = value('CLOCK_BOOTTIME_ALARM');

// ------------------------------------------------------------------------------------------------
// sockets: address families
// ------------------------------------------------------------------------------------------------

/**
 * No address family in particular; a `connect` to such an address dissolves the association of a
 * datagram socket.
 */
export const AF_UNSPEC: number = value('AF_UNSPEC');

/**
 * Unix-domain sockets: between processes of this machine, addressed by a path or an abstract name.
 */
export const AF_UNIX: number = value('AF_UNIX');

/** IPv4. */
export const AF_INET: number = value('AF_INET');

/** IPv6. */
export const AF_INET6: number = value('AF_INET6');

// ------------------------------------------------------------------------------------------------
// sockets: types, and flags that may be combined with a type
// ------------------------------------------------------------------------------------------------

/** A connection that carries an ordered stream of bytes, as TCP does. */
export const SOCK_STREAM: number = value('SOCK_STREAM');

/** Messages that keep their boundaries, without a connection, as UDP sends them. */
export const SOCK_DGRAM: number = value('SOCK_DGRAM');

/** A connection that carries ordered messages which keep their boundaries. */
export const SOCK_SEQPACKET: number = value('SOCK_SEQPACKET');

/** Direct access to the packets of a network protocol; needs `CAP_NET_RAW` on Linux. */
export const SOCK_RAW: number = value('SOCK_RAW');

/** Flag of `socket`, `socketpair` and `accept4`: the new descriptor is closed by `execve`. */
export const SOCK_CLOEXEC: number = value('SOCK_CLOEXEC');

/** Flag of `socket`, `socketpair` and `accept4`: the new socket does not block. */
export const SOCK_NONBLOCK: number = value('SOCK_NONBLOCK');

/**
 * The longest backlog of `listen` according to the headers; the kernel cuts what it is given to its
 * own limit (`net.core.somaxconn` on Linux).
 */
export const SOMAXCONN: number = value('SOMAXCONN');

// ------------------------------------------------------------------------------------------------
// sockets: halves of a connection, for `shutdown`
// ------------------------------------------------------------------------------------------------

/** Shuts the receiving half. */
export const SHUT_RD: number = value('SHUT_RD');

/** Shuts the sending half: the peer reads the end of the stream after all that was sent before. */
export const SHUT_WR: number = value('SHUT_WR');

/** Shuts both halves. */
export const SHUT_RDWR: number = value('SHUT_RDWR');

// ------------------------------------------------------------------------------------------------
// sockets: protocols and levels of options
// ------------------------------------------------------------------------------------------------

/** The level of the options of IPv4, and as a protocol of `socket` the default one for the type. */
export const IPPROTO_IP: number = value('IPPROTO_IP');

/** The level of the options of IPv6. */
export const IPPROTO_IPV6: number = value('IPPROTO_IPV6');

/** TCP, as a protocol of `socket` and as the level of the `TCP_` options. */
export const IPPROTO_TCP: number = value('IPPROTO_TCP');

/** UDP, as a protocol of `socket` and as the level of its options. */
export const IPPROTO_UDP: number = value('IPPROTO_UDP');

/** ICMP for IPv4, as a protocol of a raw socket or of a ping socket. */
export const IPPROTO_ICMP: number = value('IPPROTO_ICMP');

/** The level of the `SO_` options. */
export const SOL_SOCKET: number = value('SOL_SOCKET');

/** The level of the `TCP_` options by its Linux name, equal to {@link IPPROTO_TCP}. */
export const SOL_TCP: number = value('SOL_TCP');

// ------------------------------------------------------------------------------------------------
// sockets: options of the level `SOL_SOCKET`
// ------------------------------------------------------------------------------------------------

/** Read only: 1 if the socket listens for connections, else 0. */
export const SO_ACCEPTCONN: number = value('SO_ACCEPTCONN');

/** Lets a datagram socket send to broadcast addresses. */
export const SO_BROADCAST: number = value('SO_BROADCAST');

/**
 * The microseconds for which a blocking receive polls the network device while nothing is there;
 * raising it needs `CAP_NET_ADMIN` (since Linux 3.11).
 */
export const SO_BUSY_POLL: number = value('SO_BUSY_POLL');

/** Turns on the debugging of the protocol in the kernel; needs `CAP_NET_ADMIN` on Linux. */
export const SO_DEBUG: number = value('SO_DEBUG');

/** Read only: the address family that the socket was created with (since Linux 2.6.32). */
export const SO_DOMAIN: number = value('SO_DOMAIN');

/** Sends to hosts on directly attached networks only, past the routing table. */
export const SO_DONTROUTE: number = value('SO_DONTROUTE');

/**
 * Read only: takes the pending error off the socket, as a positive errno or 0; this is how a
 * non-blocking `connect` tells its outcome.
 */
export const SO_ERROR: number = value('SO_ERROR');

/**
 * The processor on which the packets of the socket arrive or, when set, should arrive (readable
 * since Linux 3.19, settable since 4.4).
 */
export const SO_INCOMING_CPU: number = value('SO_INCOMING_CPU');

/** Probes an idle connection and breaks it if the peer no longer answers. */
export const SO_KEEPALIVE: number = value('SO_KEEPALIVE');

/**
 * A `struct linger`: whether and for how many seconds a close waits for unsent data; on with 0
 * seconds, a close resets a TCP connection.
 */
export const SO_LINGER: number = value('SO_LINGER');

/**
 * Puts a mark on every packet sent, for routing and packet filters (since Linux 2.6.25); needs
 * `CAP_NET_ADMIN` or, since 5.17, `CAP_NET_RAW`.
 */
export const SO_MARK: number = value('SO_MARK');

/** Leaves urgent data in its place in the ordinary stream. */
export const SO_OOBINLINE: number = value('SO_OOBINLINE');

/** Adds the credentials of the sender (`SCM_CREDENTIALS`) to what a Unix-domain socket receives. */
export const SO_PASSCRED: number = value('SO_PASSCRED');

/**
 * Read only: a `struct ucred` with the process, user and group id that the peer of a Unix-domain
 * connection had when it was made.
 */
export const SO_PEERCRED: number = value('SO_PEERCRED');

/** The queueing priority of the packets sent; above 6 it needs `CAP_NET_ADMIN`. */
export const SO_PRIORITY: number = value('SO_PRIORITY');

/** Read only: the protocol that the socket was created with (since Linux 2.6.32). */
export const SO_PROTOCOL: number = value('SO_PROTOCOL');

/**
 * The size of the receive buffer in bytes; Linux doubles the number that is set, for its own
 * records, and reads back the doubled one.
 */
export const SO_RCVBUF: number = value('SO_RCVBUF');

/**
 * Like `SO_RCVBUF`, but not bound by the limit `net.core.rmem_max`; needs `CAP_NET_ADMIN` (since
 * Linux 2.6.14).
 */
export const SO_RCVBUFFORCE: number = value('SO_RCVBUFFORCE');

/**
 * The number of bytes below which a socket does not count as readable (honoured by `epoll`, `poll`
 * and `select` since Linux 2.6.28).
 */
export const SO_RCVLOWAT: number = value('SO_RCVLOWAT');

/**
 * A `struct timeval` after which a blocking receive or accept gives up with `-EAGAIN`; no effect on
 * `epoll_wait`, `poll` or `select`.
 */
export const SO_RCVTIMEO: number = value('SO_RCVTIMEO');

/**
 * Lets `bind` take a local address that lingering connections still use; a listener on it remains
 * an obstacle on Linux.
 */
export const SO_REUSEADDR: number = value('SO_REUSEADDR');

/**
 * Lets several sockets that all set it bind the same address, and spreads connections or datagrams
 * over them on Linux (since 3.9).
 */
export const SO_REUSEPORT: number = value('SO_REUSEPORT');

/**
 * The size of the send buffer in bytes; Linux doubles the number that is set, for its own records,
 * and reads back the doubled one.
 */
export const SO_SNDBUF: number = value('SO_SNDBUF');

/**
 * Like `SO_SNDBUF`, but not bound by the limit `net.core.wmem_max`; needs `CAP_NET_ADMIN` (since
 * Linux 2.6.14).
 */
export const SO_SNDBUFFORCE: number = value('SO_SNDBUFFORCE');

/**
 * The free space below which a socket does not count as writable; Linux does not let it be set
 * (`-ENOPROTOOPT`).
 */
export const SO_SNDLOWAT: number = value('SO_SNDLOWAT');

/**
 * A `struct timeval` after which a blocking send gives up with `-EAGAIN`, or a `connect` with
 * `-EINPROGRESS`; no effect on `epoll_wait`, `poll` or `select`.
 */
export const SO_SNDTIMEO: number = value('SO_SNDTIMEO');

/** Adds the time of arrival, as a `struct timeval`, to the control data of what is received. */
export const SO_TIMESTAMP: number = value('SO_TIMESTAMP');

/** Read only: the type that the socket was created with, such as {@link SOCK_STREAM}. */
export const SO_TYPE: number = value('SO_TYPE');

/**
 * The name of the only network interface that the socket uses; an empty name lifts the restriction.
 */
export const SO_BINDTODEVICE: number = value('SO_BINDTODEVICE');

/** Permits the use of {@link MSG_ZEROCOPY} on the socket (since Linux 4.14). */
export const SO_ZEROCOPY: number = value('SO_ZEROCOPY');

/**
 * A write to a broken connection answers `-EPIPE` without raising {@link SIGPIPE} (macOS, FreeBSD,
 * NetBSD).
 */
export const SO_NOSIGPIPE: number = value('SO_NOSIGPIPE');

// ------------------------------------------------------------------------------------------------
// sockets: options of the level `IPPROTO_TCP`
// ------------------------------------------------------------------------------------------------

/**
 * Sends small segments at once instead of gathering them while an acknowledgement is outstanding
 * (Nagle's algorithm).
 */
export const TCP_NODELAY: number = value('TCP_NODELAY');

/**
 * The largest segment to send, in bytes; set before the connection is made, it is also announced to
 * the peer.
 */
export const TCP_MAXSEG: number = value('TCP_MAXSEG');

/** Holds back partial segments until it is cleared, for 200 ms at most (Linux). */
export const TCP_CORK: number = value('TCP_CORK');

/**
 * Holds back partial segments until it is cleared (macOS and the BSDs; the counterpart of
 * `TCP_CORK`).
 */
export const TCP_NOPUSH: number = value('TCP_NOPUSH');

/** The idle seconds before the first keep-alive probe. */
export const TCP_KEEPIDLE: number = value('TCP_KEEPIDLE');

/** The seconds between two keep-alive probes. */
export const TCP_KEEPINTVL: number = value('TCP_KEEPINTVL');

/** The number of unanswered keep-alive probes after which the connection is dropped. */
export const TCP_KEEPCNT: number = value('TCP_KEEPCNT');

/** The idle seconds before the first keep-alive probe, by its macOS name. */
export const TCP_KEEPALIVE: number = value('TCP_KEEPALIVE');

/** The number of times a `SYN` is sent again before `connect` gives up. */
export const TCP_SYNCNT: number = value('TCP_SYNCNT');

/** The seconds that an orphaned connection may stay in the state FIN-WAIT-2. */
export const TCP_LINGER2: number = value('TCP_LINGER2');

/**
 * A listener reports a connection only when its first data has arrived; the value is how many
 * seconds to wait for them.
 */
export const TCP_DEFER_ACCEPT: number = value('TCP_DEFER_ACCEPT');

/** The upper bound of the receive window that is announced, in bytes. */
export const TCP_WINDOW_CLAMP: number = value('TCP_WINDOW_CLAMP');

/** Read only: a `struct tcp_info` with the state and the measurements of the connection. */
export const TCP_INFO: number = value('TCP_INFO');

/**
 * Acknowledges at once instead of delaying; not lasting, the kernel falls back by itself (since
 * Linux 2.4.4).
 */
export const TCP_QUICKACK: number = value('TCP_QUICKACK');

/** The name of the congestion control algorithm (since Linux 2.6.13). */
export const TCP_CONGESTION: number = value('TCP_CONGESTION');

/**
 * The milliseconds for which sent data may stay unacknowledged before the connection is broken with
 * `ETIMEDOUT` (since Linux 2.6.37).
 */
export const TCP_USER_TIMEOUT: number = value('TCP_USER_TIMEOUT');

/**
 * On a listener: accepts data in the `SYN`; on Linux the value is the greatest number of such
 * requests waiting (for servers since 3.7).
 */
export const TCP_FASTOPEN: number = value('TCP_FASTOPEN');

/**
 * On a client: `connect` returns at once and the first write travels in the `SYN`, if a cookie is
 * known (since Linux 4.11).
 */
export const TCP_FASTOPEN_CONNECT: number = value('TCP_FASTOPEN_CONNECT');

/**
 * The number of unsent bytes in the send buffer from which on the socket no longer counts as
 * writable (since Linux 3.12).
 */
export const TCP_NOTSENT_LOWAT: number = value('TCP_NOTSENT_LOWAT');

// ------------------------------------------------------------------------------------------------
// sockets: states of a TCP connection, `tcpi_state` of `struct tcp_info` (Linux)
// ------------------------------------------------------------------------------------------------

/** Both sides can send. */
export const TCP_ESTABLISHED: number = value('TCP_ESTABLISHED');

/** Begins to connect. */
export const TCP_SYN_SENT: number = value('TCP_SYN_SENT');

/** Was asked to connect, and has answered. */
export const TCP_SYN_RECV: number = value('TCP_SYN_RECV');

/** This side has ended its direction; the peer has not confirmed it. */
export const TCP_FIN_WAIT1: number = value('TCP_FIN_WAIT1');

/** This side has ended its direction, confirmed; the peer may still send. */
export const TCP_FIN_WAIT2: number = value('TCP_FIN_WAIT2');

/** Over; waits for what may still be under way. */
export const TCP_TIME_WAIT: number = value('TCP_TIME_WAIT');

/** No connection. */
export const TCP_CLOSE: number = value('TCP_CLOSE');

/** The peer has ended its direction; this side may still send. */
export const TCP_CLOSE_WAIT: number = value('TCP_CLOSE_WAIT');

/** Both have ended; the peer has not confirmed it. */
export const TCP_LAST_ACK: number = value('TCP_LAST_ACK');

/** Listens. */
export const TCP_LISTEN: number = value('TCP_LISTEN');

/** Both have ended at the same time; neither is confirmed. */
export const TCP_CLOSING: number = value('TCP_CLOSING');

// ------------------------------------------------------------------------------------------------
// sockets: options of the level `IPPROTO_IP`
// ------------------------------------------------------------------------------------------------

/** The type-of-service byte (DSCP and ECN) of the packets sent. */
export const IP_TOS: number = value('IP_TOS');

/** The time to live of the unicast packets sent. */
export const IP_TTL: number = value('IP_TTL');

/** Lets `bind` take an address that is not, or not yet, one of this machine (Linux). */
export const IP_FREEBIND: number = value('IP_FREEBIND');

/**
 * Lets a proxy bind to and accept connections for addresses of others; needs `CAP_NET_ADMIN` or
 * `CAP_NET_RAW` (since Linux 2.6.24).
 */
export const IP_TRANSPARENT: number = value('IP_TRANSPARENT');

/**
 * With a `bind` to port 0, leaves the choice of the port to `connect`, so that ports can be shared
 * (since Linux 4.2).
 */
export const IP_BIND_ADDRESS_NO_PORT: number = value('IP_BIND_ADDRESS_NO_PORT');

/** Joins a multicast group; the value is a `struct ip_mreq`, or on Linux a `struct ip_mreqn`. */
export const IP_ADD_MEMBERSHIP: number = value('IP_ADD_MEMBERSHIP');

/** Leaves a multicast group; the value is a `struct ip_mreq`, or on Linux a `struct ip_mreqn`. */
export const IP_DROP_MEMBERSHIP: number = value('IP_DROP_MEMBERSHIP');

/** The interface for outgoing multicast packets, given by an address of it. */
export const IP_MULTICAST_IF: number = value('IP_MULTICAST_IF');

/**
 * The time to live of the multicast packets sent; 1 unless set, which keeps them in the local
 * network.
 */
export const IP_MULTICAST_TTL: number = value('IP_MULTICAST_TTL');

/** Whether multicast packets sent are also delivered to members on this machine. */
export const IP_MULTICAST_LOOP: number = value('IP_MULTICAST_LOOP');

/**
 * Adds the destination address and the interface of arrival to the control data of received
 * datagrams.
 */
export const IP_PKTINFO: number = value('IP_PKTINFO');

// ------------------------------------------------------------------------------------------------
// sockets: options of the level `IPPROTO_IPV6`
// ------------------------------------------------------------------------------------------------

/** Whether an IPv6 socket is closed to IPv4; it must be set before `bind`. */
export const IPV6_V6ONLY: number = value('IPV6_V6ONLY');

/** The hop limit of the unicast packets sent; -1 is the default of the kernel. */
export const IPV6_UNICAST_HOPS: number = value('IPV6_UNICAST_HOPS');

/** Joins a multicast group; the value is a `struct ipv6_mreq`. */
export const IPV6_JOIN_GROUP: number = value('IPV6_JOIN_GROUP');

/** Leaves a multicast group; the value is a `struct ipv6_mreq`. */
export const IPV6_LEAVE_GROUP: number = value('IPV6_LEAVE_GROUP');

/** The interface for outgoing multicast packets, given by its index. */
export const IPV6_MULTICAST_IF: number = value('IPV6_MULTICAST_IF');

/** The hop limit of the multicast packets sent. */
export const IPV6_MULTICAST_HOPS: number = value('IPV6_MULTICAST_HOPS');

/** Whether multicast packets sent are also delivered to members on this machine. */
export const IPV6_MULTICAST_LOOP: number = value('IPV6_MULTICAST_LOOP');

/**
 * Adds the destination address and the interface of arrival to the control data of received
 * datagrams.
 */
export const IPV6_RECVPKTINFO: number = value('IPV6_RECVPKTINFO');

/** The traffic class (DSCP and ECN) of the packets sent. */
export const IPV6_TCLASS: number = value('IPV6_TCLASS');

// ------------------------------------------------------------------------------------------------
// sockets: flags of sending and receiving
// ------------------------------------------------------------------------------------------------

/** Sends the last byte as urgent data, or receives the urgent byte. */
export const MSG_OOB: number = value('MSG_OOB');

/** Receives without taking the data out of the queue. */
export const MSG_PEEK: number = value('MSG_PEEK');

/** Sends to hosts on directly attached networks only, past the routing table. */
export const MSG_DONTROUTE: number = value('MSG_DONTROUTE');

/** Reported by `recvmsg`: control data was cut off because the buffer for it was too small. */
export const MSG_CTRUNC: number = value('MSG_CTRUNC');

/**
 * Reported by `recvmsg`: a datagram was cut off; given as a flag on Linux: return the true length
 * of the datagram.
 */
export const MSG_TRUNC: number = value('MSG_TRUNC');

/** Does not block in this one call: `-EAGAIN` instead. */
export const MSG_DONTWAIT: number = value('MSG_DONTWAIT');

/** Ends a record when sending, or reports its end when receiving, on sockets that know records. */
export const MSG_EOR: number = value('MSG_EOR');

/**
 * Blocks until the whole length has arrived; a signal, an error or the end of the stream can still
 * cut it short.
 */
export const MSG_WAITALL: number = value('MSG_WAITALL');

/**
 * Tells the link layer that the peer has answered, which saves probing its hardware address (Linux,
 * datagrams).
 */
export const MSG_CONFIRM: number = value('MSG_CONFIRM');

/** Receives from the error queue of the socket instead of the data (Linux). */
export const MSG_ERRQUEUE: number = value('MSG_ERRQUEUE');

/** A send on a broken connection answers `-EPIPE` without raising {@link SIGPIPE}. */
export const MSG_NOSIGNAL: number = value('MSG_NOSIGNAL');

/**
 * More data follows in the next call: hold back a partial segment or datagram (since Linux 2.4.4).
 */
export const MSG_MORE: number = value('MSG_MORE');

/**
 * Flag of `recvmmsg`: once one message has arrived, do not block for further ones (since Linux
 * 2.6.34).
 */
export const MSG_WAITFORONE: number = value('MSG_WAITFORONE');

/**
 * Sends to an unconnected TCP socket: connects, with the data in the `SYN` if a cookie is known
 * (since Linux 3.7).
 */
export const MSG_FASTOPEN: number = value('MSG_FASTOPEN');

/**
 * Sends from the memory of the caller without a copy; the error queue tells when the memory is free
 * again (since Linux 4.14).
 */
export const MSG_ZEROCOPY: number = value('MSG_ZEROCOPY');

/** Flag of `recvmsg`: descriptors received in control data are closed by `execve`. */
export const MSG_CMSG_CLOEXEC: number = value('MSG_CMSG_CLOEXEC');

// ------------------------------------------------------------------------------------------------
// Control messages of `sendmsg` and `recvmsg`
// ------------------------------------------------------------------------------------------------

/** Control message: descriptors, which the receiver gets duplicates of. */
export const SCM_RIGHTS: number = value('SCM_RIGHTS');

/** Control message: process, user and group of the sender (Linux). */
export const SCM_CREDENTIALS: number = value('SCM_CREDENTIALS');

// ------------------------------------------------------------------------------------------------
// splice
// ------------------------------------------------------------------------------------------------

/** Flag of `splice`: a hint to move pages; no effect since Linux 2.6.21. */
export const SPLICE_F_MOVE: number = value('SPLICE_F_MOVE');

/** Flag of `splice`: does not wait for the pipe. */
export const SPLICE_F_NONBLOCK: number = value('SPLICE_F_NONBLOCK');

/** Flag of `splice`: more is going to follow, as {@link MSG_MORE}. */
export const SPLICE_F_MORE: number = value('SPLICE_F_MORE');

// ------------------------------------------------------------------------------------------------
// ioctl: requests
// ------------------------------------------------------------------------------------------------

/** How many bytes can be read. */
export const FIONREAD: number = value('FIONREAD');

/** Sets or clears `O_NONBLOCK`. */
export const FIONBIO: number = value('FIONBIO');

/** Sets or clears `O_ASYNC`. */
export const FIOASYNC: number = value('FIOASYNC');

/** Sets close-on-exec. */
export const FIOCLEX: number = value('FIOCLEX');

/** Clears close-on-exec. */
export const FIONCLEX: number = value('FIONCLEX');

/** Whether the next byte is the one after urgent data. */
export const SIOCATMARK: number = value('SIOCATMARK');

/** How many bytes of a socket can be read: Linux’s other name of {@link FIONREAD}. */
export const SIOCINQ: number = value('SIOCINQ');

/** How many bytes wait in a socket to be sent or acknowledged (Linux). */
export const SIOCOUTQ: number = value('SIOCOUTQ');

/** How many bytes of TCP were not sent yet (Linux). */
export const SIOCOUTQNSD: number = value('SIOCOUTQNSD');

// ------------------------------------------------------------------------------------------------
// pidfd
// ------------------------------------------------------------------------------------------------

/** Flag of `pidfd_open`: waits through the descriptor do not block (since Linux 5.10). */
export const PIDFD_NONBLOCK: number = value('PIDFD_NONBLOCK');

// ------------------------------------------------------------------------------------------------
// inotify
// ------------------------------------------------------------------------------------------------

/** Flag of `inotify_init1`: the descriptor is closed by `execve`. */
export const IN_CLOEXEC: number = value('IN_CLOEXEC');

/** Flag of `inotify_init1`: reading does not block. */
export const IN_NONBLOCK: number = value('IN_NONBLOCK');

/** The file was read. */
export const IN_ACCESS: number = value('IN_ACCESS');

/** Mode, owner, times or links changed. */
export const IN_ATTRIB: number = value('IN_ATTRIB');

/** The file was closed, and had been open for writing. */
export const IN_CLOSE_WRITE: number = value('IN_CLOSE_WRITE');

/** The file was closed, and had not been open for writing. */
export const IN_CLOSE_NOWRITE: number = value('IN_CLOSE_NOWRITE');

/** Both kinds of closing. */
export const IN_CLOSE: number = value('IN_CLOSE');

/** Something was made in the folder. */
export const IN_CREATE: number = value('IN_CREATE');

/** Something was removed from the folder. */
export const IN_DELETE: number = value('IN_DELETE');

/** What is watched was removed. */
export const IN_DELETE_SELF: number = value('IN_DELETE_SELF');

/** The file was written or truncated. */
export const IN_MODIFY: number = value('IN_MODIFY');

/** Both halves of a rename. */
export const IN_MOVE: number = value('IN_MOVE');

/** What is watched was renamed. */
export const IN_MOVE_SELF: number = value('IN_MOVE_SELF');

/** The old name of a rename in the folder. */
export const IN_MOVED_FROM: number = value('IN_MOVED_FROM');

/** The new name of a rename in the folder. */
export const IN_MOVED_TO: number = value('IN_MOVED_TO');

/** The file was opened. */
export const IN_OPEN: number = value('IN_OPEN');

/** All of these events. */
export const IN_ALL_EVENTS: number = value('IN_ALL_EVENTS');

/** Flag of a watch: a symbolic link itself. */
export const IN_DONT_FOLLOW: number = value('IN_DONT_FOLLOW');

/** Flag of a watch: nothing of files that are no longer in the folder. */
export const IN_EXCL_UNLINK: number = value('IN_EXCL_UNLINK');

/** Flag of a watch: adds to what is watched for. */
export const IN_MASK_ADD: number = value('IN_MASK_ADD');

/** Flag of a watch: `-EEXIST` if there is one already (since Linux 4.18). */
export const IN_MASK_CREATE: number = value('IN_MASK_CREATE');

/** Flag of a watch: ends with its first event. */
export const IN_ONESHOT: number = value('IN_ONESHOT');

/** Flag of a watch: `-ENOTDIR` for what is no folder. */
export const IN_ONLYDIR: number = value('IN_ONLYDIR');

/** Output only: the watch has ended. */
export const IN_IGNORED: number = value('IN_IGNORED');

/** Output only: it happened to a folder. */
export const IN_ISDIR: number = value('IN_ISDIR');

/** Output only: the queue was full, and events are lost. */
export const IN_Q_OVERFLOW: number = value('IN_Q_OVERFLOW');

/** Output only: the file system was unmounted. */
export const IN_UNMOUNT: number = value('IN_UNMOUNT');

// ------------------------------------------------------------------------------------------------
// fcntl: commands
// ------------------------------------------------------------------------------------------------

/** Duplicates the descriptor to the lowest free number that is not below the argument. */
export const F_DUPFD: number = value('F_DUPFD');

/** Like `F_DUPFD`, and the duplicate is closed by `execve`. */
export const F_DUPFD_CLOEXEC: number = value('F_DUPFD_CLOEXEC');

/** Returns the flags of the descriptor, of which there is one: {@link FD_CLOEXEC}. */
export const F_GETFD: number = value('F_GETFD');

/** Sets the flags of the descriptor. */
export const F_SETFD: number = value('F_SETFD');

/** Returns the access mode and the status flags of the open file. */
export const F_GETFL: number = value('F_GETFL');

/**
 * Sets the status flags of the open file; access mode and creation flags in the argument are
 * ignored.
 */
export const F_SETFL: number = value('F_SETFL');

/** Returns the capacity of a pipe in bytes (since Linux 2.6.35). */
export const F_GETPIPE_SZ: number = value('F_GETPIPE_SZ');

/**
 * Sets the capacity of a pipe to at least the argument and returns what it became (since Linux
 * 2.6.35).
 */
export const F_SETPIPE_SZ: number = value('F_SETPIPE_SZ');

/** Adds seals to a `memfd`: operations on it that are forbidden from then on (since Linux 3.17). */
export const F_ADD_SEALS: number = value('F_ADD_SEALS');

/** Returns the seals of a `memfd` (since Linux 3.17). */
export const F_GET_SEALS: number = value('F_GET_SEALS');

/** Flag of a descriptor: it is closed by `execve`. */
export const FD_CLOEXEC: number = value('FD_CLOEXEC');

// ------------------------------------------------------------------------------------------------
// open: access modes and status flags, for `pipe2`, `dup3` and `fcntl`
// ------------------------------------------------------------------------------------------------

/** Access mode: reading only. */
export const O_RDONLY: number = value('O_RDONLY');

/** Access mode: writing only. */
export const O_WRONLY: number = value('O_WRONLY');

/** Access mode: reading and writing. */
export const O_RDWR: number = value('O_RDWR');

/** The mask that cuts the access mode out of what `F_GETFL` returned. */
export const O_ACCMODE: number = value('O_ACCMODE');

/** Reads and writes answer `-EAGAIN` instead of blocking. */
export const O_NONBLOCK: number = value('O_NONBLOCK');

/** The new descriptor is closed by `execve`. */
export const O_CLOEXEC: number = value('O_CLOEXEC');

/** Every write goes to the end of the file. */
export const O_APPEND: number = value('O_APPEND');

/** Readiness of the file is announced by the signal {@link SIGIO}. */
export const O_ASYNC: number = value('O_ASYNC');

/**
 * On a file: bypass the page cache as far as possible; on a pipe of Linux: every write is a packet
 * (since 3.4).
 */
export const O_DIRECT: number = value('O_DIRECT');

/** A write returns when its data, and what is needed to read them back, are on the device. */
export const O_DSYNC: number = value('O_DSYNC');

/** A write returns when its data and all metadata of the file are on the device. */
export const O_SYNC: number = value('O_SYNC');

/** Reading does not change the time of last access (Linux). */
export const O_NOATIME: number = value('O_NOATIME');

// ------------------------------------------------------------------------------------------------
// signals, for the `sigmask` arguments
// ------------------------------------------------------------------------------------------------

/** The controlling terminal hung up or its leading process died. */
export const SIGHUP: number = value('SIGHUP');
/** Interrupt from the keyboard, `Ctrl+C`. */
export const SIGINT: number = value('SIGINT');
/** Quit from the keyboard, `Ctrl+\`: ends with a core dump. */
export const SIGQUIT: number = value('SIGQUIT');
/** An illegal machine instruction. */
export const SIGILL: number = value('SIGILL');
/** A breakpoint or trace trap. */
export const SIGTRAP: number = value('SIGTRAP');
/** `abort()` was called. */
export const SIGABRT: number = value('SIGABRT');
/** An old name of {@link SIGABRT}. */
export const SIGIOT: number = value('SIGIOT');
/** A bad memory access, for example behind the end of a mapped file. */
export const SIGBUS: number = value('SIGBUS');
/** An arithmetic error, for example a division by zero. */
export const SIGFPE: number = value('SIGFPE');
/** Ends the process; cannot be caught, blocked or ignored. */
export const SIGKILL: number = value('SIGKILL');
/** The first signal that programs may give a meaning; Node starts its debugger on it. */
export const SIGUSR1: number = value('SIGUSR1');
/** An access to invalid memory. */
export const SIGSEGV: number = value('SIGSEGV');
/** The second signal that programs may give a meaning. */
export const SIGUSR2: number = value('SIGUSR2');
/** A write to a pipe or connection that nobody reads; Node ignores it. */
export const SIGPIPE: number = value('SIGPIPE');
/** The timer of `alarm()` expired. */
export const SIGALRM: number = value('SIGALRM');
/** The polite request to terminate. */
export const SIGTERM: number = value('SIGTERM');
/** A stack fault of a coprocessor; Linux never raises it. */
export const SIGSTKFLT: number = value('SIGSTKFLT');
/** A child process ended, stopped or went on. */
export const SIGCHLD: number = value('SIGCHLD');
/** Makes a stopped process go on. */
export const SIGCONT: number = value('SIGCONT');
/** Stops the process; cannot be caught, blocked or ignored. */
export const SIGSTOP: number = value('SIGSTOP');
/** Stop from the terminal, `Ctrl+Z`. */
export const SIGTSTP: number = value('SIGTSTP');
/** A background process read from its terminal. */
export const SIGTTIN: number = value('SIGTTIN');
/** A background process wrote to its terminal. */
export const SIGTTOU: number = value('SIGTTOU');
/** Urgent data arrived at a socket. */
export const SIGURG: number = value('SIGURG');
/** The limit of processor time is exceeded. */
export const SIGXCPU: number = value('SIGXCPU');
/** The limit of file size is exceeded. */
export const SIGXFSZ: number = value('SIGXFSZ');
/** A timer of processor time in user mode expired. */
export const SIGVTALRM: number = value('SIGVTALRM');
/** A timer of processor time in user and kernel mode expired; profilers use it. */
export const SIGPROF: number = value('SIGPROF');
/** The window of the terminal changed its size. */
export const SIGWINCH: number = value('SIGWINCH');
/** A descriptor with {@link O_ASYNC} became ready. */
export const SIGIO: number = value('SIGIO');
/** The System V name of {@link SIGIO}. */
export const SIGPOLL: number = value('SIGPOLL');
/** The power supply fails. */
export const SIGPWR: number = value('SIGPWR');
/** A bad system call, also one refused by seccomp. */
export const SIGSYS: number = value('SIGSYS');
/** The first real-time signal left to programs: 34 with glibc, 35 with musl. */
export const SIGRTMIN: number = value('SIGRTMIN');
/** The last real-time signal. */
export const SIGRTMAX: number = value('SIGRTMAX');

// ------------------------------------------------------------------------------------------------
// errno: the numbers that Linux knows, in its order
// ------------------------------------------------------------------------------------------------

/** The operation is not permitted; `epoll_ctl`: this kind of file cannot be watched. */
export const EPERM: number = value('EPERM');
/** No such file; `epoll_ctl`: the descriptor is not in the set. */
export const ENOENT: number = value('ENOENT');
/** No such process. */
export const ESRCH: number = value('ESRCH');
/** A signal interrupted the call. */
export const EINTR: number = value('EINTR');
/** Input or output failed on the device. */
export const EIO: number = value('EIO');
/** No such device or address, or nobody has the other end of the FIFO open. */
export const ENXIO: number = value('ENXIO');
/** The argument list is too long. */
export const E2BIG: number = value('E2BIG');
/** The file is not in an executable format. */
export const ENOEXEC: number = value('ENOEXEC');
/** Not an open descriptor, or not open for this operation. */
export const EBADF: number = value('EBADF');
/** There is no such child process. */
export const ECHILD: number = value('ECHILD');
/** It would block now: try again after the next readiness event. */
export const EAGAIN: number = value('EAGAIN');
/** The kernel has no memory left for it. */
export const ENOMEM: number = value('ENOMEM');
/** Permission denied. */
export const EACCES: number = value('EACCES');
/** An address outside the memory of the process. */
export const EFAULT: number = value('EFAULT');
/** A block device is required. */
export const ENOTBLK: number = value('ENOTBLK');
/** The device or resource is in use. */
export const EBUSY: number = value('EBUSY');
/** The file exists already; `epoll_ctl`: the descriptor is in the set already. */
export const EEXIST: number = value('EEXIST');
/** A link across file systems. */
export const EXDEV: number = value('EXDEV');
/** No such device, or the device does not support it. */
export const ENODEV: number = value('ENODEV');
/** Not a directory. */
export const ENOTDIR: number = value('ENOTDIR');
/** A directory, where something else is needed. */
export const EISDIR: number = value('EISDIR');
/** An invalid argument. */
export const EINVAL: number = value('EINVAL');
/** The whole system has too many files open. */
export const ENFILE: number = value('ENFILE');
/** The process has too many descriptors open. */
export const EMFILE: number = value('EMFILE');
/** Not a terminal: the `ioctl` does not fit this kind of file. */
export const ENOTTY: number = value('ENOTTY');
/** The program file is being executed, or being written. */
export const ETXTBSY: number = value('ETXTBSY');
/** The file would become too large. */
export const EFBIG: number = value('EFBIG');
/** No space left; `epoll_ctl`: the limit of watches of the user is reached. */
export const ENOSPC: number = value('ENOSPC');
/** A pipe or socket has no position to seek. */
export const ESPIPE: number = value('ESPIPE');
/** The file system is read-only. */
export const EROFS: number = value('EROFS');
/** Too many links to one file. */
export const EMLINK: number = value('EMLINK');
/** Nobody will read what is written: the other end is closed. */
export const EPIPE: number = value('EPIPE');
/** An argument is outside the domain of the function. */
export const EDOM: number = value('EDOM');
/** The result cannot be represented, or does not fit the space given. */
export const ERANGE: number = value('ERANGE');
/** Waiting for the lock would be a deadlock. */
export const EDEADLK: number = value('EDEADLK');
/** The file name is too long. */
export const ENAMETOOLONG: number = value('ENAMETOOLONG');
/** No file locks are left. */
export const ENOLCK: number = value('ENOLCK');
/** The kernel, or this platform, does not have the system call. */
export const ENOSYS: number = value('ENOSYS');
/** The directory is not empty. */
export const ENOTEMPTY: number = value('ENOTEMPTY');
/** Too many symbolic links; `epoll_ctl`: epoll sets in a circle or nested too deep. */
export const ELOOP: number = value('ELOOP');
/** No message of the type asked for. */
export const ENOMSG: number = value('ENOMSG');
/** The System V object was removed. */
export const EIDRM: number = value('EIDRM');
/** The channel number is out of range. */
export const ECHRNG: number = value('ECHRNG');
/** Level 2 is not synchronized. */
export const EL2NSYNC: number = value('EL2NSYNC');
/** Level 3 has halted. */
export const EL3HLT: number = value('EL3HLT');
/** Level 3 was reset. */
export const EL3RST: number = value('EL3RST');
/** The link number is out of range. */
export const ELNRNG: number = value('ELNRNG');
/** The protocol driver is not attached. */
export const EUNATCH: number = value('EUNATCH');
/** No CSI structure is available. */
export const ENOCSI: number = value('ENOCSI');
/** Level 2 has halted. */
export const EL2HLT: number = value('EL2HLT');
/** An invalid exchange. */
export const EBADE: number = value('EBADE');
/** An invalid request descriptor. */
export const EBADR: number = value('EBADR');
/** The exchange is full. */
export const EXFULL: number = value('EXFULL');
/** No anode. */
export const ENOANO: number = value('ENOANO');
/** An invalid request code. */
export const EBADRQC: number = value('EBADRQC');
/** An invalid slot. */
export const EBADSLT: number = value('EBADSLT');
/** The font file has a bad format. */
export const EBFONT: number = value('EBFONT');
/** The device is not a stream. */
export const ENOSTR: number = value('ENOSTR');
/** No data, or no such extended attribute. */
export const ENODATA: number = value('ENODATA');
/** A timer of the operation expired. */
export const ETIME: number = value('ETIME');
/** Out of STREAMS resources. */
export const ENOSR: number = value('ENOSR');
/** The machine is not on the network. */
export const ENONET: number = value('ENONET');
/** The package is not installed. */
export const ENOPKG: number = value('ENOPKG');
/** The object is remote. */
export const EREMOTE: number = value('EREMOTE');
/** The link has been cut. */
export const ENOLINK: number = value('ENOLINK');
/** An advertise error of remote file sharing. */
export const EADV: number = value('EADV');
/** A remote mount error of remote file sharing. */
export const ESRMNT: number = value('ESRMNT');
/** A communication error while sending. */
export const ECOMM: number = value('ECOMM');
/** A protocol error. */
export const EPROTO: number = value('EPROTO');
/** A path over several remote machines was attempted. */
export const EMULTIHOP: number = value('EMULTIHOP');
/** An error specific to remote file sharing. */
export const EDOTDOT: number = value('EDOTDOT');
/** The message is malformed. */
export const EBADMSG: number = value('EBADMSG');
/** The value is too large for its type. */
export const EOVERFLOW: number = value('EOVERFLOW');
/** The name is not unique on the network. */
export const ENOTUNIQ: number = value('ENOTUNIQ');
/** The descriptor is in a bad state. */
export const EBADFD: number = value('EBADFD');
/** The remote address changed. */
export const EREMCHG: number = value('EREMCHG');
/** A needed shared library cannot be accessed. */
export const ELIBACC: number = value('ELIBACC');
/** A shared library is corrupted. */
export const ELIBBAD: number = value('ELIBBAD');
/** The library section of an executable is corrupted. */
export const ELIBSCN: number = value('ELIBSCN');
/** Too many shared libraries to link. */
export const ELIBMAX: number = value('ELIBMAX');
/** A shared library cannot be executed by itself. */
export const ELIBEXEC: number = value('ELIBEXEC');
/** An invalid sequence of bytes or characters. */
export const EILSEQ: number = value('EILSEQ');
/** The interrupted call should be restarted; the kernel keeps it to itself. */
export const ERESTART: number = value('ERESTART');
/** An error of a STREAMS pipe; ALSA: the sound device is suspended. */
export const ESTRPIPE: number = value('ESTRPIPE');
/** Too many users. */
export const EUSERS: number = value('EUSERS');
/** The descriptor is not a socket. */
export const ENOTSOCK: number = value('ENOTSOCK');
/** The socket has no peer and the call names no destination. */
export const EDESTADDRREQ: number = value('EDESTADDRREQ');
/** The message is too long to be sent in one piece. */
export const EMSGSIZE: number = value('EMSGSIZE');
/** The protocol does not fit the type of the socket. */
export const EPROTOTYPE: number = value('EPROTOTYPE');
/** The option does not exist at this level. */
export const ENOPROTOOPT: number = value('ENOPROTOOPT');
/** The protocol is not supported. */
export const EPROTONOSUPPORT: number = value('EPROTONOSUPPORT');
/** The type of socket is not supported. */
export const ESOCKTNOSUPPORT: number = value('ESOCKTNOSUPPORT');
/** The socket does not support the operation. */
export const EOPNOTSUPP: number = value('EOPNOTSUPP');
/** The protocol family is not supported. */
export const EPFNOSUPPORT: number = value('EPFNOSUPPORT');
/** The address family is not supported here. */
export const EAFNOSUPPORT: number = value('EAFNOSUPPORT');
/** The address is in use. */
export const EADDRINUSE: number = value('EADDRINUSE');
/** The address is not one of this machine, or no port is free. */
export const EADDRNOTAVAIL: number = value('EADDRNOTAVAIL');
/** The network is down. */
export const ENETDOWN: number = value('ENETDOWN');
/** There is no route to the network. */
export const ENETUNREACH: number = value('ENETUNREACH');
/** The network dropped the connection. */
export const ENETRESET: number = value('ENETRESET');
/** The connection was aborted, for example before it could be accepted. */
export const ECONNABORTED: number = value('ECONNABORTED');
/** The peer reset the connection. */
export const ECONNRESET: number = value('ECONNRESET');
/** No buffer space is left. */
export const ENOBUFS: number = value('ENOBUFS');
/** The socket is connected already. */
export const EISCONN: number = value('EISCONN');
/** The socket is not connected. */
export const ENOTCONN: number = value('ENOTCONN');
/** The socket was shut down for sending. */
export const ESHUTDOWN: number = value('ESHUTDOWN');
/** Too many descriptors are in flight in Unix-domain messages. */
export const ETOOMANYREFS: number = value('ETOOMANYREFS');
/** The peer did not answer in time. */
export const ETIMEDOUT: number = value('ETIMEDOUT');
/** Nobody listens at the address. */
export const ECONNREFUSED: number = value('ECONNREFUSED');
/** The host is down. */
export const EHOSTDOWN: number = value('EHOSTDOWN');
/** There is no route to the host. */
export const EHOSTUNREACH: number = value('EHOSTUNREACH');
/** The operation is under way already. */
export const EALREADY: number = value('EALREADY');
/** The operation has begun and goes on: the usual answer of a non-blocking `connect`. */
export const EINPROGRESS: number = value('EINPROGRESS');
/** The file handle is stale: the file on the server is gone. */
export const ESTALE: number = value('ESTALE');
/** The file system needs to be repaired. */
export const EUCLEAN: number = value('EUCLEAN');
/** Not a XENIX named file. */
export const ENOTNAM: number = value('ENOTNAM');
/** No XENIX semaphores are available. */
export const ENAVAIL: number = value('ENAVAIL');
/** A XENIX named file. */
export const EISNAM: number = value('EISNAM');
/** Input or output failed on the remote side. */
export const EREMOTEIO: number = value('EREMOTEIO');
/** The disk quota is exceeded. */
export const EDQUOT: number = value('EDQUOT');
/** There is no medium in the drive. */
export const ENOMEDIUM: number = value('ENOMEDIUM');
/** The medium has the wrong type. */
export const EMEDIUMTYPE: number = value('EMEDIUMTYPE');
/** The operation was cancelled. */
export const ECANCELED: number = value('ECANCELED');
/** The required key is not available. */
export const ENOKEY: number = value('ENOKEY');
/** The key has expired. */
export const EKEYEXPIRED: number = value('EKEYEXPIRED');
/** The key has been revoked. */
export const EKEYREVOKED: number = value('EKEYREVOKED');
/** The service rejected the key. */
export const EKEYREJECTED: number = value('EKEYREJECTED');
/** The owner of the robust mutex died. */
export const EOWNERDEAD: number = value('EOWNERDEAD');
/** The state protected by the robust mutex is lost. */
export const ENOTRECOVERABLE: number = value('ENOTRECOVERABLE');
/** A radio kill switch forbids it. */
export const ERFKILL: number = value('ERFKILL');
/** The memory page has a hardware error. */
export const EHWPOISON: number = value('EHWPOISON');

// ------------------------------------------------------------------------------------------------
// errno: numbers that only macOS and the BSDs know
// ------------------------------------------------------------------------------------------------

/** Authentication failed (macOS and the BSDs). */
export const EAUTH: number = value('EAUTH');
/** The RPC structure is bad (macOS and the BSDs). */
export const EBADRPC: number = value('EBADRPC');
/** The file has the wrong type or format (macOS and the BSDs). */
export const EFTYPE: number = value('EFTYPE');
/** An authenticator is needed (macOS and the BSDs). */
export const ENEEDAUTH: number = value('ENEEDAUTH');
/** No such extended attribute (macOS and the BSDs). */
export const ENOATTR: number = value('ENOATTR');
/** Too many processes (macOS and the BSDs). */
export const EPROCLIM: number = value('EPROCLIM');
/** The RPC program lacks the procedure (macOS and the BSDs). */
export const EPROCUNAVAIL: number = value('EPROCUNAVAIL');
/** The version of the RPC program is wrong (macOS and the BSDs). */
export const EPROGMISMATCH: number = value('EPROGMISMATCH');
/** The RPC program is not available (macOS and the BSDs). */
export const EPROGUNAVAIL: number = value('EPROGUNAVAIL');
/** The version of RPC is wrong (macOS and the BSDs). */
export const ERPCMISMATCH: number = value('ERPCMISMATCH');
/** The device failed, for example a printer without paper (macOS). */
export const EDEVERR: number = value('EDEVERR');
/** The version of the shared library does not match (macOS). */
export const ESHLIBVERS: number = value('ESHLIBVERS');
/** The executable or shared library is bad (macOS). */
export const EBADEXEC: number = value('EBADEXEC');
/** The executable is for another processor (macOS). */
export const EBADARCH: number = value('EBADARCH');
/** The Mach-O file is malformed (macOS). */
export const EBADMACHO: number = value('EBADMACHO');
/** No such policy is registered (macOS). */
export const ENOPOLICY: number = value('ENOPOLICY');
/** The output queue of the interface is full (macOS). */
export const EQFULL: number = value('EQFULL');

// ------------------------------------------------------------------------------------------------
// errno: second names, which on some platforms are numbers of their own
// ------------------------------------------------------------------------------------------------

/** The same as {@link EAGAIN} on every platform supported. */
export const EWOULDBLOCK: number = value('EWOULDBLOCK');
/** The same as {@link EDEADLK} on most Linux machines; not known to macOS. */
export const EDEADLOCK: number = value('EDEADLOCK');
/** Not supported: the same as {@link EOPNOTSUPP} on Linux, another number on macOS. */
export const ENOTSUP: number = value('ENOTSUP');
