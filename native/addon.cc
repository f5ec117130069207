// The export table and the state of an environment; nothing else.
//
//   binding.sys        level 1: a function for each system call
//   binding.owned      the calls that make descriptors, owned by the environment from birth
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

// A worker can be terminated in the middle of its import: from then on every call that could run
// JavaScript is refused. So nothing below insists, as the methods of Napi::Object do, which end
// the process when they can neither succeed nor throw: what was refused is left out, unseen.

void Set(napi_env env, napi_value target, const char* name, napi_value value) {
  if (value != nullptr) napi_set_named_property(env, target, name, value);
}

napi_value NewObject(napi_env env) {
  napi_value object = nullptr;
  return napi_create_object(env, &object) == napi_ok ? object : nullptr;
}

// Functions get the environment's state as their data: no look-up on the hot path, and an addon
// that is loaded twice into one environment keeps two states.
napi_value Functions(napi_env env, Environment* environment,
                     std::initializer_list<FunctionList> families) {
  napi_value target = NewObject(env);
  if (target == nullptr) return nullptr;
  for (const FunctionList& family : families) {
    for (const Function& function : family) {
      napi_value value = nullptr;
      napi_create_function(env, function.name, NAPI_AUTO_LENGTH, function.callback, environment,
                           &value);
      Set(env, target, function.name, value);
    }
  }
  return target;
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  auto* environment = new Environment(env);
  env.SetInstanceData<Environment>(environment);  // Deleted at the environment's end.
  Set(env, exports, "sys",
      Functions(env, environment,
                {EpollFunctions(), SocketFunctions(), MessageFunctions(), MmsgFunctions(),
                 TransferFunctions(), NotifyFunctions(), DescriptorFunctions(), EventfdFunctions(),
                 TimerfdFunctions(), PollFunctions(), KqueueFunctions(), ErrnoFunctions()}));
  Set(env, exports, "owned",
      Functions(env, environment,
                {OwnedEpollFunctions(), OwnedSocketFunctions(), OwnedMessageFunctions(),
                 OwnedNotifyFunctions(), OwnedDescriptorFunctions(), OwnedEventfdFunctions(),
                 OwnedTimerfdFunctions(), OwnedKqueueFunctions()}));
  Set(env, exports, "set", Functions(env, environment, {SetFunctions()}));
  Set(env, exports, "kqueue", Functions(env, environment, {KqueueSetFunctions()}));
  Set(env, exports, "poller",
      Functions(env, environment, {PollerFunctions(), KqueuePollerFunctions()}));
  Set(env, exports, "mmsg", Functions(env, environment, {MmsgNameFunctions()}));
  Set(env, exports, "host", Functions(env, environment, {HostFunctions()}));
  Set(env, exports, "multicast", Functions(env, environment, {MulticastFunctions()}));
  Set(env, exports, "wake", Functions(env, environment, {WakeFunctions()}));
  Set(env, exports, "channel", Functions(env, environment, {ChannelFunctions()}));
  Set(env, exports, "signals", Functions(env, environment, {SignalFunctions()}));
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
