// What the waits of sets share (level 2 and up), whatever they wait with.
#ifndef RAW_EPOLL_CORE_SET_WAIT_H_
#define RAW_EPOLL_CORE_SET_WAIT_H_

#include <cstdint>

#include "core/blocking_wait.h"

#ifdef __linux__
#include <sys/epoll.h>
#endif

namespace raw_epoll {

// What a wait says of one descriptor, in the form of struct epoll_event, so that with epoll the
// kernel itself writes it. `data` is generation << 32 | fd.
#ifdef __linux__
using ReadyRecord = epoll_event;
#else
struct ReadyRecord {
  uint32_t events;
  uint32_t padding;
  struct {
    uint64_t u64;
  } data;
};
#endif

inline uint64_t DataOf(uint32_t generation, int fd) {
  return uint64_t{generation} << 32 | static_cast<uint32_t>(fd);
}

// Milliseconds, fractions allowed, rounded up to nanoseconds. What no int64_t holds is forever.
int64_t TimeoutNs(double timeout_ms);

inline bool IsWholeMilliseconds(int64_t timeout_ns) {
  return timeout_ns == kForever || timeout_ns % kNanosecondsPerMillisecond == 0;
}

// Consumes every wake that a wake descriptor holds: an eventfd, or the reading end of a pipe.
void DrainWake(int wake_fd);

// Calls to be treated as missing, so that what stands in for them can be tested.
struct ForcedFallbacks {
  bool epoll_pwait2;
  bool ppoll;
};
void ForceFallbacks(ForcedFallbacks forced);
bool IsForcedWithoutPwait2();
bool IsForcedWithoutPpoll();

}  // namespace raw_epoll

#endif  // RAW_EPOLL_CORE_SET_WAIT_H_
