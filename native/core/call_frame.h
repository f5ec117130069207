// A call that takes and makes no values of Node-API.
//
// Each value that is read or made is a jump into the executable, and they are dearest where this
// library needs them most: right after a system call, when caches and branch predictors are full of
// the kernel. So the calls of the hot path have a second form. JavaScript lays their numbers into a
// frame, which is memory that both sides know, and the answer comes back there. A buffer is not
// handed over either: where the one lies that is used again and again, is remembered.
//
//   napi_value FramedRecv(napi_env env, napi_callback_info info) {
//     FramedCall call(env, info);
//     const Slice slice = call.KnownSlice(MemoryRole::kIncoming, 1);
//     return call.Answer(ReceiveInto(call.environment(), call.Int(0), slice, call.Int(3)));
//   }
//
// Nothing is checked here. The caller, ts/sys/call-frame.ts, has seen that the numbers are what
// they are taken for, that the buffer is the one that was made known and still there, and that the
// slice lies in it. Each import of that file has a frame of its own, and buffers of its own: what
// it has seen says nothing of another's. docs/decisions/0046-call-frame.md has the numbers.
#ifndef RAW_EPOLL_CORE_CALL_FRAME_H_
#define RAW_EPOLL_CORE_CALL_FRAME_H_

#include <node_api.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "core/arguments.h"
#include "core/blocking_wait.h"
#include "core/environment.h"

namespace raw_epoll {

// What a call finds in the memory of a frame and leaves there.
struct FrameWords {
  int32_t words[7];
  int32_t answer;
  double number;
};
static_assert(sizeof(FrameWords) == 40 && offsetof(FrameWords, answer) == 28 &&
              offsetof(FrameWords, number) == 32);

// For a call that was given up because the environment stops: no count, and no errno.
constexpr int32_t kStoppingAnswer = INT32_MIN;

// The purposes of known buffers.
enum class MemoryRole : uint8_t { kIncoming, kOutgoing, kEvents };
constexpr size_t kMemoryRoles = 3;

// The environment owns it. Its memory is JavaScript's: whoever makes a call has just laid it there.
struct CallFrame {
  Environment* environment;
  FrameWords* memory;
  uint8_t* known[kMemoryRoles];
};

class FramedCall {
 public:
  FramedCall(napi_env env, napi_callback_info info) {
    void* data = nullptr;
    napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data);
    frame_ = static_cast<CallFrame*>(data);
  }

  Environment& environment() const { return *frame_->environment; }

  int Int(size_t index) const { return frame_->memory->words[index]; }
  uint32_t Mask(size_t index) const { return static_cast<uint32_t>(Int(index)); }
  double number() const { return frame_->memory->number; }

  void Know(MemoryRole role, void* data) const {
    frame_->known[static_cast<size_t>(role)] = static_cast<uint8_t*>(data);
  }
  uint8_t* Known(MemoryRole role) const { return frame_->known[static_cast<size_t>(role)]; }
  // `offset, length`: two words from `index` on.
  Slice KnownSlice(MemoryRole role, size_t index) const {
    return {Known(role) + Int(index), static_cast<size_t>(Int(index + 1))};
  }

  napi_value Answer(int64_t result) const {
    frame_->memory->answer = result == kStopping ? kStoppingAnswer : static_cast<int32_t>(result);
    return nullptr;
  }

 private:
  CallFrame* frame_ = nullptr;
};

// Stands for a call that this system lacks: answers as a kernel without it would.
inline napi_value FramedNotHere(napi_env env, napi_callback_info info) {
  return FramedCall(env, info).Answer(-ENOSYS);
}

}  // namespace raw_epoll

#endif  // RAW_EPOLL_CORE_CALL_FRAME_H_
