#include "uv/libuv.h"

#include <dlfcn.h>

namespace raw_epoll {

namespace {

template <typename FunctionPointer>
bool Find(const char* name, FunctionPointer* function) {
  *function = reinterpret_cast<FunctionPointer>(dlsym(RTLD_DEFAULT, name));
  return *function != nullptr;
}

struct Lookup {
  Libuv uv{};
  bool complete;

  Lookup()
      : complete(Find("napi_get_uv_event_loop", &uv.get_event_loop) &&
                 Find("uv_handle_size", &uv.handle_size) &&
                 Find("uv_handle_set_data", &uv.handle_set_data) &&
                 Find("uv_handle_get_data", &uv.handle_get_data) &&
                 Find("uv_poll_init", &uv.poll_init) && Find("uv_poll_start", &uv.poll_start) &&
                 Find("uv_poll_stop", &uv.poll_stop) && Find("uv_ref", &uv.ref) &&
                 Find("uv_unref", &uv.unref) && Find("uv_close", &uv.close)) {}
};

}  // namespace

const Libuv* Libuv::Get() {
  static const Lookup lookup;
  return lookup.complete ? &lookup.uv : nullptr;
}

}  // namespace raw_epoll
