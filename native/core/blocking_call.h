// Calls on descriptors that block (no O_NONBLOCK), made so that a worker in them can be stopped.
//
// poll(2) first and the call after it is not enough: a large write to a pipe with little room
// blocks halfway, and of two threads that wait for one connection the slower finds none. So the
// call itself is made without blocking, in the way that its kind of file offers, and in between
// the descriptor is waited for in slices.
//
// docs/decisions/0007-blocking-descriptors-on-workers.md says what that means for callers.
#ifndef RAW_EPOLL_CORE_BLOCKING_CALL_H_
#define RAW_EPOLL_CORE_BLOCKING_CALL_H_

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>
#include <climits>
#include <cstdint>

#include "core/blocking_wait.h"
#include "core/environment.h"
#include "core/errno_result.h"

namespace raw_epoll {

// True on a worker for a descriptor whose calls may wait without end: make the call through one
// of the functions below. False on the main thread, where the system call may block as it is.
bool CanBlock(int fd);
inline bool WaitsInSlices(const Environment& environment, int fd) {
  return !environment.is_main_thread() && CanBlock(fd);
}

// readv(2) and writev(2). A write may take less than was asked for.
int64_t ReadInSlices(const Environment& environment, int fd, const iovec* iov, size_t count);
int64_t WriteInSlices(const Environment& environment, int fd, const iovec* iov, size_t count);

// accept4(2).
int64_t AcceptInSlices(const Environment& environment, int fd, sockaddr* address, socklen_t* length,
                       int flags);

// connect(2).
int64_t ConnectInSlices(const Environment& environment, int fd, const sockaddr* address,
                        socklen_t length);

// A socket's own limit (SO_RCVTIMEO, SO_SNDTIMEO), which poll(2) does not know.
int64_t SocketTimeoutNs(int fd, short events);

// Waits until `fd` has one of the poll(2) `events` and makes `attempt`, until that answers
// something else than -EAGAIN. Answers what it did, -EAGAIN after the socket's own timeout,
// -EINTR, or kStopping. For an attempt that was made once already, and refused with -EAGAIN.
template <typename Attempt>
int64_t AttemptWhenReady(const Environment& environment, int fd, short events, Attempt attempt) {
  constexpr int kPauseMs = 1;
  int64_t result = -EAGAIN;
  const auto wait = [&](int64_t timeout_ns) -> int64_t {
    pollfd target{fd, events, 0};
    const int64_t ready = ResultOrErrno(::poll(&target, 1, MillisecondsRoundedUp(timeout_ns)));
    if (ready <= 0) return ready;
    result = attempt();
    if (result != -EAGAIN) return 1;
    // Another thread was faster, or the file is ready for something else than this call: a full
    // Unix socket that is not connected is always writable. Without a pause this would spin.
    return ResultOrErrno(::poll(nullptr, 0, kPauseMs));
  };
  const int64_t timeout_ns = SocketTimeoutNs(fd, events);
  const int64_t waited = BlockingWait(environment, timeout_ns, OnInterrupt::kReport, wait);
  return waited < 0 ? waited : result;
}

#ifdef MSG_ERRQUEUE
constexpr int kNeverBlocks = MSG_DONTWAIT | MSG_ERRQUEUE;
#else
constexpr int kNeverBlocks = MSG_DONTWAIT;
#endif

// The recv(2) and send(2) family; `move` takes the flags. On a worker it is first tried without
// blocking: that costs nothing when there is something to move, and a descriptor that would block
// is waited for in slices.
template <typename Move>
int64_t MoveBytes(const Environment& environment, int fd, int flags, short events, Move move) {
  if (environment.is_main_thread() || (flags & kNeverBlocks) != 0) return move(flags);
  const int64_t moved = move(flags | MSG_DONTWAIT);
  if (moved != -EAGAIN || !WaitsInSlices(environment, fd)) return moved;
  return AttemptWhenReady(environment, fd, events, [&] { return move(flags | MSG_DONTWAIT); });
}

}  // namespace raw_epoll

#endif  // RAW_EPOLL_CORE_BLOCKING_CALL_H_
