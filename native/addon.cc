// The export table and the state of an environment; nothing else.
//
//   binding.sys        level 1: a function for each system call
//   binding.owned      the calls that make descriptors, owned by the environment from birth
//   binding.set        what epoll sets of level 2 stand on
//   binding.wake       wake handles, known to every thread of the process
//   binding.constants  the numbers of the kernel's headers
//   binding.layout     where the kernel keeps the fields of its structs
#include <napi.h>

#include <cstddef>

#include "core/environment.h"
#include "sys/constants.h"
#include "sys/functions.h"

#ifdef __linux__
#include <sys/epoll.h>
#endif

namespace raw_epoll {

namespace {

// Functions get the environment's state as their data: no look-up on the hot path, and an addon
// that is loaded twice into one environment keeps two states.
bool AddFunctions(napi_env env, Environment* environment, napi_value target,
                  const FunctionList& functions) {
  for (const Function& function : functions) {
    napi_value value = nullptr;
    if (napi_create_function(env, function.name, NAPI_AUTO_LENGTH, function.callback, environment,
                             &value) != napi_ok ||
        napi_set_named_property(env, target, function.name, value) != napi_ok) {
      return false;
    }
  }
  return true;
}

Napi::Object Functions(Napi::Env env, Environment* environment,
                       std::initializer_list<FunctionList> families) {
  const Napi::Object target = Napi::Object::New(env);
  for (const FunctionList& family : families) {
    if (!AddFunctions(env, environment, target, family)) break;
  }
  return target;
}

// Offsets in 32-bit words. The low word of the 64-bit data comes second on big-endian machines.
Napi::Object Layout(Napi::Env env) {
  Napi::Object layout = Napi::Object::New(env);
#ifdef __linux__
  const uint16_t probe = 1;
  const bool little_endian = *reinterpret_cast<const uint8_t*>(&probe) == 1;
  const double data_word = offsetof(epoll_event, data) / sizeof(uint32_t);
  layout.Set("epollEventWords", sizeof(epoll_event) / sizeof(uint32_t));
  layout.Set("epollDataLow", data_word + (little_endian ? 0 : 1));
  layout.Set("epollDataHigh", data_word + (little_endian ? 1 : 0));
#endif
  return layout;
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  auto* environment = new Environment(env);
  env.SetInstanceData<Environment>(environment);  // Deleted at the environment's end.
  exports.Set("sys", Functions(env, environment,
                               {EpollFunctions(), SocketFunctions(), DescriptorFunctions(),
                                EventfdFunctions(), TimerfdFunctions(), ErrnoFunctions()}));
  exports.Set("owned",
              Functions(env, environment,
                        {OwnedEpollFunctions(), OwnedSocketFunctions(), OwnedDescriptorFunctions(),
                         OwnedEventfdFunctions(), OwnedTimerfdFunctions()}));
  exports.Set("set", Functions(env, environment, {SetFunctions()}));
  exports.Set("wake", Functions(env, environment, {WakeFunctions()}));
  exports.Set("constants", Napi::Value(env, MakeConstants(env)));
  exports.Set("layout", Layout(env));
  return exports;
}

}  // namespace

}  // namespace raw_epoll

static Napi::Object InitRawEpoll(Napi::Env env, Napi::Object exports) {
  return raw_epoll::Init(env, exports);
}

NODE_API_MODULE(raw_epoll, InitRawEpoll)
