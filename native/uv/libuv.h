// The few functions of libuv that a watch needs, looked up at run time.
//
// The addon must load where there is no libuv (Deno) and where its functions are there but refuse
// to work (Bun), so it does not link against them; and cmake-js brings no uv.h.
#ifndef RAW_EPOLL_UV_LIBUV_H_
#define RAW_EPOLL_UV_LIBUV_H_

#include <node_api.h>

#include <cstddef>

struct uv_loop_s;

namespace raw_epoll {

// What uv.h calls uv_poll_t. Its size is libuv's to tell, so it is memory of the heap.
struct UvPoll;

struct Libuv {
  using PollCallback = void (*)(UvPoll* handle, int status, int events);
  using CloseCallback = void (*)(UvPoll* handle);

  // uv_handle_type and uv_poll_event of uv.h: part of libuv's ABI since 1.0.
  static constexpr int kPollHandle = 8;
  static constexpr int kReadable = 1;

  napi_status (*get_event_loop)(napi_env env, uv_loop_s** loop);
  size_t (*handle_size)(int type);
  void (*handle_set_data)(UvPoll* handle, void* data);
  void* (*handle_get_data)(const UvPoll* handle);
  int (*poll_init)(uv_loop_s* loop, UvPoll* handle, int fd);
  int (*poll_start)(UvPoll* handle, int events, PollCallback callback);
  int (*poll_stop)(UvPoll* handle);
  void (*ref)(UvPoll* handle);
  void (*unref)(UvPoll* handle);
  void (*close)(UvPoll* handle, CloseCallback callback);

  // nullptr where one of them is missing.
  static const Libuv* Get();
};

}  // namespace raw_epoll

#endif  // RAW_EPOLL_UV_LIBUV_H_
