#include "uv/host_callback.h"

namespace raw_epoll {

namespace {

void ReportException(napi_env env) {
  bool pending = false;
  napi_value error = nullptr;
  if (napi_is_exception_pending(env, &pending) == napi_ok && pending &&
      napi_get_and_clear_last_exception(env, &error) == napi_ok) {
    napi_fatal_exception(env, error);
  }
}

}  // namespace

std::unique_ptr<HostCallback> HostCallback::Make(napi_env env, napi_value function) {
  std::unique_ptr<HostCallback> callback(new HostCallback(env));
  return callback->Init(function) ? std::move(callback) : nullptr;
}

bool HostCallback::Init(napi_value function) {
  napi_value resource = nullptr;  // The receiver too: napi_make_callback insists on an object.
  napi_value name = nullptr;
  return napi_create_object(env_, &resource) == napi_ok &&
         napi_create_string_utf8(env_, "raw-epoll", NAPI_AUTO_LENGTH, &name) == napi_ok &&
         napi_create_reference(env_, resource, 1, &resource_) == napi_ok &&
         napi_create_reference(env_, function, 1, &function_) == napi_ok &&
         napi_async_init(env_, resource, name, &context_) == napi_ok;
}

HostCallback::~HostCallback() {
  if (context_ != nullptr) napi_async_destroy(env_, context_);
  if (function_ != nullptr) napi_delete_reference(env_, function_);
  if (resource_ != nullptr) napi_delete_reference(env_, resource_);
}

void HostCallback::Call() {
  napi_env env = env_;
  napi_handle_scope scope = nullptr;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  napi_value resource = nullptr;
  napi_value function = nullptr;
  if (napi_get_reference_value(env, resource_, &resource) == napi_ok &&
      napi_get_reference_value(env, function_, &function) == napi_ok &&
      napi_make_callback(env, context_, resource, function, 0, nullptr, nullptr) != napi_ok) {
    ReportException(env);
  }
  napi_close_handle_scope(env, scope);
}

}  // namespace raw_epoll
