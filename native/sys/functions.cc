#include "sys/functions.h"

namespace raw_epoll {

// A worker can be terminated in the middle of its import: from then on every call that could run
// JavaScript is refused. So nothing here insists, as the methods of Napi::Object do, which end the
// process when they can neither succeed nor throw: what was refused is left out, unseen.
//
// Functions get a state as their data: no look-up on the hot path, and an addon that is loaded
// twice into one environment keeps two states.
napi_value NewFunctions(napi_env env, void* data, std::initializer_list<FunctionList> families) {
  napi_value target = nullptr;
  if (napi_create_object(env, &target) != napi_ok) return nullptr;
  for (const FunctionList& family : families) {
    for (const Function& function : family) {
      napi_value value = nullptr;
      if (napi_create_function(env, function.name, NAPI_AUTO_LENGTH, function.callback, data,
                               &value) == napi_ok) {
        napi_set_named_property(env, target, function.name, value);
      }
    }
  }
  return target;
}

}  // namespace raw_epoll
