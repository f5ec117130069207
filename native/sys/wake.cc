// Wake handles: ids under which any thread can end a wait of a set (core/wake_registry.h).
#include "core/arguments.h"
#include "core/set_wait.h"
#include "core/wake_registry.h"
#include "sys/functions.h"

namespace raw_epoll {

namespace {

napi_value Add(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 1);
  const int wake_fd = args.Int(0, "wakeFd");
  if (args.failed()) return nullptr;
  const uint64_t id = WakeRegistry::Instance().Add(wake_fd);
  args.environment().OwnWake(id);
  return args.Answer(static_cast<int64_t>(id));
}

napi_value AddKqueue(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 1);
  const int kq = args.Int(0, "kq");
  if (args.failed()) return nullptr;
  const uint64_t id = WakeRegistry::Instance().AddKqueue(kq);
  args.environment().OwnWake(id);
  return args.Answer(static_cast<int64_t>(id));
}

napi_value Remove(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 1);
  const uint64_t id = args.Uint64(0, "id");
  if (args.failed()) return nullptr;
  WakeRegistry::Instance().Remove(id);
  args.environment().DisownWake(id);
  return args.Answer(0);
}

// 1 if the set was there, 0 if it is closed.
napi_value Wake(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 1);
  const uint64_t id = args.Uint64(0, "id");
  if (args.failed()) return nullptr;
  return args.Answer(WakeRegistry::Instance().Wake(id) ? 1 : 0);
}

napi_value WakeAllForExit(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 0);
  WakeRegistry::Instance().WakeAllForExit();
  return args.Answer(0);
}

// without(epollPwait2, ppoll): 1 for calls that are to be treated as missing.
napi_value Without(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 2);
  const bool epoll_pwait2 = args.Int(0, "epollPwait2") != 0;
  const bool ppoll = args.Int(1, "ppoll") != 0;
  if (args.failed()) return nullptr;
  ForceFallbacks({epoll_pwait2, ppoll});
  return args.Answer(0);
}

}  // namespace

FunctionList WakeFunctions() {
  return {{"add", Add},   {"addKqueue", AddKqueue},           {"remove", Remove},
          {"wake", Wake}, {"wakeAllForExit", WakeAllForExit}, {"without", Without}};
}

}  // namespace raw_epoll
