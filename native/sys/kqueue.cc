// kqueue(2), kevent(2), and what the sets of level 2 stand on.
#include <fcntl.h>

#include <cerrno>
#include <cstdint>

#include "core/arguments.h"
#include "core/blocking_wait.h"
#include "core/errno_result.h"
#include "core/kqueue_header.h"
#include "core/new_descriptor.h"
#include "core/set_wait.h"
#include "core/wait_arguments.h"
#include "sys/functions.h"

namespace raw_epoll {

namespace {

#ifdef RAW_EPOLL_HAS_KQUEUE

using KernelEvent = struct kevent;

int64_t MakeKqueue() { return ResultOrErrno(::kqueue()); }

// What is owned is close-on-exec from birth; plain kqueue() has no flag for that.
int64_t MakeOwnedKqueue() {
  const int64_t fd = MakeKqueue();
  if (fd >= 0) ::fcntl(static_cast<int>(fd), F_SETFD, FD_CLOEXEC);
  return fd;
}

int64_t CallKevent(int kq, const KernelEvent* changes, int nchanges, KernelEvent* events,
                   int nevents, int64_t timeout_ns) {
  const timespec timeout = ToTimespec(timeout_ns);
  return ResultOrErrno(::kevent(kq, changes, nchanges, events, nevents,
                                timeout_ns == kForever ? nullptr : &timeout));
}

// --- What the sets of level 2 stand on -----------------------------------------------------

// Has the kqueue watch what wakes it: `wake_fd`, or without one its own event of the user.
int64_t WatchWake(int kq, int wake_fd) {
  KernelEvent change;
  if (wake_fd >= 0) {
    EV_SET(&change, static_cast<uintptr_t>(wake_fd), EVFILT_READ, EV_ADD, 0, 0, nullptr);
  } else {
#ifdef EVFILT_USER
    EV_SET(&change, kWakeIdent, EVFILT_USER, EV_ADD | EV_CLEAR, 0, 0, nullptr);
#else
    return -ENOSYS;
#endif
  }
  return ResultOrErrno(::kevent(kq, &change, 1, nullptr, 0, nullptr));
}

bool IsWake(const KernelEvent& event, int wake_fd) {
  if (wake_fd >= 0) {
    return event.filter == EVFILT_READ && event.ident == static_cast<uintptr_t>(wake_fd);
  }
#ifdef EVFILT_USER
  return event.filter == EVFILT_USER && event.ident == kWakeIdent;
#else
  return false;
#endif
}

// Takes the wake out of the batch and consumes it. Answers what is left.
int64_t WithoutWake(KernelEvent* events, int64_t count, int wake_fd) {
  for (int64_t i = 0; i < count; ++i) {
    if (!IsWake(events[i], wake_fd)) continue;
    if (wake_fd >= 0) DrainWake(wake_fd);
    events[i] = events[count - 1];
    return count - 1;
  }
  return count;
}

// Some kernels refuse a timeout of years. Of a shorter one BlockingWait makes as many as it takes.
int64_t WaitOnce(int kq, KernelEvent* events, int nevents, int64_t timeout_ns) {
  constexpr int64_t kMostNs = 86'400 * kNanosecondsPerSecond;
  const bool is_long = timeout_ns == kForever || timeout_ns > kMostNs;
  return CallKevent(kq, nullptr, 0, events, nevents, is_long ? kMostNs : timeout_ns);
}

#else

// As large as the struct of the systems that have it, so that arrays hold what they say.
struct KernelEvent {
  uint64_t words[4];
};

int64_t MakeKqueue() { return -ENOSYS; }

int64_t MakeOwnedKqueue() { return -ENOSYS; }

int64_t CallKevent(int /*kq*/, const KernelEvent* /*changes*/, int /*nchanges*/,
                   KernelEvent* /*events*/, int /*nevents*/, int64_t /*timeout_ns*/) {
  return -ENOSYS;
}

int64_t WatchWake(int /*kq*/, int /*wake_fd*/) { return -ENOSYS; }

int64_t WithoutWake(KernelEvent* /*events*/, int64_t count, int /*wake_fd*/) { return count; }

int64_t WaitOnce(int /*kq*/, KernelEvent* /*events*/, int /*nevents*/, int64_t /*timeout_ns*/) {
  return -ENOSYS;
}

#endif

template <Ownership kOwnership>
napi_value Kqueue(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 0);
  if (args.failed()) return nullptr;
  const int64_t fd = kOwnership == Ownership::kOwned ? MakeOwnedKqueue() : MakeKqueue();
  return args.Answer(NewDescriptor<kOwnership>(args.environment(), fd));
}

// Not every kernel refuses a count below zero: FreeBSD would write events without end.
int Count(Arguments& args, Parameter count) {
  return static_cast<int>(args.IntegerOf(args.value(count.index), count.name, 0, INT_MAX));
}

// The memory of a KeventArray, checked against its count; null has room for nothing.
KernelEvent* Events(Arguments& args, Parameter array, Parameter count, int wanted) {
  const bool is_null = !args.IsMissing(array.index) && args.IsMissingOrNull(array.index);
  if (args.failed() || !is_null) return StructArray<KernelEvent>(args, array, count, wanted);
  if (wanted > 0) {
    args.ThrowRange(count.name, std::string("0, for ") + array.name + " is null",
                    args.value(count.index));
  }
  return nullptr;
}

napi_value Kevent(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 6);
  const int kq = args.Int(0, "kq");
  const int nchanges = Count(args, {2, "nchanges"});
  const int nevents = Count(args, {4, "nevents"});
  const int64_t timeout_ns = TimeoutOrNull(args, {5, "timeoutNs"}, 1);
  const KernelEvent* changes = Events(args, {1, "changes"}, {2, "nchanges"}, nchanges);
  KernelEvent* events = Events(args, {3, "events"}, {4, "nevents"}, nevents);
  if (args.failed()) return nullptr;
  if (timeout_ns == kInvalidTimeout) return args.Answer(-EINVAL);
  // Without room for an event kevent returns at once, whatever the timeout.
  const int64_t wait_ns = nevents == 0 ? 0 : timeout_ns;
  // The changes are made once, by the first slice of the wait.
  return args.Answer(BlockingWait(args.environment(), wait_ns, OnInterrupt::kReport,
                                  [=, left = nchanges](int64_t slice_ns) mutable {
                                    const int now = left;
                                    left = 0;
                                    return CallKevent(kq, changes, now, events, nevents, slice_ns);
                                  }));
}

// watch_wake(kq, wakeFd or -1)
napi_value KqueueWatchWake(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 2);
  const int kq = args.Int(0, "kq");
  const int wake_fd = args.Int(1, "wakeFd");
  if (args.failed()) return nullptr;
  return args.Answer(WatchWake(kq, wake_fd));
}

// wait(kq, wakeFd or -1, events, nevents, timeoutMs >= 0 or Infinity, spinUs): retries EINTR.
napi_value KqueueWait(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 6);
  const int kq = args.Int(0, "kq");
  const int wake_fd = args.Int(1, "wakeFd");
  const int nevents = Count(args, {3, "nevents"});
  const WaitTime time = ReadWaitTime(args, 4);
  KernelEvent* events = Events(args, {2, "events"}, {3, "nevents"}, nevents);
  if (args.failed()) return nullptr;
  const int64_t count =
      BlockingWait(args.environment(), time, OnInterrupt::kRetry,
                   [=](int64_t slice_ns) { return WaitOnce(kq, events, nevents, slice_ns); });
  return args.Answer(count > 0 ? WithoutWake(events, count, wake_fd) : count);
}

}  // namespace

FunctionList KqueueFunctions() {
  return {{"kqueue", Kqueue<Ownership::kNobody>}, {"kevent", Kevent}};
}

FunctionList KqueueSetFunctions() { return {{"watchWake", KqueueWatchWake}, {"wait", KqueueWait}}; }

FunctionList OwnedKqueueFunctions() { return {{"kqueue", Kqueue<Ownership::kOwned>}}; }

}  // namespace raw_epoll
