#include "sys/constants.h"

#ifdef __APPLE__
// Without it <netinet/in.h> hides IPV6_RECVPKTINFO and IPV6_TCLASS.
#define __APPLE_USE_RFC_3542  // NOLINT(bugprone-reserved-identifier): a name that Apple chose
#endif

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <node_api.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <ctime>

#include "core/kqueue_header.h"

#if __has_include(<sys/epoll.h>)
#include <sys/epoll.h>
#endif
#if __has_include(<sys/eventfd.h>)
#include <sys/eventfd.h>
#endif
#if __has_include(<sys/inotify.h>)
#include <sys/inotify.h>
#endif
#if __has_include(<linux/sockios.h>)
#include <linux/sockios.h>
#endif
#if __has_include(<sys/timerfd.h>)
#include <sys/timerfd.h>
#endif

namespace raw_epoll {

namespace {

struct Constant {
  const char* name;
  int64_t value;
};

constexpr Constant NamedConstant(const char* name, int64_t value) { return {name, value}; }

// Where a C library makes a constant an enumerator, it also defines a macro of that name: #ifdef
// finds both kinds.
#define CONSTANT(name) NamedConstant(#name, name)
// EPOLLET is bit 31: a mask is never negative, whatever type the header gives it.
#define EVENT_BITS(name) NamedConstant(#name, static_cast<uint32_t>(name))

#ifdef __clang__
// macOS marks some constants as deprecated; they are what its header has all the same.
#pragma clang diagnostic ignored "-Wdeprecated-declarations"
#endif

constexpr Constant kConstants[] = {
// epoll: flag of `epoll_create1`, operations of `epoll_ctl`.
#ifdef EPOLL_CLOEXEC
    CONSTANT(EPOLL_CLOEXEC),
#endif
#ifdef EPOLL_CTL_ADD
    CONSTANT(EPOLL_CTL_ADD),
#endif
#ifdef EPOLL_CTL_DEL
    CONSTANT(EPOLL_CTL_DEL),
#endif
#ifdef EPOLL_CTL_MOD
    CONSTANT(EPOLL_CTL_MOD),
#endif
// epoll: event bits, which `epoll_wait` can report.
#ifdef EPOLLIN
    EVENT_BITS(EPOLLIN),
#endif
#ifdef EPOLLPRI
    EVENT_BITS(EPOLLPRI),
#endif
#ifdef EPOLLOUT
    EVENT_BITS(EPOLLOUT),
#endif
#ifdef EPOLLRDNORM
    EVENT_BITS(EPOLLRDNORM),
#endif
#ifdef EPOLLRDBAND
    EVENT_BITS(EPOLLRDBAND),
#endif
#ifdef EPOLLWRNORM
    EVENT_BITS(EPOLLWRNORM),
#endif
#ifdef EPOLLWRBAND
    EVENT_BITS(EPOLLWRBAND),
#endif
#ifdef EPOLLMSG
    EVENT_BITS(EPOLLMSG),
#endif
#ifdef EPOLLERR
    EVENT_BITS(EPOLLERR),
#endif
#ifdef EPOLLHUP
    EVENT_BITS(EPOLLHUP),
#endif
#ifdef EPOLLRDHUP
    EVENT_BITS(EPOLLRDHUP),
#endif
// epoll: flags of a registration, which `epoll_wait` never reports.
#ifdef EPOLLEXCLUSIVE
    EVENT_BITS(EPOLLEXCLUSIVE),
#endif
#ifdef EPOLLWAKEUP
    EVENT_BITS(EPOLLWAKEUP),
#endif
#ifdef EPOLLONESHOT
    EVENT_BITS(EPOLLONESHOT),
#endif
#ifdef EPOLLET
    EVENT_BITS(EPOLLET),
#endif
// poll: event bits. select: its limit.
#ifdef POLLIN
    CONSTANT(POLLIN),
#endif
#ifdef POLLPRI
    CONSTANT(POLLPRI),
#endif
#ifdef POLLOUT
    CONSTANT(POLLOUT),
#endif
#ifdef POLLRDHUP
    CONSTANT(POLLRDHUP),
#endif
#ifdef POLLERR
    CONSTANT(POLLERR),
#endif
#ifdef POLLHUP
    CONSTANT(POLLHUP),
#endif
#ifdef POLLNVAL
    CONSTANT(POLLNVAL),
#endif
#ifdef POLLRDNORM
    CONSTANT(POLLRDNORM),
#endif
#ifdef POLLRDBAND
    CONSTANT(POLLRDBAND),
#endif
#ifdef POLLWRNORM
    CONSTANT(POLLWRNORM),
#endif
#ifdef POLLWRBAND
    CONSTANT(POLLWRBAND),
#endif
#ifdef FD_SETSIZE
    CONSTANT(FD_SETSIZE),
#endif
// kqueue: filters.
#ifdef EVFILT_READ
    CONSTANT(EVFILT_READ),
#endif
#ifdef EVFILT_WRITE
    CONSTANT(EVFILT_WRITE),
#endif
#ifdef EVFILT_AIO
    CONSTANT(EVFILT_AIO),
#endif
#ifdef EVFILT_VNODE
    CONSTANT(EVFILT_VNODE),
#endif
#ifdef EVFILT_PROC
    CONSTANT(EVFILT_PROC),
#endif
#ifdef EVFILT_PROCDESC
    CONSTANT(EVFILT_PROCDESC),
#endif
#ifdef EVFILT_SIGNAL
    CONSTANT(EVFILT_SIGNAL),
#endif
#ifdef EVFILT_TIMER
    CONSTANT(EVFILT_TIMER),
#endif
#ifdef EVFILT_USER
    CONSTANT(EVFILT_USER),
#endif
#ifdef EVFILT_MACHPORT
    CONSTANT(EVFILT_MACHPORT),
#endif
#ifdef EVFILT_FS
    CONSTANT(EVFILT_FS),
#endif
#ifdef EVFILT_VM
    CONSTANT(EVFILT_VM),
#endif
#ifdef EVFILT_EXCEPT
    CONSTANT(EVFILT_EXCEPT),
#endif
#ifdef EVFILT_LIO
    CONSTANT(EVFILT_LIO),
#endif
#ifdef EVFILT_SENDFILE
    CONSTANT(EVFILT_SENDFILE),
#endif
#ifdef EVFILT_EMPTY
    CONSTANT(EVFILT_EMPTY),
#endif
#ifdef EVFILT_DEVICE
    CONSTANT(EVFILT_DEVICE),
#endif
// kqueue: actions and modes in flags.
#ifdef EV_ADD
    CONSTANT(EV_ADD),
#endif
#ifdef EV_DELETE
    CONSTANT(EV_DELETE),
#endif
#ifdef EV_ENABLE
    CONSTANT(EV_ENABLE),
#endif
#ifdef EV_DISABLE
    CONSTANT(EV_DISABLE),
#endif
#ifdef EV_ONESHOT
    CONSTANT(EV_ONESHOT),
#endif
#ifdef EV_CLEAR
    CONSTANT(EV_CLEAR),
#endif
#ifdef EV_RECEIPT
    CONSTANT(EV_RECEIPT),
#endif
#ifdef EV_DISPATCH
    CONSTANT(EV_DISPATCH),
#endif
#ifdef EV_UDATA_SPECIFIC
    CONSTANT(EV_UDATA_SPECIFIC),
#endif
#ifdef EV_DISPATCH2
    CONSTANT(EV_DISPATCH2),
#endif
#ifdef EV_VANISHED
    CONSTANT(EV_VANISHED),
#endif
#ifdef EV_KEEPUDATA
    CONSTANT(EV_KEEPUDATA),
#endif
#ifdef EV_FORCEONESHOT
    CONSTANT(EV_FORCEONESHOT),
#endif
#ifdef EV_DROP
    CONSTANT(EV_DROP),
#endif
#ifdef EV_SYSFLAGS
    CONSTANT(EV_SYSFLAGS),
#endif
#ifdef EV_FLAG0
    CONSTANT(EV_FLAG0),
#endif
#ifdef EV_FLAG1
    CONSTANT(EV_FLAG1),
#endif
#ifdef EV_OOBAND
    CONSTANT(EV_OOBAND),
#endif
#ifdef EV_POLL
    CONSTANT(EV_POLL),
#endif
#ifdef EV_NODATA
    CONSTANT(EV_NODATA),
#endif
// kqueue: answers in flags.
#ifdef EV_EOF
    CONSTANT(EV_EOF),
#endif
#ifdef EV_ERROR
    CONSTANT(EV_ERROR),
#endif
// kqueue: fflags of EVFILT_READ, EVFILT_WRITE and EVFILT_EXCEPT.
#ifdef NOTE_LOWAT
    CONSTANT(NOTE_LOWAT),
#endif
#ifdef NOTE_OOB
    CONSTANT(NOTE_OOB),
#endif
#ifdef NOTE_FILE_POLL
    CONSTANT(NOTE_FILE_POLL),
#endif
// kqueue: fflags of EVFILT_VNODE.
#ifdef NOTE_DELETE
    CONSTANT(NOTE_DELETE),
#endif
#ifdef NOTE_WRITE
    CONSTANT(NOTE_WRITE),
#endif
#ifdef NOTE_EXTEND
    CONSTANT(NOTE_EXTEND),
#endif
#ifdef NOTE_ATTRIB
    CONSTANT(NOTE_ATTRIB),
#endif
#ifdef NOTE_LINK
    CONSTANT(NOTE_LINK),
#endif
#ifdef NOTE_RENAME
    CONSTANT(NOTE_RENAME),
#endif
#ifdef NOTE_REVOKE
    CONSTANT(NOTE_REVOKE),
#endif
#ifdef NOTE_NONE
    CONSTANT(NOTE_NONE),
#endif
#ifdef NOTE_FUNLOCK
    CONSTANT(NOTE_FUNLOCK),
#endif
#ifdef NOTE_LEASE_DOWNGRADE
    CONSTANT(NOTE_LEASE_DOWNGRADE),
#endif
#ifdef NOTE_LEASE_RELEASE
    CONSTANT(NOTE_LEASE_RELEASE),
#endif
#ifdef NOTE_OPEN
    CONSTANT(NOTE_OPEN),
#endif
#ifdef NOTE_CLOSE
    CONSTANT(NOTE_CLOSE),
#endif
#ifdef NOTE_CLOSE_WRITE
    CONSTANT(NOTE_CLOSE_WRITE),
#endif
#ifdef NOTE_READ
    CONSTANT(NOTE_READ),
#endif
#ifdef NOTE_TRUNCATE
    CONSTANT(NOTE_TRUNCATE),
#endif
// kqueue: fflags of EVFILT_PROC and EVFILT_DEVICE.
#ifdef NOTE_EXIT
    CONSTANT(NOTE_EXIT),
#endif
#ifdef NOTE_FORK
    CONSTANT(NOTE_FORK),
#endif
#ifdef NOTE_EXEC
    CONSTANT(NOTE_EXEC),
#endif
#ifdef NOTE_REAP
    CONSTANT(NOTE_REAP),
#endif
#ifdef NOTE_SIGNAL
    CONSTANT(NOTE_SIGNAL),
#endif
#ifdef NOTE_EXITSTATUS
    CONSTANT(NOTE_EXITSTATUS),
#endif
#ifdef NOTE_EXIT_DETAIL
    CONSTANT(NOTE_EXIT_DETAIL),
#endif
#ifdef NOTE_EXIT_DETAIL_MASK
    CONSTANT(NOTE_EXIT_DETAIL_MASK),
#endif
#ifdef NOTE_EXIT_DECRYPTFAIL
    CONSTANT(NOTE_EXIT_DECRYPTFAIL),
#endif
#ifdef NOTE_EXIT_MEMORY
    CONSTANT(NOTE_EXIT_MEMORY),
#endif
#ifdef NOTE_EXIT_CSERROR
    CONSTANT(NOTE_EXIT_CSERROR),
#endif
#ifdef NOTE_PDATAMASK
    CONSTANT(NOTE_PDATAMASK),
#endif
#ifdef NOTE_PCTRLMASK
    CONSTANT(NOTE_PCTRLMASK),
#endif
#ifdef NOTE_TRACK
    CONSTANT(NOTE_TRACK),
#endif
#ifdef NOTE_TRACKERR
    CONSTANT(NOTE_TRACKERR),
#endif
#ifdef NOTE_CHILD
    CONSTANT(NOTE_CHILD),
#endif
#ifdef NOTE_CHANGE
    CONSTANT(NOTE_CHANGE),
#endif
// kqueue: fflags of EVFILT_TIMER.
#ifdef NOTE_SECONDS
    CONSTANT(NOTE_SECONDS),
#endif
#ifdef NOTE_MSECONDS
    CONSTANT(NOTE_MSECONDS),
#endif
#ifdef NOTE_USECONDS
    CONSTANT(NOTE_USECONDS),
#endif
#ifdef NOTE_NSECONDS
    CONSTANT(NOTE_NSECONDS),
#endif
#ifdef NOTE_ABSOLUTE
    CONSTANT(NOTE_ABSOLUTE),
#endif
#ifdef NOTE_ABSTIME
    CONSTANT(NOTE_ABSTIME),
#endif
#ifdef NOTE_LEEWAY
    CONSTANT(NOTE_LEEWAY),
#endif
#ifdef NOTE_CRITICAL
    CONSTANT(NOTE_CRITICAL),
#endif
#ifdef NOTE_BACKGROUND
    CONSTANT(NOTE_BACKGROUND),
#endif
#ifdef NOTE_MACHTIME
    CONSTANT(NOTE_MACHTIME),
#endif
#ifdef NOTE_MACH_CONTINUOUS_TIME
    CONSTANT(NOTE_MACH_CONTINUOUS_TIME),
#endif
// kqueue: fflags of EVFILT_USER.
#ifdef NOTE_TRIGGER
    CONSTANT(NOTE_TRIGGER),
#endif
#ifdef NOTE_FFNOP
    CONSTANT(NOTE_FFNOP),
#endif
#ifdef NOTE_FFAND
    CONSTANT(NOTE_FFAND),
#endif
#ifdef NOTE_FFOR
    CONSTANT(NOTE_FFOR),
#endif
#ifdef NOTE_FFCOPY
    CONSTANT(NOTE_FFCOPY),
#endif
#ifdef NOTE_FFCTRLMASK
    CONSTANT(NOTE_FFCTRLMASK),
#endif
#ifdef NOTE_FFLAGSMASK
    CONSTANT(NOTE_FFLAGSMASK),
#endif
// kqueue: fflags of EVFILT_VM.
#ifdef NOTE_VM_PRESSURE
    CONSTANT(NOTE_VM_PRESSURE),
#endif
#ifdef NOTE_VM_PRESSURE_TERMINATE
    CONSTANT(NOTE_VM_PRESSURE_TERMINATE),
#endif
#ifdef NOTE_VM_PRESSURE_SUDDEN_TERMINATE
    CONSTANT(NOTE_VM_PRESSURE_SUDDEN_TERMINATE),
#endif
#ifdef NOTE_VM_ERROR
    CONSTANT(NOTE_VM_ERROR),
#endif
// eventfd.
#ifdef EFD_CLOEXEC
    CONSTANT(EFD_CLOEXEC),
#endif
#ifdef EFD_NONBLOCK
    CONSTANT(EFD_NONBLOCK),
#endif
#ifdef EFD_SEMAPHORE
    CONSTANT(EFD_SEMAPHORE),
#endif
// timerfd.
#ifdef TFD_CLOEXEC
    CONSTANT(TFD_CLOEXEC),
#endif
#ifdef TFD_NONBLOCK
    CONSTANT(TFD_NONBLOCK),
#endif
#ifdef TFD_TIMER_ABSTIME
    CONSTANT(TFD_TIMER_ABSTIME),
#endif
#ifdef TFD_TIMER_CANCEL_ON_SET
    CONSTANT(TFD_TIMER_CANCEL_ON_SET),
#endif
#ifdef CLOCK_REALTIME
    CONSTANT(CLOCK_REALTIME),
#endif
#ifdef CLOCK_MONOTONIC
    CONSTANT(CLOCK_MONOTONIC),
#endif
#ifdef CLOCK_BOOTTIME
    CONSTANT(CLOCK_BOOTTIME),
#endif
#ifdef CLOCK_REALTIME_ALARM
    CONSTANT(CLOCK_REALTIME_ALARM),
#endif
#ifdef CLOCK_BOOTTIME_ALARM
    CONSTANT(CLOCK_BOOTTIME_ALARM),
#endif
// sockets: address families.
#ifdef AF_UNSPEC
    CONSTANT(AF_UNSPEC),
#endif
#ifdef AF_UNIX
    CONSTANT(AF_UNIX),
#endif
#ifdef AF_INET
    CONSTANT(AF_INET),
#endif
#ifdef AF_INET6
    CONSTANT(AF_INET6),
#endif
// sockets: types, and flags that may be combined with a type.
#ifdef SOCK_STREAM
    CONSTANT(SOCK_STREAM),
#endif
#ifdef SOCK_DGRAM
    CONSTANT(SOCK_DGRAM),
#endif
#ifdef SOCK_SEQPACKET
    CONSTANT(SOCK_SEQPACKET),
#endif
#ifdef SOCK_RAW
    CONSTANT(SOCK_RAW),
#endif
#ifdef SOCK_CLOEXEC
    CONSTANT(SOCK_CLOEXEC),
#endif
#ifdef SOCK_NONBLOCK
    CONSTANT(SOCK_NONBLOCK),
#endif
#ifdef SOMAXCONN
    CONSTANT(SOMAXCONN),
#endif
// sockets: halves of a connection, for `shutdown`.
#ifdef SHUT_RD
    CONSTANT(SHUT_RD),
#endif
#ifdef SHUT_WR
    CONSTANT(SHUT_WR),
#endif
#ifdef SHUT_RDWR
    CONSTANT(SHUT_RDWR),
#endif
// sockets: protocols and levels of options.
#ifdef IPPROTO_IP
    CONSTANT(IPPROTO_IP),
#endif
#ifdef IPPROTO_IPV6
    CONSTANT(IPPROTO_IPV6),
#endif
#ifdef IPPROTO_TCP
    CONSTANT(IPPROTO_TCP),
#endif
#ifdef IPPROTO_UDP
    CONSTANT(IPPROTO_UDP),
#endif
#ifdef IPPROTO_ICMP
    CONSTANT(IPPROTO_ICMP),
#endif
#ifdef SOL_SOCKET
    CONSTANT(SOL_SOCKET),
#endif
#ifdef SOL_TCP
    CONSTANT(SOL_TCP),
#endif
// sockets: options of the level `SOL_SOCKET`.
#ifdef SO_ACCEPTCONN
    CONSTANT(SO_ACCEPTCONN),
#endif
#ifdef SO_BROADCAST
    CONSTANT(SO_BROADCAST),
#endif
#ifdef SO_BUSY_POLL
    CONSTANT(SO_BUSY_POLL),
#endif
#ifdef SO_DEBUG
    CONSTANT(SO_DEBUG),
#endif
#ifdef SO_DOMAIN
    CONSTANT(SO_DOMAIN),
#endif
#ifdef SO_DONTROUTE
    CONSTANT(SO_DONTROUTE),
#endif
#ifdef SO_ERROR
    CONSTANT(SO_ERROR),
#endif
#ifdef SO_INCOMING_CPU
    CONSTANT(SO_INCOMING_CPU),
#endif
#ifdef SO_KEEPALIVE
    CONSTANT(SO_KEEPALIVE),
#endif
#ifdef SO_LINGER
    CONSTANT(SO_LINGER),
#endif
#ifdef SO_MARK
    CONSTANT(SO_MARK),
#endif
#ifdef SO_OOBINLINE
    CONSTANT(SO_OOBINLINE),
#endif
#ifdef SO_PASSCRED
    CONSTANT(SO_PASSCRED),
#endif
#ifdef SO_PEERCRED
    CONSTANT(SO_PEERCRED),
#endif
#ifdef SO_PRIORITY
    CONSTANT(SO_PRIORITY),
#endif
#ifdef SO_PROTOCOL
    CONSTANT(SO_PROTOCOL),
#endif
#ifdef SO_RCVBUF
    CONSTANT(SO_RCVBUF),
#endif
#ifdef SO_RCVBUFFORCE
    CONSTANT(SO_RCVBUFFORCE),
#endif
#ifdef SO_RCVLOWAT
    CONSTANT(SO_RCVLOWAT),
#endif
#ifdef SO_RCVTIMEO
    CONSTANT(SO_RCVTIMEO),
#endif
#ifdef SO_REUSEADDR
    CONSTANT(SO_REUSEADDR),
#endif
#ifdef SO_REUSEPORT
    CONSTANT(SO_REUSEPORT),
#endif
#ifdef SO_SNDBUF
    CONSTANT(SO_SNDBUF),
#endif
#ifdef SO_SNDBUFFORCE
    CONSTANT(SO_SNDBUFFORCE),
#endif
#ifdef SO_SNDLOWAT
    CONSTANT(SO_SNDLOWAT),
#endif
#ifdef SO_SNDTIMEO
    CONSTANT(SO_SNDTIMEO),
#endif
#ifdef SO_TIMESTAMP
    CONSTANT(SO_TIMESTAMP),
#endif
#ifdef SO_TYPE
    CONSTANT(SO_TYPE),
#endif
#ifdef SO_BINDTODEVICE
    CONSTANT(SO_BINDTODEVICE),
#endif
#ifdef SO_ZEROCOPY
    CONSTANT(SO_ZEROCOPY),
#endif
#ifdef SO_NOSIGPIPE
    CONSTANT(SO_NOSIGPIPE),
#endif
// sockets: options of the level `IPPROTO_TCP`.
#ifdef TCP_NODELAY
    CONSTANT(TCP_NODELAY),
#endif
#ifdef TCP_MAXSEG
    CONSTANT(TCP_MAXSEG),
#endif
#ifdef TCP_CORK
    CONSTANT(TCP_CORK),
#endif
#ifdef TCP_NOPUSH
    CONSTANT(TCP_NOPUSH),
#endif
#ifdef TCP_KEEPIDLE
    CONSTANT(TCP_KEEPIDLE),
#endif
#ifdef TCP_KEEPINTVL
    CONSTANT(TCP_KEEPINTVL),
#endif
#ifdef TCP_KEEPCNT
    CONSTANT(TCP_KEEPCNT),
#endif
#ifdef TCP_KEEPALIVE
    CONSTANT(TCP_KEEPALIVE),
#endif
#ifdef TCP_SYNCNT
    CONSTANT(TCP_SYNCNT),
#endif
#ifdef TCP_LINGER2
    CONSTANT(TCP_LINGER2),
#endif
#ifdef TCP_DEFER_ACCEPT
    CONSTANT(TCP_DEFER_ACCEPT),
#endif
#ifdef TCP_WINDOW_CLAMP
    CONSTANT(TCP_WINDOW_CLAMP),
#endif
#ifdef TCP_INFO
    CONSTANT(TCP_INFO),
#endif
#ifdef TCP_QUICKACK
    CONSTANT(TCP_QUICKACK),
#endif
#ifdef TCP_CONGESTION
    CONSTANT(TCP_CONGESTION),
#endif
#ifdef TCP_USER_TIMEOUT
    CONSTANT(TCP_USER_TIMEOUT),
#endif
#ifdef TCP_FASTOPEN
    CONSTANT(TCP_FASTOPEN),
#endif
#ifdef TCP_FASTOPEN_CONNECT
    CONSTANT(TCP_FASTOPEN_CONNECT),
#endif
#ifdef TCP_NOTSENT_LOWAT
    CONSTANT(TCP_NOTSENT_LOWAT),
#endif
// sockets: states of a TCP connection. Enumerators without a macro.
#ifdef __linux__
    CONSTANT(TCP_ESTABLISHED),
    CONSTANT(TCP_SYN_SENT),
    CONSTANT(TCP_SYN_RECV),
    CONSTANT(TCP_FIN_WAIT1),
    CONSTANT(TCP_FIN_WAIT2),
    CONSTANT(TCP_TIME_WAIT),
    CONSTANT(TCP_CLOSE),
    CONSTANT(TCP_CLOSE_WAIT),
    CONSTANT(TCP_LAST_ACK),
    CONSTANT(TCP_LISTEN),
    CONSTANT(TCP_CLOSING),
#endif
// sockets: options of the level `IPPROTO_IP`.
#ifdef IP_TOS
    CONSTANT(IP_TOS),
#endif
#ifdef IP_TTL
    CONSTANT(IP_TTL),
#endif
#ifdef IP_FREEBIND
    CONSTANT(IP_FREEBIND),
#endif
#ifdef IP_TRANSPARENT
    CONSTANT(IP_TRANSPARENT),
#endif
#ifdef IP_BIND_ADDRESS_NO_PORT
    CONSTANT(IP_BIND_ADDRESS_NO_PORT),
#endif
#ifdef IP_ADD_MEMBERSHIP
    CONSTANT(IP_ADD_MEMBERSHIP),
#endif
#ifdef IP_DROP_MEMBERSHIP
    CONSTANT(IP_DROP_MEMBERSHIP),
#endif
#ifdef IP_MULTICAST_IF
    CONSTANT(IP_MULTICAST_IF),
#endif
#ifdef IP_MULTICAST_TTL
    CONSTANT(IP_MULTICAST_TTL),
#endif
#ifdef IP_MULTICAST_LOOP
    CONSTANT(IP_MULTICAST_LOOP),
#endif
#ifdef IP_PKTINFO
    CONSTANT(IP_PKTINFO),
#endif
// sockets: options of the level `IPPROTO_IPV6`.
#ifdef IPV6_V6ONLY
    CONSTANT(IPV6_V6ONLY),
#endif
#ifdef IPV6_UNICAST_HOPS
    CONSTANT(IPV6_UNICAST_HOPS),
#endif
#ifdef IPV6_JOIN_GROUP
    CONSTANT(IPV6_JOIN_GROUP),
#endif
#ifdef IPV6_LEAVE_GROUP
    CONSTANT(IPV6_LEAVE_GROUP),
#endif
#ifdef IPV6_MULTICAST_IF
    CONSTANT(IPV6_MULTICAST_IF),
#endif
#ifdef IPV6_MULTICAST_HOPS
    CONSTANT(IPV6_MULTICAST_HOPS),
#endif
#ifdef IPV6_MULTICAST_LOOP
    CONSTANT(IPV6_MULTICAST_LOOP),
#endif
#ifdef IPV6_RECVPKTINFO
    CONSTANT(IPV6_RECVPKTINFO),
#endif
#ifdef IPV6_TCLASS
    CONSTANT(IPV6_TCLASS),
#endif
// sockets: flags of sending and receiving.
#ifdef MSG_OOB
    CONSTANT(MSG_OOB),
#endif
#ifdef MSG_PEEK
    CONSTANT(MSG_PEEK),
#endif
#ifdef MSG_DONTROUTE
    CONSTANT(MSG_DONTROUTE),
#endif
#ifdef MSG_CTRUNC
    CONSTANT(MSG_CTRUNC),
#endif
#ifdef MSG_TRUNC
    CONSTANT(MSG_TRUNC),
#endif
#ifdef MSG_DONTWAIT
    CONSTANT(MSG_DONTWAIT),
#endif
#ifdef MSG_EOR
    CONSTANT(MSG_EOR),
#endif
#ifdef MSG_WAITALL
    CONSTANT(MSG_WAITALL),
#endif
#ifdef MSG_CONFIRM
    CONSTANT(MSG_CONFIRM),
#endif
#ifdef MSG_ERRQUEUE
    CONSTANT(MSG_ERRQUEUE),
#endif
#ifdef MSG_NOSIGNAL
    CONSTANT(MSG_NOSIGNAL),
#endif
#ifdef MSG_MORE
    CONSTANT(MSG_MORE),
#endif
#ifdef MSG_WAITFORONE
    CONSTANT(MSG_WAITFORONE),
#endif
#ifdef MSG_FASTOPEN
    CONSTANT(MSG_FASTOPEN),
#endif
#ifdef MSG_ZEROCOPY
    CONSTANT(MSG_ZEROCOPY),
#endif
#ifdef MSG_CMSG_CLOEXEC
    CONSTANT(MSG_CMSG_CLOEXEC),
#endif
    // Control messages of `sendmsg` and `recvmsg`.
    CONSTANT(SCM_RIGHTS),
#ifdef SCM_CREDENTIALS
    CONSTANT(SCM_CREDENTIALS),
#endif
// splice.
#ifdef SPLICE_F_MOVE
    CONSTANT(SPLICE_F_MOVE),
#endif
#ifdef SPLICE_F_NONBLOCK
    CONSTANT(SPLICE_F_NONBLOCK),
#endif
#ifdef SPLICE_F_MORE
    CONSTANT(SPLICE_F_MORE),
#endif
// ioctl: requests.
#ifdef FIONREAD
    CONSTANT(FIONREAD),
#endif
#ifdef FIONBIO
    CONSTANT(FIONBIO),
#endif
#ifdef FIOASYNC
    CONSTANT(FIOASYNC),
#endif
#ifdef FIOCLEX
    CONSTANT(FIOCLEX),
#endif
#ifdef FIONCLEX
    CONSTANT(FIONCLEX),
#endif
#ifdef SIOCATMARK
    CONSTANT(SIOCATMARK),
#endif
#ifdef SIOCINQ
    CONSTANT(SIOCINQ),
#endif
#ifdef SIOCOUTQ
    CONSTANT(SIOCOUTQ),
#endif
#ifdef SIOCOUTQNSD
    CONSTANT(SIOCOUTQNSD),
#endif
// pidfd.
#ifdef __linux__
    NamedConstant("PIDFD_NONBLOCK", O_NONBLOCK),  // <sys/pidfd.h> is not everywhere
#endif
// inotify.
#ifdef IN_CLOEXEC
    EVENT_BITS(IN_CLOEXEC),
#endif
#ifdef IN_NONBLOCK
    EVENT_BITS(IN_NONBLOCK),
#endif
#ifdef IN_ACCESS
    EVENT_BITS(IN_ACCESS),
#endif
#ifdef IN_ATTRIB
    EVENT_BITS(IN_ATTRIB),
#endif
#ifdef IN_CLOSE_WRITE
    EVENT_BITS(IN_CLOSE_WRITE),
#endif
#ifdef IN_CLOSE_NOWRITE
    EVENT_BITS(IN_CLOSE_NOWRITE),
#endif
#ifdef IN_CLOSE
    EVENT_BITS(IN_CLOSE),
#endif
#ifdef IN_CREATE
    EVENT_BITS(IN_CREATE),
#endif
#ifdef IN_DELETE
    EVENT_BITS(IN_DELETE),
#endif
#ifdef IN_DELETE_SELF
    EVENT_BITS(IN_DELETE_SELF),
#endif
#ifdef IN_MODIFY
    EVENT_BITS(IN_MODIFY),
#endif
#ifdef IN_MOVE
    EVENT_BITS(IN_MOVE),
#endif
#ifdef IN_MOVE_SELF
    EVENT_BITS(IN_MOVE_SELF),
#endif
#ifdef IN_MOVED_FROM
    EVENT_BITS(IN_MOVED_FROM),
#endif
#ifdef IN_MOVED_TO
    EVENT_BITS(IN_MOVED_TO),
#endif
#ifdef IN_OPEN
    EVENT_BITS(IN_OPEN),
#endif
#ifdef IN_ALL_EVENTS
    EVENT_BITS(IN_ALL_EVENTS),
#endif
#ifdef IN_DONT_FOLLOW
    EVENT_BITS(IN_DONT_FOLLOW),
#endif
#ifdef IN_EXCL_UNLINK
    EVENT_BITS(IN_EXCL_UNLINK),
#endif
#ifdef IN_MASK_ADD
    EVENT_BITS(IN_MASK_ADD),
#endif
#ifdef IN_MASK_CREATE
    EVENT_BITS(IN_MASK_CREATE),
#endif
#ifdef IN_ONESHOT
    EVENT_BITS(IN_ONESHOT),
#endif
#ifdef IN_ONLYDIR
    EVENT_BITS(IN_ONLYDIR),
#endif
#ifdef IN_IGNORED
    EVENT_BITS(IN_IGNORED),
#endif
#ifdef IN_ISDIR
    EVENT_BITS(IN_ISDIR),
#endif
#ifdef IN_Q_OVERFLOW
    EVENT_BITS(IN_Q_OVERFLOW),
#endif
#ifdef IN_UNMOUNT
    EVENT_BITS(IN_UNMOUNT),
#endif
// fcntl: commands.
#ifdef F_DUPFD
    CONSTANT(F_DUPFD),
#endif
#ifdef F_DUPFD_CLOEXEC
    CONSTANT(F_DUPFD_CLOEXEC),
#endif
#ifdef F_GETFD
    CONSTANT(F_GETFD),
#endif
#ifdef F_SETFD
    CONSTANT(F_SETFD),
#endif
#ifdef F_GETFL
    CONSTANT(F_GETFL),
#endif
#ifdef F_SETFL
    CONSTANT(F_SETFL),
#endif
#ifdef F_GETPIPE_SZ
    CONSTANT(F_GETPIPE_SZ),
#endif
#ifdef F_SETPIPE_SZ
    CONSTANT(F_SETPIPE_SZ),
#endif
#ifdef F_ADD_SEALS
    CONSTANT(F_ADD_SEALS),
#endif
#ifdef F_GET_SEALS
    CONSTANT(F_GET_SEALS),
#endif
#ifdef FD_CLOEXEC
    CONSTANT(FD_CLOEXEC),
#endif
// open: access modes and status flags, for `pipe2`, `dup3` and `fcntl`.
#ifdef O_RDONLY
    CONSTANT(O_RDONLY),
#endif
#ifdef O_WRONLY
    CONSTANT(O_WRONLY),
#endif
#ifdef O_RDWR
    CONSTANT(O_RDWR),
#endif
#ifdef O_ACCMODE
    CONSTANT(O_ACCMODE),
#endif
#ifdef O_NONBLOCK
    CONSTANT(O_NONBLOCK),
#endif
#ifdef O_CLOEXEC
    CONSTANT(O_CLOEXEC),
#endif
#ifdef O_APPEND
    CONSTANT(O_APPEND),
#endif
#ifdef O_ASYNC
    CONSTANT(O_ASYNC),
#endif
#ifdef O_DIRECT
    CONSTANT(O_DIRECT),
#endif
#ifdef O_DSYNC
    CONSTANT(O_DSYNC),
#endif
#ifdef O_SYNC
    CONSTANT(O_SYNC),
#endif
#ifdef O_NOATIME
    CONSTANT(O_NOATIME),
#endif
// signals, for the `sigmask` arguments.
#ifdef SIGHUP
    CONSTANT(SIGHUP),
#endif
#ifdef SIGINT
    CONSTANT(SIGINT),
#endif
#ifdef SIGQUIT
    CONSTANT(SIGQUIT),
#endif
#ifdef SIGILL
    CONSTANT(SIGILL),
#endif
#ifdef SIGTRAP
    CONSTANT(SIGTRAP),
#endif
#ifdef SIGABRT
    CONSTANT(SIGABRT),
#endif
#ifdef SIGIOT
    CONSTANT(SIGIOT),
#endif
#ifdef SIGBUS
    CONSTANT(SIGBUS),
#endif
#ifdef SIGFPE
    CONSTANT(SIGFPE),
#endif
#ifdef SIGKILL
    CONSTANT(SIGKILL),
#endif
#ifdef SIGUSR1
    CONSTANT(SIGUSR1),
#endif
#ifdef SIGSEGV
    CONSTANT(SIGSEGV),
#endif
#ifdef SIGUSR2
    CONSTANT(SIGUSR2),
#endif
#ifdef SIGPIPE
    CONSTANT(SIGPIPE),
#endif
#ifdef SIGALRM
    CONSTANT(SIGALRM),
#endif
#ifdef SIGTERM
    CONSTANT(SIGTERM),
#endif
#ifdef SIGSTKFLT
    CONSTANT(SIGSTKFLT),
#endif
#ifdef SIGCHLD
    CONSTANT(SIGCHLD),
#endif
#ifdef SIGCONT
    CONSTANT(SIGCONT),
#endif
#ifdef SIGSTOP
    CONSTANT(SIGSTOP),
#endif
#ifdef SIGTSTP
    CONSTANT(SIGTSTP),
#endif
#ifdef SIGTTIN
    CONSTANT(SIGTTIN),
#endif
#ifdef SIGTTOU
    CONSTANT(SIGTTOU),
#endif
#ifdef SIGURG
    CONSTANT(SIGURG),
#endif
#ifdef SIGXCPU
    CONSTANT(SIGXCPU),
#endif
#ifdef SIGXFSZ
    CONSTANT(SIGXFSZ),
#endif
#ifdef SIGVTALRM
    CONSTANT(SIGVTALRM),
#endif
#ifdef SIGPROF
    CONSTANT(SIGPROF),
#endif
#ifdef SIGWINCH
    CONSTANT(SIGWINCH),
#endif
#ifdef SIGIO
    CONSTANT(SIGIO),
#endif
#ifdef SIGPOLL
    CONSTANT(SIGPOLL),
#endif
#ifdef SIGPWR
    CONSTANT(SIGPWR),
#endif
#ifdef SIGSYS
    CONSTANT(SIGSYS),
#endif
// errno, not by way of CONSTANT, which would be given the number instead of the name.
#define ERRNO(name) NamedConstant(#name, name),
#include "core/errno_list.inc"
};

#undef CONSTANT
#undef EVENT_BITS

bool SetNumber(napi_env env, napi_value object, const char* name, int64_t number) {
  napi_value value = nullptr;
  return napi_create_int64(env, number, &value) == napi_ok &&
         napi_set_named_property(env, object, name, value) == napi_ok;
}

// The real-time signals are known at run time only: the C library takes some for itself.
bool SetRealTimeSignals(napi_env env, napi_value object) {
#if defined(SIGRTMIN) && defined(SIGRTMAX)
  return SetNumber(env, object, "SIGRTMIN", SIGRTMIN) &&
         SetNumber(env, object, "SIGRTMAX", SIGRTMAX);
#else
  static_cast<void>(env);
  static_cast<void>(object);
  return true;
#endif
}

}  // namespace

napi_value MakeConstants(napi_env env) {
  napi_value constants = nullptr;
  if (napi_create_object(env, &constants) != napi_ok) return nullptr;
  for (const Constant& constant : kConstants) {
    if (!SetNumber(env, constants, constant.name, constant.value)) return nullptr;
  }
  return SetRealTimeSignals(env, constants) ? constants : nullptr;
}

}  // namespace raw_epoll
