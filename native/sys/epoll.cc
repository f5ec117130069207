// epoll_create1(2), epoll_ctl(2), epoll_wait(2), epoll_pwait(2), epoll_pwait2(2), and what the
// sets of level 2 stand on.
#include <cerrno>

#include "core/arguments.h"
#include "core/blocking_wait.h"
#include "core/call_frame.h"
#include "core/errno_result.h"
#include "core/kernel_call.h"
#include "core/new_descriptor.h"
#include "core/set_wait.h"
#include "core/wait_arguments.h"
#include "sys/functions.h"

#ifdef __linux__

#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441  // The same number on every architecture (since Linux 5.11).
#endif

#endif

namespace raw_epoll {

namespace {

#ifdef __linux__

// The kernel packs the struct on x86-64 only. Level 1 reads it through these three numbers.
#ifdef __x86_64__
static_assert(sizeof(epoll_event) == 12 && offsetof(epoll_event, data) == 4);
#else
static_assert(sizeof(epoll_event) == 16 && offsetof(epoll_event, data) == 8);
#endif

// The memory of an EpollEventArray, checked against maxevents.
epoll_event* Events(Arguments& args, size_t index, int maxevents) {
  return StructArray<epoll_event>(args, {index, "events"}, {index + 1, "maxevents"}, maxevents);
}

int64_t Pwait(int epfd, epoll_event* events, int maxevents, int timeout_ms,
              const SignalMask& mask) {
  return ResultOrErrno(
      syscall(SYS_epoll_pwait, epfd, events, maxevents, timeout_ms, mask.get(), kKernelSigsetSize));
}

int64_t Pwait2(int epfd, epoll_event* events, int maxevents, int64_t timeout_ns,
               const SignalMask& mask) {
  const timespec timeout = ToTimespec(timeout_ns);
  return ResultOrErrno(syscall(SYS_epoll_pwait2, epfd, events, maxevents,
                               timeout_ns == kForever ? nullptr : &timeout, mask.get(),
                               kKernelSigsetSize));
}

template <Ownership kOwnership>
napi_value EpollCreate1(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 1);
  const int flags = args.Int(0, "flags");
  if (args.failed()) return nullptr;
  const int64_t fd = ResultOrErrno(::epoll_create1(flags));
  return args.Answer(NewDescriptor<kOwnership>(args.environment(), fd));
}

napi_value EpollCtl(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 5);
  const int epfd = args.Int(0, "epfd");
  const int op = args.Int(1, "op");
  const int fd = args.Int(2, "fd");
  epoll_event event{};
  event.events = args.failed() || args.IsMissing(3) ? 0 : args.Mask(3, "events");
  event.data.u64 =
      args.failed() || args.IsMissing(4) ? static_cast<uint32_t>(fd) : args.Uint64(4, "data");
  if (args.failed()) return nullptr;
  return args.Answer(kernel::EpollCtl(epfd, op, fd, &event));
}

int64_t WaitMs(const Environment& environment, int epfd, epoll_event* events, int maxevents,
               int timeout_ms) {
  const int64_t timeout_ns = timeout_ms < 0 ? kForever : timeout_ms * kNanosecondsPerMillisecond;
  return BlockingWait(
      environment, timeout_ns, OnInterrupt::kReport, [=](int64_t slice_ns) -> int64_t {
        return kernel::EpollWait(epfd, events, maxevents, MillisecondsRoundedUp(slice_ns));
      });
}

napi_value EpollWait(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 4);
  const int epfd = args.Int(0, "epfd");
  const int maxevents = args.Int(2, "maxevents");
  const int timeout_ms = args.Int(3, "timeoutMs");
  epoll_event* events = Events(args, 1, maxevents);
  if (args.failed()) return nullptr;
  return args.Answer(WaitMs(args.environment(), epfd, events, maxevents, timeout_ms));
}

epoll_event* KnownEvents(const FramedCall& call) {
  return reinterpret_cast<epoll_event*>(call.Known(MemoryRole::kEvents));
}

// epoll_ctl [epfd, op, fd, events, low half of data, high half]
napi_value FramedEpollCtl(napi_env env, napi_callback_info info) {
  const FramedCall call(env, info);
  epoll_event event{};
  event.events = call.Mask(3);
  event.data.u64 = uint64_t{call.Mask(5)} << 32 | call.Mask(4);
  return call.Answer(kernel::EpollCtl(call.Int(0), call.Int(1), call.Int(2), &event));
}

// epoll_wait [epfd, maxevents, timeoutMs]
napi_value FramedEpollWait(napi_env env, napi_callback_info info) {
  const FramedCall call(env, info);
  return call.Answer(
      WaitMs(call.environment(), call.Int(0), KnownEvents(call), call.Int(1), call.Int(2)));
}

napi_value EpollPwait(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 5);
  const int epfd = args.Int(0, "epfd");
  const int maxevents = args.Int(2, "maxevents");
  const int timeout_ms = args.Int(3, "timeoutMs");
  const SignalMask mask = ReadSignalMask(args, 4);
  epoll_event* events = Events(args, 1, maxevents);
  if (args.failed()) return nullptr;
  const int64_t timeout_ns = timeout_ms < 0 ? kForever : timeout_ms * kNanosecondsPerMillisecond;
  return args.Answer(BlockingWait(
      args.environment(), timeout_ns, OnInterrupt::kReport, [=](int64_t slice_ns) -> int64_t {
        return Pwait(epfd, events, maxevents, MillisecondsRoundedUp(slice_ns), mask);
      }));
}

napi_value EpollPwait2(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 5);
  const int epfd = args.Int(0, "epfd");
  const int maxevents = args.Int(2, "maxevents");
  const int64_t timeout_ns = TimeoutOrNull(args, {3, "timeoutNs"}, 1);
  const SignalMask mask = ReadSignalMask(args, 4);
  epoll_event* events = Events(args, 1, maxevents);
  if (args.failed()) return nullptr;
  // A struct timespec below zero is the kernel's to refuse, and -1 ns is not "forever" there.
  if (timeout_ns == kInvalidTimeout) return args.Answer(-EINVAL);
  return args.Answer(BlockingWait(args.environment(), timeout_ns, OnInterrupt::kReport,
                                  [=](int64_t slice_ns) -> int64_t {
                                    return Pwait2(epfd, events, maxevents, slice_ns, mask);
                                  }));
}

// --- What the sets of level 2 stand on -----------------------------------------------------

// Set once epoll_pwait2 was refused: ENOSYS before Linux 5.11, EPERM under some filters.
std::atomic<bool> pwait2_is_missing{false};

int64_t WaitOnce(int epfd, epoll_event* events, int maxevents, int64_t timeout_ns) {
  if (!IsWholeMilliseconds(timeout_ns) && !IsForcedWithoutPwait2() &&
      !pwait2_is_missing.load(std::memory_order_relaxed)) {
    const int64_t result = Pwait2(epfd, events, maxevents, timeout_ns, SignalMask{});
    if (result != -ENOSYS && result != -EPERM) return result;
    pwait2_is_missing.store(true, std::memory_order_relaxed);
  }
  return kernel::EpollWait(epfd, events, maxevents, MillisecondsRoundedUp(timeout_ns));
}

// Takes the wake event out of the batch and consumes it. Answers what is left. The wake
// descriptor has generation 0, which no registration has.
int64_t WithoutWake(epoll_event* events, int64_t count, int wake_fd) {
  const auto wake_data = static_cast<uint64_t>(wake_fd);
  for (int64_t i = 0; i < count; ++i) {
    if (events[i].data.u64 != wake_data) continue;
    DrainWake(wake_fd);
    events[i] = events[count - 1];
    return count - 1;
  }
  return count;
}

struct Set {
  int epfd;
  int wake_fd;
};

int64_t Wait(const Environment& environment, Set set, epoll_event* events, int maxevents,
             WaitTime time) {
  const int64_t count = BlockingWait(environment, time, OnInterrupt::kRetry, [=](int64_t slice_ns) {
    return WaitOnce(set.epfd, events, maxevents, slice_ns);
  });
  return count > 0 ? WithoutWake(events, count, set.wake_fd) : count;
}

// set_wait(epfd, wakeFd, events, maxevents, timeoutMs >= 0 or Infinity, spinUs): retries EINTR.
napi_value SetWait(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 6);
  const int epfd = args.Int(0, "epfd");
  const int wake_fd = args.Int(1, "wakeFd");
  const int maxevents = args.Int(3, "maxevents");
  const WaitTime time = ReadWaitTime(args, 4);
  epoll_event* events = Events(args, 2, maxevents);
  if (args.failed()) return nullptr;
  return args.Answer(Wait(args.environment(), {epfd, wake_fd}, events, maxevents, time));
}

// wait [epfd, wakeFd, maxevents, spinUs], timeoutMs
napi_value FramedSetWait(napi_env env, napi_callback_info info) {
  const FramedCall call(env, info);
  const WaitTime time(TimeoutNs(call.number()), call.Int(3) * kNanosecondsPerMicrosecond);
  const Set set{call.Int(0), call.Int(1)};
  return call.Answer(Wait(call.environment(), set, KnownEvents(call), call.Int(2), time));
}

#else

template <Ownership kOwnership>
constexpr napi_callback EpollCreate1 = NotHere;
constexpr napi_callback EpollCtl = NotHere;
constexpr napi_callback EpollWait = NotHere;
constexpr napi_callback EpollPwait = NotHere;
constexpr napi_callback EpollPwait2 = NotHere;
constexpr napi_callback SetWait = NotHere;
constexpr napi_callback FramedEpollCtl = FramedNotHere;
constexpr napi_callback FramedEpollWait = FramedNotHere;
constexpr napi_callback FramedSetWait = FramedNotHere;

#endif

}  // namespace

FunctionList EpollFunctions() {
  return {
      {"epoll_create1", EpollCreate1<Ownership::kNobody>},
      {"epoll_ctl", EpollCtl},
      {"epoll_wait", EpollWait},
      {"epoll_pwait", EpollPwait},
      {"epoll_pwait2", EpollPwait2},
  };
}

FunctionList OwnedEpollFunctions() { return {{"epoll_create1", EpollCreate1<Ownership::kOwned>}}; }

FunctionList FramedEpollFunctions() {
  return {
      {"epoll_ctl", FramedEpollCtl},
      {"epoll_wait", FramedEpollWait},
      {"set_wait", FramedSetWait},
  };
}

FunctionList SetFunctions() { return {{"wait", SetWait}}; }

}  // namespace raw_epoll
