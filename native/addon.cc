// The export table and the state of an environment; nothing else.
//
//   binding.sys        level 1: a function for each system call
//   binding.owned      the calls that make descriptors, owned by the environment from birth
//   binding.frame      frames, for the calls of the hot path without values
//   binding.set        what epoll sets of level 2 stand on
//   binding.mmsg       the addresses in an MmsgArray
//   binding.kqueue     the same for sets of kqueue
//   binding.poller     what the backends of level 3 stand on
//   binding.host       watching a set from the loop of Node
//   binding.multicast  groups and interfaces of UDP sockets
//   binding.wake       wake handles, known to every thread of the process
//   binding.channel    channels between threads
//   binding.signals    signals in the pipe of a loop
//   binding.constants  the numbers of the kernel's headers
//   binding.layout     where the kernel keeps the fields of its structs
#include <napi.h>

#include "core/environment.h"
#include "sys/constants.h"
#include "sys/functions.h"
#include "sys/layout.h"

namespace raw_epoll {

namespace {

void Set(napi_env env, napi_value target, const char* name, napi_value value) {
  if (value != nullptr) napi_set_named_property(env, target, name, value);
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  auto* environment = new Environment(env);
  env.SetInstanceData<Environment>(environment);  // Deleted at the environment's end.
  Set(env, exports, "sys",
      NewFunctions(
          env, environment,
          {EpollFunctions(), SocketFunctions(), MessageFunctions(), MmsgFunctions(),
           TransferFunctions(), NotifyFunctions(), DescriptorFunctions(), EventfdFunctions(),
           TimerfdFunctions(), PollFunctions(), KqueueFunctions(), ErrnoFunctions()}));
  Set(env, exports, "owned",
      NewFunctions(env, environment,
                   {OwnedEpollFunctions(), OwnedSocketFunctions(), OwnedMessageFunctions(),
                    OwnedNotifyFunctions(), OwnedDescriptorFunctions(), OwnedEventfdFunctions(),
                    OwnedTimerfdFunctions(), OwnedKqueueFunctions()}));
  Set(env, exports, "frame", NewFunctions(env, environment, {FrameFunctions()}));
  Set(env, exports, "set", NewFunctions(env, environment, {SetFunctions()}));
  Set(env, exports, "kqueue", NewFunctions(env, environment, {KqueueSetFunctions()}));
  Set(env, exports, "poller",
      NewFunctions(env, environment, {PollerFunctions(), KqueuePollerFunctions()}));
  Set(env, exports, "mmsg", NewFunctions(env, environment, {MmsgNameFunctions()}));
  Set(env, exports, "host", NewFunctions(env, environment, {HostFunctions()}));
  Set(env, exports, "multicast", NewFunctions(env, environment, {MulticastFunctions()}));
  Set(env, exports, "wake", NewFunctions(env, environment, {WakeFunctions()}));
  Set(env, exports, "channel", NewFunctions(env, environment, {ChannelFunctions()}));
  Set(env, exports, "signals", NewFunctions(env, environment, {SignalFunctions()}));
  Set(env, exports, "constants", MakeConstants(env));
  Set(env, exports, "layout", MakeLayout(env));
  return exports;
}

}  // namespace

}  // namespace raw_epoll

static Napi::Object InitRawEpoll(Napi::Env env, Napi::Object exports) {
  return raw_epoll::Init(env, exports);
}

NODE_API_MODULE(raw_epoll, InitRawEpoll)
