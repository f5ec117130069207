// Watching one descriptor from the loop of the host (Node's own), beside all that goes on there.
//
// A started watch tells its callback that the descriptor is readable, at least once for each
// Start(); it may go on telling until the descriptor is not, or the watch is stopped. It looks at
// a private duplicate, so that closing the number, or giving it to another file, is no harm to the
// host: libuv aborts the process over a descriptor that was closed before it came to register it.
#ifndef RAW_EPOLL_UV_HOST_WATCH_H_
#define RAW_EPOLL_UV_HOST_WATCH_H_

#include <node_api.h>

#include <cstdint>
#include <memory>

#include "core/environment.h"
#include "uv/host_callback.h"

namespace raw_epoll {

class HostWatch {
 public:
  virtual ~HostWatch() = default;
  HostWatch(const HostWatch&) = delete;
  HostWatch& operator=(const HostWatch&) = delete;

  // 0, or a negated errno. A watch starts stopped.
  virtual int Start() = 0;
  virtual void Stop() = 0;

  // Whether a started watch keeps the process alive. At first it does.
  virtual void Ref(bool keeps_alive) = 0;

  // No call of the callback follows, and no other method may. The object goes when the host is
  // done with it.
  virtual void Close() = 0;

  uint64_t id() const { return id_; }

 protected:
  HostWatch(Environment& environment, std::unique_ptr<HostCallback> callback)
      : environment_(environment), callback_(std::move(callback)) {}

  // Makes the watch known to its environment under a new id.
  void Enter() { id_ = environment_.AddWatch(this); }
  void Leave() { environment_.RemoveWatch(id_); }
  HostCallback& callback() { return *callback_; }

 private:
  Environment& environment_;
  std::unique_ptr<HostCallback> callback_;
  uint64_t id_ = 0;
};

// A duplicate of a descriptor, closed with the object.
class PrivateDescriptor {
 public:
  explicit PrivateDescriptor(int fd);
  ~PrivateDescriptor() { Close(); }
  PrivateDescriptor(const PrivateDescriptor&) = delete;
  PrivateDescriptor& operator=(const PrivateDescriptor&) = delete;

  // A negated errno if there was none to be had.
  int fd() const { return fd_; }
  void Close();

 private:
  int fd_;
};

struct OpenedWatch {
  HostWatch* watch;
  int error;  // 0, or a negated errno
};

// Over libuv, on the loop's own thread; -ENOSYS where there is no libuv.
OpenedWatch OpenUvWatch(napi_env env, Environment& environment, int fd,
                        std::unique_ptr<HostCallback> callback);

// Over a thread that polls, and a thread-safe function: for hosts without libuv.
OpenedWatch OpenThreadWatch(napi_env env, Environment& environment, int fd,
                            std::unique_ptr<HostCallback> callback);

}  // namespace raw_epoll

#endif  // RAW_EPOLL_UV_HOST_WATCH_H_
