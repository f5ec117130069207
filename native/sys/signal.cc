// binding.signals: pipes that signals are told to (core/signal_pipe.h), by their ids.
#include <cerrno>

#include "core/arguments.h"
#include "core/signal_pipe.h"
#include "sys/functions.h"

namespace raw_epoll {

namespace {

// open(reader, writer): an id > 0.
napi_value Open(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 2);
  const int reader = args.Int(0, "reader");
  const int writer = args.Int(1, "writer");
  if (args.failed()) return nullptr;
  SignalPipe* pipe = SignalPipe::Open(reader, writer);
  return args.Answer(static_cast<int64_t>(args.environment().AddSignalPipe(pipe)));
}

napi_value Watch(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 2);
  const uint64_t id = args.Uint64(0, "id");
  const int signal = args.Int(1, "signal");
  if (args.failed()) return nullptr;
  SignalPipe* pipe = args.environment().FindSignalPipe(id);
  return args.Answer(pipe == nullptr ? -EBADF : pipe->Watch(signal));
}

napi_value Unwatch(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 2);
  const uint64_t id = args.Uint64(0, "id");
  const int signal = args.Int(1, "signal");
  if (args.failed()) return nullptr;
  SignalPipe* pipe = args.environment().FindSignalPipe(id);
  if (pipe == nullptr) return args.Answer(-EBADF);
  pipe->Unwatch(signal);
  return args.Answer(0);
}

napi_value Take(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 1);
  const uint64_t id = args.Uint64(0, "id");
  if (args.failed()) return nullptr;
  SignalPipe* pipe = args.environment().FindSignalPipe(id);
  return args.Answer(pipe == nullptr ? -EBADF : int64_t{pipe->Take()});
}

napi_value Close(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 1);
  const uint64_t id = args.Uint64(0, "id");
  if (args.failed()) return nullptr;
  SignalPipe* pipe = args.environment().FindSignalPipe(id);
  if (pipe == nullptr) return args.Answer(-EBADF);
  args.environment().RemoveSignalPipe(id);
  pipe->Close();
  return args.Answer(0);
}

napi_value Reinstall(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 1);
  const int signal = args.Int(0, "signal");
  if (args.failed()) return nullptr;
  SignalPipe::Reinstall(signal);
  return args.Answer(0);
}

}  // namespace

FunctionList SignalFunctions() {
  return {{"open", Open}, {"watch", Watch}, {"unwatch", Unwatch},
          {"take", Take}, {"close", Close}, {"reinstall", Reinstall}};
}

}  // namespace raw_epoll
