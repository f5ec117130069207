#include "core/wait_arguments.h"

#include <climits>
#include <vector>

#include "core/set_wait.h"

namespace raw_epoll {

int64_t TimeoutOrNull(Arguments& args, Parameter timeout, int64_t unit_ns) {
  // Null alone: a timeout that somebody forgot must not become a wait without end.
  if (!args.failed() && !args.IsMissing(timeout.index) && args.IsMissingOrNull(timeout.index)) {
    return kForever;
  }
  const int64_t units = args.Int64(timeout.index, timeout.name);
  if (units < 0) return kInvalidTimeout;
  return units > INT64_MAX / unit_ns ? kForever : units * unit_ns;
}

timespec ToTimespec(int64_t ns) {
  timespec time{};
  time.tv_sec = static_cast<time_t>(ns / kNanosecondsPerSecond);
  time.tv_nsec = static_cast<long>(ns % kNanosecondsPerSecond);
  return time;
}

WaitTime ReadWaitTime(Arguments& args, size_t index) {
  const double timeout_ms = args.Number(index, "timeoutMs");
  const int spin_us = args.Int(index + 1, "spinUs");
  return {TimeoutNs(timeout_ms), spin_us * kNanosecondsPerMicrosecond};
}

SignalMask ReadSignalMask(Arguments& args, size_t index) {
  SignalMask mask;
  if (args.failed() || args.IsMissingOrNull(index)) return mask;
  mask.given = true;
  const std::vector<int> signals = args.Ints(index, "sigmask", kHighestSignal, 1, kHighestSignal);
  if (args.failed()) return mask;  // Then there are zeros among them.
  for (const int signal : signals) mask.bits |= uint64_t{1} << (signal - 1);
  return mask;
}

}  // namespace raw_epoll
