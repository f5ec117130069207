// What the backends `poll` and `select` of Poller stand on (ts/poller/backends/).
//
// Their kernel interfaces keep no registrations: the caller shows them all with every wait. So the
// caller's arrays are kept in the kernel's own layout and changed in place, and a wait reads and
// writes them where they are. What is ready comes out in the form that epoll has, with the
// generation that the caller's table has now.
#include <fcntl.h>
#include <poll.h>
#include <sys/select.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "core/arguments.h"
#include "core/blocking_wait.h"
#include "core/errno_result.h"
#include "core/set_wait.h"
#include "core/wait_arguments.h"
#include "sys/functions.h"

namespace raw_epoll {

namespace {

// Conditions have poll's numbers everywhere, and epoll has the same.
#ifdef POLLRDHUP
constexpr short kReadClosed = POLLRDHUP;
#else
constexpr short kReadClosed = 0;
#endif
constexpr short kReported = POLLIN | POLLPRI | POLLOUT | POLLERR | POLLHUP | kReadClosed;

#ifdef __linux__
static_assert(POLLIN == EPOLLIN && POLLPRI == EPOLLPRI && POLLOUT == EPOLLOUT);
static_assert(POLLERR == EPOLLERR && POLLHUP == EPOLLHUP && POLLRDHUP == EPOLLRDHUP);
constexpr uint32_t kOneShot = EPOLLONESHOT;
#else
constexpr uint32_t kOneShot = uint32_t{1} << 30;
#endif

// A wait that a wake has ended, with nothing to report.
constexpr int64_t kOnlyWoken = INT_MAX;

// The caller's tables, by descriptor. The descriptor that wakes has generation 0.
struct Registrations {
  const uint32_t* generations = nullptr;
  const uint32_t* masks = nullptr;
  size_t count = 0;

  uint32_t generation(int fd) const {
    return static_cast<size_t>(fd) < count ? generations[fd] : 0;
  }
  bool is_one_shot(int fd) const {
    return static_cast<size_t>(fd) < count && (masks[fd] & kOneShot) != 0;
  }
};

Registrations ReadRegistrations(Arguments& args, size_t index) {
  const Slice generations = args.TypedArray(index, "generations", napi_uint32_array, 0);
  const Slice masks =
      args.TypedArray(index + 1, "masks", napi_uint32_array, generations.length / sizeof(uint32_t));
  return {reinterpret_cast<const uint32_t*>(generations.data),
          reinterpret_cast<const uint32_t*>(masks.data), generations.length / sizeof(uint32_t)};
}

// The batch that a wait fills.
struct Batch {
  ReadyRecord* records = nullptr;
  int64_t capacity = 0;
  int64_t count = 0;
  bool woken = false;

  bool is_full() const { return count == capacity; }
  void Add(int fd, uint32_t generation, uint32_t conditions) {
    records[count].events = conditions;
    records[count].data.u64 = DataOf(generation, fd);
    ++count;
  }
  // 0 says to go on waiting.
  int64_t Answer() const { return count == 0 && woken ? kOnlyWoken : count; }
};

Batch ReadBatch(Arguments& args, size_t index) {
  const Slice memory = args.View(index, "events");
  const int capacity = args.Int(index + 1, "maxevents");
  Batch batch;
  batch.records = reinterpret_cast<ReadyRecord*>(memory.data);
  batch.capacity = capacity;
  const size_t room = memory.data == nullptr ? 0 : memory.length / sizeof(ReadyRecord);
  if (!args.failed() && (capacity < 1 || static_cast<size_t>(capacity) > room)) {
    args.ThrowRange("maxevents", "the capacity of events", args.value(index + 1));
  }
  return batch;
}

template <typename Wait>
napi_value AnswerWait(Arguments& args, WaitTime time, Wait wait) {
  const int64_t count = BlockingWait(args.environment(), time, OnInterrupt::kRetry, wait);
  return args.Answer(count == kOnlyWoken ? 0 : count);
}

// inspect(fd): 0, or what epoll would refuse the descriptor with.
napi_value Inspect(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 1);
  const int fd = args.Int(0, "fd");
  if (args.failed()) return nullptr;
  struct stat file {};
  if (::fstat(fd, &file) != 0) return args.Answer(-errno);
  const bool always_ready = S_ISREG(file.st_mode) || S_ISDIR(file.st_mode) || S_ISBLK(file.st_mode);
  return args.Answer(always_ready ? -EPERM : 0);
}

// --- poll(2) -------------------------------------------------------------------------------

int64_t PollOnce(pollfd* slots, size_t count, int64_t timeout_ns) {
#if defined(__linux__) || defined(__FreeBSD__)
  if (!IsWholeMilliseconds(timeout_ns) && !IsForcedWithoutPpoll()) {
    const timespec timeout = ToTimespec(timeout_ns);
    return ResultOrErrno(::ppoll(slots, static_cast<nfds_t>(count), &timeout, nullptr));
  }
#endif
  return ResultOrErrno(
      ::poll(slots, static_cast<nfds_t>(count), MillisecondsRoundedUp(timeout_ns)));
}

// A slot whose number poll(2) passes over. One that is to be waited for again gets it back.
void Disarm(pollfd& slot) { slot.fd = ~slot.fd; }

// Somebody closed the descriptor while it was registered: it says nothing any more, as with
// epoll. The caller knows such a slot by its events.
void Bury(pollfd& slot) {
  Disarm(slot);
  slot.events = POLLNVAL;
}

// Reports what is ready, from slot `*first` on and around, so that with a small batch nobody
// starves; then `*first` is where the next report begins. Slot 0 wakes, and is not shown.
int64_t CollectSlots(pollfd* slots, size_t count, int32_t* first,
                     const Registrations& registrations, Batch batch) {
  if ((slots[0].revents & POLLNVAL) != 0) return -EBADF;
  if (slots[0].revents != 0) {
    DrainWake(slots[0].fd);
    batch.woken = true;
  }
  auto i = static_cast<size_t>(*first);
  for (size_t looked = 1; looked < count && !batch.is_full(); ++looked, ++i) {
    if (i >= count) i = 1;
    pollfd& slot = slots[i];
    if (slot.revents == 0) continue;
    if ((slot.revents & POLLNVAL) != 0) {
      Bury(slot);
      continue;
    }
    batch.Add(slot.fd, registrations.generation(slot.fd),
              static_cast<uint32_t>(slot.revents & kReported));
    if (registrations.is_one_shot(slot.fd)) Disarm(slot);
  }
  *first = static_cast<int32_t>(i);
  return batch.Answer();
}

// poll(slots, numbers, generations, masks, events, maxevents, timeoutMs, spinUs): waits with the
// first slots of struct pollfd slots[]. `numbers` is [how many of them, where the report begins].
napi_value PollWait(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 8);
  const WaitTime time = ReadWaitTime(args, 6);
  const Slice memory = args.View(0, "slots");
  const Slice numbers = args.TypedArray(1, "numbers", napi_int32_array, 2);
  const Registrations registrations = ReadRegistrations(args, 2);
  const Batch batch = ReadBatch(args, 4);
  if (args.failed() || batch.records == nullptr) return nullptr;
  auto* number = reinterpret_cast<int32_t*>(numbers.data);
  const int32_t count = number[0];
  if (count < 1 || static_cast<size_t>(count) > memory.length / sizeof(pollfd) || number[1] < 1) {
    return args.Answer(-EINVAL);
  }
  auto* slots = reinterpret_cast<pollfd*>(memory.data);
  const auto slot_count = static_cast<size_t>(count);
  return AnswerWait(args, time, [&](int64_t slice_ns) -> int64_t {
    const int64_t ready = PollOnce(slots, slot_count, slice_ns);
    if (ready <= 0) return ready;
    return CollectSlots(slots, slot_count, &number[1], registrations, batch);
  });
}

// --- select(2) -----------------------------------------------------------------------------

// What is asked for, as select(2) wants it, and which descriptors were closed while registered.
struct SelectSets {
  fd_set read;
  fd_set write;
  fd_set except;
  fd_set buried;
};

SelectSets* ReadSets(Arguments& args, size_t index) {
  const Slice memory = args.View(index, "sets");
  if (!args.failed() && memory.length < sizeof(SelectSets)) {
    args.ThrowRange("sets", "large enough for struct SelectSets", args.value(index));
  }
  return reinterpret_cast<SelectSets*>(memory.data);
}

bool Fits(int fd) { return fd >= 0 && fd < FD_SETSIZE; }

void Put(fd_set* set, int fd, bool in) {
  if (in) {
    FD_SET(fd, set);
  } else {
    FD_CLR(fd, set);
  }
}

void PutMask(SelectSets* sets, int fd, uint32_t mask) {
  Put(&sets->read, fd, (mask & POLLIN) != 0);
  Put(&sets->write, fd, (mask & POLLOUT) != 0);
  Put(&sets->except, fd, (mask & POLLPRI) != 0);
  Put(&sets->buried, fd, (mask & POLLNVAL) != 0);
}

uint32_t MaskOf(const SelectSets* sets, int fd) {
  return (FD_ISSET(fd, &sets->read) ? POLLIN : 0U) | (FD_ISSET(fd, &sets->write) ? POLLOUT : 0U) |
         (FD_ISSET(fd, &sets->except) ? POLLPRI : 0U) |
         (FD_ISSET(fd, &sets->buried) ? POLLNVAL : 0U);
}

// select_put(sets, fd, mask): what to wait for; 0 for nothing.
napi_value SelectPut(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 3);
  const int fd = args.Int(1, "fd");
  const uint32_t mask = args.Mask(2, "mask");
  SelectSets* sets = ReadSets(args, 0);
  if (args.failed()) return nullptr;
  if (!Fits(fd)) return args.Answer(-EINVAL);
  PutMask(sets, fd, mask);
  return args.Answer(0);
}

// select_buried(sets, fd): 1 if the descriptor was closed while registered, or 0.
napi_value SelectBuried(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 2);
  const int fd = args.Int(1, "fd");
  const SelectSets* sets = ReadSets(args, 0);
  if (args.failed()) return nullptr;
  return args.Answer(Fits(fd) && (MaskOf(sets, fd) & POLLNVAL) != 0 ? 1 : 0);
}

// select(2) refuses them all when one was closed: finds out which.
int64_t BuryClosed(SelectSets* sets, int nfds, const Registrations& registrations) {
  for (int fd = 0; fd < nfds; ++fd) {
    if (MaskOf(sets, fd) == 0 || ::fcntl(fd, F_GETFD) != -1) continue;
    if (registrations.generation(fd) == 0) return -EBADF;  // The one that wakes.
    PutMask(sets, fd, POLLNVAL);
  }
  return 0;
}

int64_t SelectOnce(SelectSets* ready, int nfds, int64_t timeout_ns) {
  constexpr int64_t kNanosecondsPerMicrosecond = 1000;
  const int64_t us =
      timeout_ns / kNanosecondsPerMicrosecond + (timeout_ns % kNanosecondsPerMicrosecond > 0);
  timeval timeout{};
  timeout.tv_sec = static_cast<decltype(timeout.tv_sec)>(us / 1'000'000);
  timeout.tv_usec = static_cast<decltype(timeout.tv_usec)>(us % 1'000'000);
  return ResultOrErrno(::select(nfds, &ready->read, &ready->write, &ready->except,
                                timeout_ns == kForever ? nullptr : &timeout));
}

int64_t CollectBits(SelectSets* sets, const SelectSets* ready, int nfds, int32_t* first,
                    const Registrations& registrations, Batch batch) {
  int fd = *first;
  for (int looked = 0; looked < nfds && !batch.is_full(); ++looked, ++fd) {
    if (fd >= nfds) fd = 0;
    const uint32_t conditions = MaskOf(ready, fd);
    if (conditions == 0) continue;
    if (registrations.generation(fd) == 0) continue;  // The one that wakes.
    batch.Add(fd, registrations.generation(fd), conditions);
    if (registrations.is_one_shot(fd)) PutMask(sets, fd, 0);
  }
  *first = fd;
  return batch.Answer();
}

// select(sets, numbers, generations, masks, events, maxevents, timeoutMs, spinUs): `numbers` is
// [the descriptor that wakes, nfds, where the report begins].
napi_value SelectWait(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 8);
  const WaitTime time = ReadWaitTime(args, 6);
  SelectSets* sets = ReadSets(args, 0);
  const Slice numbers = args.TypedArray(1, "numbers", napi_int32_array, 3);
  const Registrations registrations = ReadRegistrations(args, 2);
  const Batch batch = ReadBatch(args, 4);
  if (args.failed() || batch.records == nullptr) return nullptr;
  auto* number = reinterpret_cast<int32_t*>(numbers.data);
  const int wake_fd = number[0];
  const int nfds = number[1];
  if (!Fits(wake_fd) || nfds < 0 || nfds > FD_SETSIZE || number[2] < 0) return args.Answer(-EINVAL);
  return AnswerWait(args, time, [&](int64_t slice_ns) -> int64_t {
    for (;;) {
      SelectSets ready = *sets;
      const int64_t count = SelectOnce(&ready, nfds, slice_ns);
      if (count == -EBADF) {
        const int64_t result = BuryClosed(sets, nfds, registrations);
        if (result < 0) return result;
        continue;
      }
      if (count <= 0) return count;
      std::memset(&ready.buried, 0, sizeof ready.buried);
      Batch found = batch;
      if (FD_ISSET(wake_fd, &ready.read)) {
        DrainWake(wake_fd);
        found.woken = true;
      }
      return CollectBits(sets, &ready, nfds, &number[2], registrations, found);
    }
  });
}

}  // namespace

FunctionList PollerFunctions() {
  return {{"inspect", Inspect},
          {"poll", PollWait},
          {"select", SelectWait},
          {"select_put", SelectPut},
          {"select_buried", SelectBuried}};
}

}  // namespace raw_epoll
