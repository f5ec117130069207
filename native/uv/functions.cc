// binding.host: watches (uv/host_watch.h) by their ids.
#include "sys/functions.h"

#include <cerrno>
#include <cstdint>

#include "core/arguments.h"
#include "core/blocking_wait.h"
#include "uv/host_watch.h"

namespace raw_epoll {

namespace {

// open(fd, callback, overThread): an id > 0, or a negated errno.
napi_value Open(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 3);
  const int fd = args.Int(0, "fd");
  const napi_value function = args.Function(1, "callback");
  const bool over_thread = args.Int(2, "overThread") != 0;
  if (args.failed()) return nullptr;
  std::unique_ptr<HostCallback> callback = HostCallback::Make(env, function);
  if (callback == nullptr) return nullptr;
  const OpenedWatch opened = over_thread
                                 ? OpenThreadWatch(env, args.environment(), fd, std::move(callback))
                                 : OpenUvWatch(env, args.environment(), fd, std::move(callback));
  if (opened.watch == nullptr) return args.Answer(opened.error);
  return args.Answer(static_cast<int64_t>(opened.watch->id()));
}

// The four that follow answer -EBADF for a watch that is closed.
template <typename Method>
napi_value WithWatch(napi_env env, napi_callback_info info, Method method) {
  Arguments args(env, info, 1);
  const uint64_t id = args.Uint64(0, "id");
  if (args.failed()) return nullptr;
  HostWatch* watch = args.environment().FindWatch(id);
  return args.Answer(watch == nullptr ? -EBADF : method(*watch));
}

napi_value Start(napi_env env, napi_callback_info info) {
  return WithWatch(env, info, [](HostWatch& watch) { return watch.Start(); });
}

napi_value Stop(napi_env env, napi_callback_info info) {
  return WithWatch(env, info, [](HostWatch& watch) {
    watch.Stop();
    return 0;
  });
}

napi_value Ref(napi_env env, napi_callback_info info) {
  return WithWatch(env, info, [](HostWatch& watch) {
    watch.Ref(true);
    return 0;
  });
}

napi_value Unref(napi_env env, napi_callback_info info) {
  return WithWatch(env, info, [](HostWatch& watch) {
    watch.Ref(false);
    return 0;
  });
}

napi_value Close(napi_env env, napi_callback_info info) {
  return WithWatch(env, info, [](HostWatch& watch) {
    watch.Close();
    return 0;
  });
}

// ticks(): microseconds of a clock that never goes back, modulo 2 ** 31. The clocks of JavaScript
// answer numbers that are objects on the heap.
napi_value Ticks(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 0);
  return args.Answer(MonotonicNs() / kNanosecondsPerMicrosecond & INT32_MAX);
}

}  // namespace

FunctionList HostFunctions() {
  return {{"open", Open},   {"start", Start}, {"stop", Stop},  {"ref", Ref},
          {"unref", Unref}, {"close", Close}, {"ticks", Ticks}};
}

}  // namespace raw_epoll
