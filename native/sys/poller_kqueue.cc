// What the backend `kqueue` of Poller stands on (ts/poller/backends/kqueue.ts).
//
// A registration is one or two knotes, EVFILT_READ and EVFILT_WRITE, whose udata holds generation
// and descriptor. Changes are made with EV_RECEIPT and a list of exactly as many answers, and waits
// make none: so no answer to a change is ever lost, or taken for an event.
#include <cerrno>
#include <cstring>

#include "core/arguments.h"
#include "core/blocking_wait.h"
#include "core/errno_result.h"
#include "core/kqueue_header.h"
#include "core/set_wait.h"
#include "core/wait_arguments.h"
#include "sys/functions.h"

namespace raw_epoll {

namespace {

#ifdef RAW_EPOLL_HAS_KQUEUE

using KernelEvent = struct kevent;

// Bits of ts/poller/conditions.ts.
constexpr uint32_t kReadable = 0x1;
constexpr uint32_t kWritable = 0x4;
constexpr uint32_t kError = 0x8;
constexpr uint32_t kHangup = 0x10;
constexpr uint32_t kReadClosed = 0x2000;
constexpr uint32_t kOneShot = uint32_t{1} << 30;
constexpr uint32_t kEdge = uint32_t{1} << 31;

// The types of the struct's fields differ between the systems.
using Filter = decltype(KernelEvent::filter);
using Flags = decltype(KernelEvent::flags);
using Udata = decltype(KernelEvent::udata);

struct Direction {
  uint32_t interest;
  Filter filter;
};
constexpr Direction kDirections[] = {{kReadable, EVFILT_READ}, {kWritable, EVFILT_WRITE}};

// Changes that are made in one call, and their answers.
class Changes {
 public:
  explicit Changes(int kq) : kq_(kq) {}

  void Add(uintptr_t ident, Filter filter, unsigned flags, uint64_t data) {
    static_assert(sizeof(Udata) == sizeof data, "generation and descriptor need 64 bits");
    Udata udata{};
    std::memcpy(&udata, &data, sizeof udata);
    EV_SET(&changes_[count_++], ident, filter, static_cast<Flags>(flags | EV_RECEIPT), 0, 0, udata);
  }

  // 0, or what the first was refused with; `tolerated` is no refusal.
  int64_t Make(int tolerated) {
    if (count_ == 0) return 0;
    const timespec now{};
    KernelEvent answers[kMost];
    const int64_t told = ResultOrErrno(::kevent(kq_, changes_, count_, answers, count_, &now));
    if (told < 0) return told;
    for (int64_t i = 0; i < told; ++i) {
      const bool is_answer = (answers[i].flags & EV_ERROR) != 0;
      if (is_answer && answers[i].data != 0 && answers[i].data != tolerated) {
        return -static_cast<int64_t>(answers[i].data);
      }
    }
    return 0;
  }

 private:
  static constexpr int kMost = 2;

  int kq_;
  int count_ = 0;
  KernelEvent changes_[kMost]{};
};

// The same flags for both knotes of a descriptor that `mask` asks for.
int64_t ChangeBoth(int kq, int fd, uint32_t mask, unsigned flags, uint64_t data, int tolerated) {
  Changes changes(kq);
  for (const Direction& direction : kDirections) {
    if ((mask & direction.interest) == 0) continue;
    changes.Add(static_cast<uintptr_t>(fd), direction.filter, flags, data);
  }
  return changes.Make(tolerated);
}

// A knote's trigger mode does not change when it is added again: it is deleted first.
int64_t Put(int kq, int fd, uint32_t mask, uint64_t data) {
  const int64_t deleted = ChangeBoth(kq, fd, kReadable | kWritable, EV_DELETE, 0, ENOENT);
  if (deleted < 0) return deleted;
  unsigned flags = EV_ADD;
  if ((mask & kEdge) != 0) flags |= EV_CLEAR;
  if ((mask & kOneShot) != 0) flags |= EV_DISPATCH;
  const int64_t added = ChangeBoth(kq, fd, mask, flags, data, 0);
  if (added < 0) ChangeBoth(kq, fd, kReadable | kWritable, EV_DELETE, 0, ENOENT);
  return added;
}

uint32_t ConditionsOf(const KernelEvent& event) {
  const bool ended = (event.flags & EV_EOF) != 0;
  const uint32_t error = ended && event.fflags != 0 ? kError : 0;
  if (event.filter == EVFILT_WRITE) return kWritable | error | (ended ? kHangup : 0);
  return kReadable | error | (ended ? kReadClosed : 0);
}

// What the merge of two knotes into one event needs.
struct Merge {
  ReadyRecord* records;
  uint32_t* positions;  // Descriptor → where its record was last.
  size_t fds;
  int64_t count = 0;

  void Add(uint64_t data, uint32_t conditions) {
    const auto fd = static_cast<uint32_t>(data);
    if (fd >= fds) return;  // Nobody registered that.
    const uint32_t position = positions[fd];
    if (position < count && records[position].data.u64 == data) {
      records[position].events |= conditions;
      return;
    }
    positions[fd] = static_cast<uint32_t>(count);
    records[count].events = conditions;
    records[count].data.u64 = data;
    ++count;
  }
};

// A wait that a wake has ended, with nothing to report.
constexpr int64_t kOnlyWoken = INT_MAX;

int64_t Collect(const KernelEvent* events, int64_t count, Merge merge, int wake_fd) {
  bool woken = false;
  for (int64_t i = 0; i < count; ++i) {
    const KernelEvent& event = events[i];
    uint64_t data = 0;
    std::memcpy(&data, &event.udata, sizeof data);
    if (data >> 32 != 0) {
      merge.Add(data, ConditionsOf(event));
      continue;
    }
    woken = true;  // Generation 0: no registration has it.
    if (wake_fd >= 0) DrainWake(wake_fd);
  }
  return merge.count == 0 && woken ? kOnlyWoken : merge.count;
}

// One knote of a one-shot has fired and is disabled: so is the other.
void DisableFired(int kq, const ReadyRecord* records, int64_t count, const uint32_t* masks) {
  for (int64_t i = 0; i < count; ++i) {
    const auto fd = static_cast<uint32_t>(records[i].data.u64);
    if ((masks[fd] & kOneShot) == 0) continue;
    ChangeBoth(kq, static_cast<int>(fd), masks[fd], EV_DISABLE, records[i].data.u64, ENOENT);
  }
}

int64_t WaitOnce(int kq, KernelEvent* events, int maxevents, int64_t timeout_ns) {
  // Some systems refuse times that are too long; the caller waits on.
  constexpr int64_t kLongestNs = 86'400 * kNanosecondsPerSecond;
  const timespec timeout = ToTimespec(timeout_ns > kLongestNs ? kLongestNs : timeout_ns);
  return ResultOrErrno(
      ::kevent(kq, nullptr, 0, events, maxevents, timeout_ns == kForever ? nullptr : &timeout));
}

// kqueue_put(kq, fd, mask, generation): the knotes that `mask` asks for, and no others.
napi_value KqueuePut(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 4);
  const int kq = args.Int(0, "kq");
  const int fd = args.Int(1, "fd");
  const uint32_t mask = args.Mask(2, "mask");
  const uint32_t generation = args.Uint32(3, "generation");
  if (args.failed()) return nullptr;
  return args.Answer(Put(kq, fd, mask, DataOf(generation, fd)));
}

// kqueue_has(kq, fd, mask, generation): 1 if the kernel still has the knotes, or 0: then the
// descriptor was closed. A change without EV_ADD is refused where there is no knote, and where
// there is one it only sets its udata again.
napi_value KqueueHas(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 4);
  const int kq = args.Int(0, "kq");
  const int fd = args.Int(1, "fd");
  const uint32_t mask = args.Mask(2, "mask");
  const uint32_t generation = args.Uint32(3, "generation");
  if (args.failed()) return nullptr;
  return args.Answer(ChangeBoth(kq, fd, mask, 0, DataOf(generation, fd), 0) == 0 ? 1 : 0);
}

// kqueue(numbers, kevents, positions, masks, events, maxevents, timeoutMs, spinUs): waits.
// `numbers` is [kq, the descriptor that wakes or -1]; `kevents` is memory for maxevents struct
// kevent.
napi_value KqueueWait(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 8);
  const WaitTime time = ReadWaitTime(args, 6);
  const int maxevents = args.Int(5, "maxevents");
  const Slice numbers = args.TypedArray(0, "numbers", napi_int32_array, 2);
  auto* kevents = StructArray<KernelEvent>(args, {1, "kevents"}, {5, "maxevents"}, maxevents);
  const Slice masks = args.TypedArray(3, "masks", napi_uint32_array, 0);
  const size_t fds = masks.length / sizeof(uint32_t);
  const Slice positions = args.TypedArray(2, "positions", napi_uint32_array, fds);
  auto* records = StructArray<ReadyRecord>(args, {4, "events"}, {5, "maxevents"}, maxevents);
  if (args.failed()) return nullptr;
  if (maxevents < 1) return args.Answer(-EINVAL);  // As epoll; kevent(2) would not wait.
  const auto* number = reinterpret_cast<const int32_t*>(numbers.data);
  const int kq = number[0];
  const int wake_fd = number[1];
  const auto* mask = reinterpret_cast<const uint32_t*>(masks.data);
  const Merge merge{records, reinterpret_cast<uint32_t*>(positions.data), fds};
  const int64_t count =
      BlockingWait(args.environment(), time, OnInterrupt::kRetry, [=](int64_t slice_ns) -> int64_t {
        const int64_t ready = WaitOnce(kq, kevents, maxevents, slice_ns);
        return ready <= 0 ? ready : Collect(kevents, ready, merge, wake_fd);
      });
  if (count == kOnlyWoken) return args.Answer(0);
  if (count > 0) DisableFired(kq, records, count, mask);
  return args.Answer(count);
}

#else

constexpr napi_callback KqueuePut = NotHere;
constexpr napi_callback KqueueHas = NotHere;
constexpr napi_callback KqueueWait = NotHere;

#endif

}  // namespace

FunctionList KqueuePollerFunctions() {
  return {{"kqueue", KqueueWait}, {"kqueue_put", KqueuePut}, {"kqueue_has", KqueueHas}};
}

}  // namespace raw_epoll
