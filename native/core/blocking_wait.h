// THE one place where a JavaScript thread may block.
//
// A worker that is blocked in the kernel cannot be terminated: worker.terminate(), the exit of
// the process and an uncaught error on the main thread would all wait for it forever. So a
// worker waits in slices and asks between them, and before the first, whether its environment is
// stopping. The main thread cannot be stopped while it waits, and waits in one piece.
// docs/decisions/0002-blocked-workers.md has the alternatives and their numbers.
#ifndef RAW_EPOLL_CORE_BLOCKING_WAIT_H_
#define RAW_EPOLL_CORE_BLOCKING_WAIT_H_

#include <cerrno>
#include <climits>
#include <cstdint>

#include "core/environment.h"

namespace raw_epoll {

constexpr int64_t kForever = -1;
constexpr int64_t kNanosecondsPerMicrosecond = 1'000;
constexpr int64_t kNanosecondsPerMillisecond = 1'000'000;
constexpr int64_t kNanosecondsPerSecond = 1'000'000'000;

// The environment is stopping: return to JavaScript at once, without a value.
constexpr int64_t kStopping = INT64_MIN;

// Level 1 reports EINTR; from level 2 up it is retried until the deadline.
enum class OnInterrupt { kReport, kRetry };

int64_t MonotonicNs();

// When a timeout is over, on the monotonic clock; kForever if that clock never gets there.
int64_t DeadlineNs(int64_t timeout_ns);

// How long one wait may last in this environment, in nanoseconds; kForever for no limit.
int64_t SliceNs(const Environment& environment);

// Makes the slices of all workers short for a moment. The end of the process stops its workers
// one after the other, so that their slices would add up: the first that is stopped calls this.
void HurryOtherWorkers();

// For interfaces that take milliseconds. Rounds up: a wait is never early and half a millisecond
// is not a busy loop. kForever becomes -1; longer than an int holds is cut (the caller waits on).
int MillisecondsRoundedUp(int64_t timeout_ns);

// How long a wait may take (nanoseconds, kForever to block), and for how much of that it asks again
// and again before it blocks.
struct WaitTime {
  // Not explicit: most waits have a timeout and nothing else.
  WaitTime(int64_t timeout, int64_t spin = 0) : timeout_ns(timeout), spin_ns(spin) {}

  int64_t timeout_ns;
  int64_t spin_ns;
};

// Asks without blocking until there is an answer, or the time to spin is over.
template <typename Wait>
int64_t Spin(WaitTime time, OnInterrupt on_interrupt, Wait wait) {
  const bool is_shorter = time.timeout_ns != kForever && time.timeout_ns < time.spin_ns;
  const int64_t until_ns = MonotonicNs() + (is_shorter ? time.timeout_ns : time.spin_ns);
  for (;;) {
    const int64_t result = wait(0);
    const bool interrupted = result == -EINTR && on_interrupt == OnInterrupt::kRetry;
    if (result != 0 && !interrupted) return result;
    if (MonotonicNs() >= until_ns) return 0;
  }
}

// Calls `wait(timeout_ns)` until it answers something else than "the time has passed" (0), or
// the time is over. `wait` answers a count, 0, or -errno.
template <typename Wait>
int64_t BlockingWait(const Environment& environment, WaitTime time, OnInterrupt on_interrupt,
                     Wait wait) {
  if (time.timeout_ns == 0) {
    int64_t result = wait(0);
    while (result == -EINTR && on_interrupt == OnInterrupt::kRetry) result = wait(0);
    return result;
  }
  const int64_t deadline_ns = DeadlineNs(time.timeout_ns);
  int64_t left_ns = deadline_ns == kForever ? kForever : time.timeout_ns;
  bool spins = time.spin_ns > 0;
  for (;;) {
    if (!environment.is_main_thread() && environment.IsStopping()) {
      HurryOtherWorkers();
      return kStopping;
    }
    const int64_t slice_ns = SliceNs(environment);
    const bool sliced = slice_ns != kForever && (left_ns == kForever || left_ns > slice_ns);
    const int64_t result =
        spins ? Spin(time, on_interrupt, wait) : wait(sliced ? slice_ns : left_ns);
    spins = false;
    const bool interrupted = result == -EINTR && on_interrupt == OnInterrupt::kRetry;
    if (result != 0 && !interrupted) return result;
    if (deadline_ns == kForever) continue;
    left_ns = deadline_ns - MonotonicNs();
    if (left_ns <= 0) return 0;
  }
}

}  // namespace raw_epoll

#endif  // RAW_EPOLL_CORE_BLOCKING_WAIT_H_
