// poll(2), ppoll(2), select(2).
#include <poll.h>
#include <sys/select.h>
#include <sys/time.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>

#include "core/arguments.h"
#include "core/blocking_wait.h"
#include "core/errno_result.h"
#include "core/wait_arguments.h"
#include "sys/functions.h"

namespace raw_epoll {

namespace {

// ts/sys/poll-fd-array.ts reads and writes the struct by these numbers.
static_assert(sizeof(pollfd) == 8 && offsetof(pollfd, fd) == 0 && offsetof(pollfd, events) == 4 &&
              offsetof(pollfd, revents) == 6);

// The memory of a PollFdArray, checked against nfds.
pollfd* Fds(Arguments& args, int64_t nfds) {
  return StructArray<pollfd>(args, {0, "fds"}, {1, "nfds"}, nfds);
}

// nfds_t is unsigned: what is below zero would be a very long array.
int64_t Count(Arguments& args, size_t index) {
  return static_cast<int64_t>(args.IntegerOf(args.value(index), "nfds", 0, INT_MAX));
}

napi_value Poll(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 3);
  const int64_t nfds = Count(args, 1);
  const int timeout_ms = args.Int(2, "timeoutMs");
  pollfd* fds = Fds(args, nfds);
  if (args.failed()) return nullptr;
  const int64_t timeout_ns = timeout_ms < 0 ? kForever : timeout_ms * kNanosecondsPerMillisecond;
  return args.Answer(BlockingWait(
      args.environment(), timeout_ns, OnInterrupt::kReport, [=](int64_t slice_ns) -> int64_t {
        return ResultOrErrno(
            ::poll(fds, static_cast<nfds_t>(nfds), MillisecondsRoundedUp(slice_ns)));
      }));
}

#ifdef __APPLE__

int64_t PollWithMask(pollfd* /*fds*/, int64_t /*nfds*/, int64_t /*timeout_ns*/,
                     const SignalMask& /*mask*/) {
  return -ENOSYS;
}

#else

sigset_t ToSigset(const SignalMask& mask) {
  sigset_t set;
  sigemptyset(&set);
  for (int signal = 1; signal <= kHighestSignal; ++signal) {
    if ((mask.bits >> (signal - 1) & 1) != 0) sigaddset(&set, signal);
  }
  return set;
}

int64_t PollWithMask(pollfd* fds, int64_t nfds, int64_t timeout_ns, const SignalMask& mask) {
  const timespec timeout = ToTimespec(timeout_ns);
  const sigset_t set = ToSigset(mask);
  return ResultOrErrno(::ppoll(fds, static_cast<nfds_t>(nfds),
                               timeout_ns == kForever ? nullptr : &timeout,
                               mask.given ? &set : nullptr));
}

#endif

napi_value Ppoll(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 4);
  const int64_t nfds = Count(args, 1);
  const int64_t timeout_ns = TimeoutOrNull(args, {2, "timeoutNs"}, 1);
  const SignalMask mask = ReadSignalMask(args, 3);
  pollfd* fds = Fds(args, nfds);
  if (args.failed()) return nullptr;
  if (timeout_ns == kInvalidTimeout) return args.Answer(-EINVAL);
  return args.Answer(
      BlockingWait(args.environment(), timeout_ns, OnInterrupt::kReport,
                   [=](int64_t slice_ns) { return PollWithMask(fds, nfds, slice_ns, mask); }));
}

// --- select ---------------------------------------------------------------------------------

constexpr int64_t kNanosecondsPerMicrosecond = 1'000;

// A set as the caller gave it. select overwrites its sets, also when the time has passed: the
// kernel works on copies, so that the next slice of a wait asks for the same descriptors.
struct Set {
  fd_set* memory = nullptr;
  fd_set copy{};

  fd_set* Fresh() {
    if (memory != nullptr) copy = *memory;
    return memory == nullptr ? nullptr : &copy;
  }
  void Give() const {
    if (memory != nullptr) *memory = copy;
  }
};

struct Sets {
  Set read;
  Set write;
  Set except;
};

Set SetAt(Arguments& args, Parameter set) {
  if (!args.failed() && !args.IsMissing(set.index) && args.IsMissingOrNull(set.index)) return {};
  return {StructArray<fd_set>(args, set, set, 1)};
}

timeval ToTimeval(int64_t ns) {
  timeval time{};
  // Rounded up: a wait is never early.
  const int64_t us = ns / kNanosecondsPerMicrosecond + (ns % kNanosecondsPerMicrosecond > 0);
  time.tv_sec = static_cast<decltype(time.tv_sec)>(us / 1'000'000);
  time.tv_usec = static_cast<decltype(time.tv_usec)>(us % 1'000'000);
  return time;
}

int64_t SelectOnce(int nfds, Sets& sets, int64_t timeout_ns) {
  timeval timeout = ToTimeval(timeout_ns);
  fd_set* read = sets.read.Fresh();
  fd_set* write = sets.write.Fresh();
  fd_set* except = sets.except.Fresh();
  return ResultOrErrno(
      ::select(nfds, read, write, except, timeout_ns == kForever ? nullptr : &timeout));
}

napi_value Select(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 5);
  // Above FD_SETSIZE the kernel would read and write behind the sets.
  const int nfds = static_cast<int>(args.IntegerOf(args.value(0), "nfds", INT_MIN, FD_SETSIZE));
  const int64_t timeout_ns = TimeoutOrNull(args, {4, "timeoutUs"}, kNanosecondsPerMicrosecond);
  Sets sets{SetAt(args, {1, "readfds"}), SetAt(args, {2, "writefds"}),
            SetAt(args, {3, "exceptfds"})};
  if (args.failed()) return nullptr;
  if (timeout_ns == kInvalidTimeout) return args.Answer(-EINVAL);
  const int64_t answer =
      BlockingWait(args.environment(), timeout_ns, OnInterrupt::kReport,
                   [nfds, &sets](int64_t slice_ns) { return SelectOnce(nfds, sets, slice_ns); });
  if (answer >= 0) {
    sets.read.Give();
    sets.write.Give();
    sets.except.Give();
  }
  return args.Answer(answer);
}

}  // namespace

FunctionList PollFunctions() { return {{"poll", Poll}, {"ppoll", Ppoll}, {"select", Select}}; }

}  // namespace raw_epoll
