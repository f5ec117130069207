// kqueue(2), kevent(2).
#include <fcntl.h>

#include <cerrno>
#include <cstdint>

#include "core/arguments.h"
#include "core/blocking_wait.h"
#include "core/errno_result.h"
#include "core/kqueue_header.h"
#include "core/new_descriptor.h"
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

}  // namespace

FunctionList KqueueFunctions() {
  return {{"kqueue", Kqueue<Ownership::kNobody>}, {"kevent", Kevent}};
}

FunctionList OwnedKqueueFunctions() { return {{"kqueue", Kqueue<Ownership::kOwned>}}; }

}  // namespace raw_epoll
