#include "test/fake_node_api.h"

#include <node_api.h>

#include <climits>

namespace raw_epoll::fake {

namespace {

// Of the thread: an environment belongs to one.
thread_local int probes = 0;
thread_local int probes_until_stop = INT_MAX;

}  // namespace

void SetStopping(bool stopping) {
  probes = 0;
  probes_until_stop = stopping ? 0 : INT_MAX;
}

int ProbeCount() { return probes; }

void StopAfterProbes(int count) {
  probes = 0;
  probes_until_stop = count;
}

static napi_status Probe() {
  return probes++ >= probes_until_stop ? napi_pending_exception : napi_ok;
}

}  // namespace raw_epoll::fake

extern "C" {

napi_status NAPI_CDECL napi_open_handle_scope(napi_env, napi_handle_scope* result) {
  *result = nullptr;
  return napi_ok;
}

napi_status NAPI_CDECL napi_close_handle_scope(napi_env, napi_handle_scope) { return napi_ok; }

napi_status NAPI_CDECL napi_get_undefined(napi_env, napi_value* result) {
  *result = nullptr;
  return napi_ok;
}

napi_status NAPI_CDECL napi_coerce_to_bool(napi_env, napi_value, napi_value* result) {
  *result = nullptr;
  return raw_epoll::fake::Probe();
}

napi_status NAPI_CDECL napi_is_exception_pending(napi_env, bool* result) {
  *result = false;  // A stopping environment refuses, with no exception pending.
  return napi_ok;
}
}
