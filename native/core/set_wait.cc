#include "core/set_wait.h"

#include <unistd.h>

#include <atomic>
#include <cmath>

namespace raw_epoll {

namespace {

std::atomic<bool> without_pwait2{false};
std::atomic<bool> without_ppoll{false};

}  // namespace

int64_t TimeoutNs(double timeout_ms) {
  constexpr double kMost = 9.2e18;
  const double ns = std::ceil(timeout_ms * static_cast<double>(kNanosecondsPerMillisecond));
  return ns < kMost ? static_cast<int64_t>(ns) : kForever;
}

void DrainWake(int wake_fd) {
  // An eventfd gives 8 bytes, whatever was written to it; a pipe all of them.
  char wakes[4096];
  while (::read(wake_fd, wakes, sizeof wakes) == sizeof wakes) {
  }
}

void ForceFallbacks(ForcedFallbacks forced) {
  without_pwait2.store(forced.epoll_pwait2, std::memory_order_relaxed);
  without_ppoll.store(forced.ppoll, std::memory_order_relaxed);
}

bool IsForcedWithoutPwait2() { return without_pwait2.load(std::memory_order_relaxed); }

bool IsForcedWithoutPpoll() { return without_ppoll.load(std::memory_order_relaxed); }

}  // namespace raw_epoll
