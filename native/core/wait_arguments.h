// What the waits read of their arguments: arrays of the kernel's structs with a count, timeouts
// that may be null, signal masks; from level 2 up, a timeout with a time to spin.
#ifndef RAW_EPOLL_CORE_WAIT_ARGUMENTS_H_
#define RAW_EPOLL_CORE_WAIT_ARGUMENTS_H_

#include <time.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/arguments.h"
#include "core/blocking_wait.h"

namespace raw_epoll {

// Where an argument stands, and how the messages call it.
struct Parameter {
  size_t index;
  const char* name;
};

// The memory of an array, which must hold `wanted` structs. Valid until JavaScript runs again.
template <typename Struct>
Struct* StructArray(Arguments& args, Parameter array, Parameter count, int64_t wanted) {
  const Slice memory = args.View(array.index, array.name);
  const size_t capacity = memory.length / sizeof(Struct);
  if (!args.failed() && wanted > 0 && static_cast<uint64_t>(wanted) > capacity) {
    args.ThrowRange(count.name,
                    "<= " + std::to_string(capacity) + ", the capacity of " + array.name,
                    args.value(count.index));
  }
  return reinterpret_cast<Struct*>(memory.data);
}

// No timeout that a kernel takes: it answers EINVAL. Not kForever, which -1 would be.
constexpr int64_t kInvalidTimeout = -2;

// A timeout in units of `unit_ns` as nanoseconds; kForever for null, kInvalidTimeout below zero.
int64_t TimeoutOrNull(Arguments& args, Parameter timeout, int64_t unit_ns);

timespec ToTimespec(int64_t ns);

// `timeoutMs, spinUs`: two arguments from `index` on.
WaitTime ReadWaitTime(Arguments& args, size_t index);

// The kernel's set of signals is 64 bits; glibc's sigset_t is larger, musl's differs.
struct SignalMask {
  uint64_t bits = 0;
  bool given = false;

  const uint64_t* get() const { return given ? &bits : nullptr; }
};

constexpr int kHighestSignal = 64;
constexpr size_t kKernelSigsetSize = 8;

// Runs code of the user (elements of an array): call it before StructArray().
SignalMask ReadSignalMask(Arguments& args, size_t index);

}  // namespace raw_epoll

#endif  // RAW_EPOLL_CORE_WAIT_ARGUMENTS_H_
