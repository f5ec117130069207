// A function of JavaScript that the host's loop calls, in the async context in which it was given:
// AsyncLocalStorage, promises and ticks work as in any callback of Node.
#ifndef RAW_EPOLL_UV_HOST_CALLBACK_H_
#define RAW_EPOLL_UV_HOST_CALLBACK_H_

#include <node_api.h>

#include <memory>

namespace raw_epoll {

class HostCallback {
 public:
  // nullptr if Node-API refuses: the environment is stopping.
  static std::unique_ptr<HostCallback> Make(napi_env env, napi_value function);
  ~HostCallback();
  HostCallback(const HostCallback&) = delete;
  HostCallback& operator=(const HostCallback&) = delete;

  // What the function throws becomes an 'uncaughtException'. Nothing of this object is touched
  // after the function has run.
  void Call();

 private:
  explicit HostCallback(napi_env env) : env_(env) {}
  bool Init(napi_value function);

  napi_env env_;
  napi_async_context context_ = nullptr;
  napi_ref resource_ = nullptr;
  napi_ref function_ = nullptr;
};

}  // namespace raw_epoll

#endif  // RAW_EPOLL_UV_HOST_CALLBACK_H_
