#include "core/blocking_wait.h"

#include <time.h>

#include <algorithm>
#include <atomic>

#include "core/wake_registry.h"

namespace raw_epoll {

namespace {

// terminate() settles within this time. 50 ms costs an idle worker 0.2 % of a core.
constexpr int64_t kWorkerSliceNs = 50 * kNanosecondsPerMillisecond;
// Once workers are being stopped, the others are likely to follow within moments.
constexpr int64_t kHurriedSliceNs = 1 * kNanosecondsPerMillisecond;
constexpr int64_t kHurryNs = 100 * kNanosecondsPerMillisecond;

std::atomic<int64_t> hurry_until_ns{0};

bool IsHurried() {
  if (WakeRegistry::Instance().process_is_ending()) return true;
  const int64_t until_ns = hurry_until_ns.load(std::memory_order_relaxed);
  return until_ns != 0 && MonotonicNs() < until_ns;
}

}  // namespace

int64_t MonotonicNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * kNanosecondsPerSecond + int64_t{now.tv_nsec};
}

int64_t DeadlineNs(int64_t timeout_ns) {
  if (timeout_ns == kForever) return kForever;
  const int64_t now_ns = MonotonicNs();
  return timeout_ns > INT64_MAX - now_ns ? kForever : now_ns + timeout_ns;
}

int64_t SliceNs(const Environment& environment) {
  if (environment.is_main_thread()) return kForever;
  return IsHurried() ? kHurriedSliceNs : kWorkerSliceNs;
}

void HurryOtherWorkers() {
  hurry_until_ns.store(MonotonicNs() + kHurryNs, std::memory_order_relaxed);
}

int MillisecondsRoundedUp(int64_t timeout_ns) {
  if (timeout_ns == kForever) return -1;
  const int64_t rest = timeout_ns % kNanosecondsPerMillisecond;
  const int64_t ms = timeout_ns / kNanosecondsPerMillisecond + (rest > 0 ? 1 : 0);
  return static_cast<int>(std::min<int64_t>(ms, INT_MAX));
}

}  // namespace raw_epoll
