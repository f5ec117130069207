// The frames of an environment, and how a buffer is made known to one: core/call_frame.h.
#include <cstddef>
#include <memory>

#include "core/arguments.h"
#include "core/call_frame.h"
#include "sys/functions.h"

namespace raw_epoll {

namespace {

// know(buffer) [role]: remembers where the bytes of a Uint8Array lie, and answers how many there
// are. 0, with nothing changed, if there are none.
napi_value Know(napi_env env, napi_callback_info info) {
  const FramedCall call(env, info);
  size_t count = 1;
  napi_value view = nullptr;
  napi_get_cb_info(env, info, &count, &view, nullptr, nullptr);
  size_t length = 0;
  void* data = nullptr;
  napi_value buffer = nullptr;
  // Asked for its buffer, a small array moves out of the heap of JavaScript, and then stays.
  const napi_status status =
      napi_get_typedarray_info(env, view, nullptr, &length, &data, &buffer, nullptr);
  if (status != napi_ok || length == 0) return call.Answer(0);
  call.Know(static_cast<MemoryRole>(call.Int(0)), data);
  return call.Answer(static_cast<int64_t>(length));
}

// open(): `{memory, know, recv, …}`, a frame with its functions.
napi_value Open(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 0);
  void* data = nullptr;
  napi_value memory = nullptr;
  if (napi_create_arraybuffer(env, sizeof(FrameWords), &data, &memory) != napi_ok) return nullptr;
  Environment& environment = args.environment();
  CallFrame* frame = environment.AddFrame(std::make_unique<CallFrame>());
  *frame = {&environment, static_cast<FrameWords*>(data), {}};
  napi_value functions = NewFunctions(env, frame,
                                      {{{"know", Know}},
                                       FramedSocketFunctions(),
                                       FramedDescriptorFunctions(),
                                       FramedEpollFunctions()});
  if (functions != nullptr) napi_set_named_property(env, functions, "memory", memory);
  return functions;
}

}  // namespace

FunctionList FrameFunctions() { return {{"open", Open}}; }

}  // namespace raw_epoll
