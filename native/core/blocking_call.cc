#include "core/blocking_call.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <mutex>
#include <string>

#include "core/kernel_call.h"

#ifdef __linux__
#include <sys/syscall.h>
#endif

namespace raw_epoll {

namespace {

// A pipe that poll(2) calls writable takes this much at once.
#ifdef PIPE_BUF
constexpr size_t kAlwaysFits = PIPE_BUF;
#else
constexpr size_t kAlwaysFits = 512;  // What POSIX grants.
#endif

// Files and directories are never waited for, and poll(2) calls them ready at all times.
bool CanWait(int fd) {
  struct stat file {};
  if (::fstat(fd, &file) != 0) return false;
  return !S_ISREG(file.st_mode) && !S_ISDIR(file.st_mode) && !S_ISBLK(file.st_mode);
}

bool IsEmpty(const iovec& part) { return part.iov_len == 0; }

bool IsReady(int fd, short events) {
  pollfd target{fd, events, 0};
  return ::poll(&target, 1, 0) > 0;
}

// A pipe's end for writing is never ready to read, and a read of it is refused at once.
bool IsOtherEnd(int fd, short events) {
  const int other = (events & POLLOUT) != 0 ? O_RDONLY : O_WRONLY;
  return (::fcntl(fd, F_GETFL) & O_ACCMODE) == other;
}

// The last resort, for what has no way to be asked without blocking: asks poll(2), and makes the
// call if it is ready. One thread of this process at a time; a thread that is too late does not
// queue, because waiting for a lock cannot be interrupted. What another process takes between
// the two calls still makes the second one block.
template <typename Call>
int64_t CallIfReady(int fd, short events, Call call) {
  static std::mutex turns[64];
  const std::unique_lock<std::mutex> turn(turns[fd % 64], std::try_to_lock);
  if (!turn.owns_lock() || !(IsReady(fd, events) || IsOtherEnd(fd, events))) return -EAGAIN;
  return call();
}

msghdr MessageOf(const iovec* iov, size_t count) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(iov);
  message.msg_iovlen = static_cast<decltype(message.msg_iovlen)>(count);
  return message;
}

#if defined(__linux__) && defined(RWF_NOWAIT) && defined(SYS_preadv2)

// Through syscall(): older C libraries, which the published binary is to load with, lack them.
// Linux >= 6.5 for pipes, 5.8 for reading eventfds, 6.10 for timerfds.
int64_t NoWait(long number, int fd, const iovec* iov, size_t count) {
  constexpr long kNoPosition = -1;
  return ResultOrErrno(::syscall(number, fd, iov, count, kNoPosition, kNoPosition, RWF_NOWAIT));
}

int64_t ReadNoWait(int fd, const iovec* iov, size_t count) {
  return NoWait(SYS_preadv2, fd, iov, count);
}

int64_t WriteNoWait(int fd, const iovec* iov, size_t count) {
  return NoWait(SYS_pwritev2, fd, iov, count);
}

#else

int64_t ReadNoWait(int, const iovec*, size_t) { return -EOPNOTSUPP; }
int64_t WriteNoWait(int, const iovec*, size_t) { return -EOPNOTSUPP; }

#endif

bool IsUnknownToKernel(int64_t result) { return result == -EOPNOTSUPP || result == -ENOSYS; }

// An eventfd is writable as soon as 1 fits, and a larger number blocks then. What it holds is
// told by /proc alone; true where there is none, and for what is no eventfd.
bool FitsEventfd(int fd, const iovec& part) {
  uint64_t value = 0;
  if (part.iov_len != sizeof value) return true;
  std::memcpy(&value, part.iov_base, sizeof value);
  if (value <= 1 || value == UINT64_MAX) return true;  // The last one is refused.
  std::ifstream info("/proc/self/fdinfo/" + std::to_string(fd));
  for (std::string word; info >> word;) {
    uint64_t count = 0;
    if (word == "eventfd-count:" && info >> std::hex >> count) return value < UINT64_MAX - count;
  }
  return true;
}

int64_t ReadNow(int fd, const iovec* iov, size_t count) {
  msghdr message = MessageOf(iov, count);
  int64_t result = ResultOrErrno(::recvmsg(fd, &message, MSG_DONTWAIT));
  if (result != -ENOTSOCK) return result;
  result = ReadNoWait(fd, iov, count);
  if (!IsUnknownToKernel(result)) return result;
  return CallIfReady(fd, POLLIN,
                     [=] { return ResultOrErrno(::readv(fd, iov, static_cast<int>(count))); });
}

int64_t WriteNow(int fd, const iovec* iov, size_t count) {
  const msghdr message = MessageOf(iov, count);
  int64_t result = ResultOrErrno(::sendmsg(fd, &message, MSG_DONTWAIT));
  if (result != -ENOTSOCK) return result;
  const iovec* part = std::find_if_not(iov, iov + count, IsEmpty);
  if (part == iov + count) return ResultOrErrno(::write(fd, nullptr, 0));
  result = WriteNoWait(fd, iov, count);
  if (!IsUnknownToKernel(result)) return result;
  return CallIfReady(fd, POLLOUT, [=]() -> int64_t {
    if (!FitsEventfd(fd, *part)) return -EAGAIN;
    return ResultOrErrno(::write(fd, part->iov_base, std::min(part->iov_len, kAlwaysFits)));
  });
}

// Only a listener has something to wait for, which poll(2) does not say of the others.
bool Listens(int fd) {
  int listens = 0;
  socklen_t length = sizeof listens;
  return ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) == 0 && listens != 0;
}

bool AreFlagsOfAccept(int flags) {
#ifdef SOCK_CLOEXEC
  return (flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK)) == 0;
#else
  return flags == 0;
#endif
}

template <typename Attempt>
int64_t CallInSlices(const Environment& environment, int fd, short events, Attempt attempt) {
  const int64_t result = attempt();
  return result == -EAGAIN ? AttemptWhenReady(environment, fd, events, attempt) : result;
}

}  // namespace

bool CanBlock(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  return flags >= 0 && (flags & O_NONBLOCK) == 0 && CanWait(fd);
}

int64_t SocketTimeoutNs(int fd, short events) {
  timeval limit{};
  socklen_t length = sizeof limit;
  const int option = (events & POLLOUT) != 0 ? SO_SNDTIMEO : SO_RCVTIMEO;
  if (::getsockopt(fd, SOL_SOCKET, option, &limit, &length) != 0) return kForever;
  const int64_t ns = int64_t{limit.tv_sec} * kNanosecondsPerSecond + int64_t{limit.tv_usec} * 1000;
  return ns == 0 ? kForever : ns;
}

int64_t ReadInSlices(const Environment& environment, int fd, const iovec* iov, size_t count) {
  // Reading nothing never waits, and recvmsg(2) would.
  if (std::all_of(iov, iov + count, IsEmpty)) return ResultOrErrno(::read(fd, nullptr, 0));
  return CallInSlices(environment, fd, POLLIN, [=] { return ReadNow(fd, iov, count); });
}

int64_t WriteInSlices(const Environment& environment, int fd, const iovec* iov, size_t count) {
  return CallInSlices(environment, fd, POLLOUT, [=] { return WriteNow(fd, iov, count); });
}

int64_t AcceptInSlices(const Environment& environment, int fd, sockaddr* address, socklen_t* length,
                       int flags) {
  if (!Listens(fd) || !AreFlagsOfAccept(flags)) {
    return kernel::Accept4(fd, address, length, flags);  // Refused at once.
  }
  return CallInSlices(environment, fd, POLLIN, [=] {
    return CallIfReady(fd, POLLIN, [=] { return kernel::Accept4(fd, address, length, flags); });
  });
}

int64_t ConnectInSlices(const Environment& environment, int fd, const sockaddr* address,
                        socklen_t length) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (::fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) return -errno;
  // Asked again once it is writable, connect(2) tells how it ended. A Unix socket whose listener
  // is full answers EAGAIN until there is room.
  int64_t answer = 0;
  const auto attempt = [&]() -> int64_t {
    answer = ResultOrErrno(::connect(fd, address, length));
    return answer == -EINPROGRESS || answer == -EALREADY ? -EAGAIN : answer;
  };
  const int64_t result = CallInSlices(environment, fd, POLLOUT, attempt);
  ::fcntl(fd, F_SETFL, flags);
  // Out of time (SO_SNDTIMEO): EINPROGRESS for TCP, as the kernel has it.
  return result == -EAGAIN ? answer : result;
}

}  // namespace raw_epoll
