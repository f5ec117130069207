#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "uv/host_watch.h"
#include "uv/libuv.h"

#ifdef __linux__
#include <sys/epoll.h>
#endif

namespace raw_epoll {

namespace {

// An epoll set that contains `fd`, with no events asked for. It makes the descriptor as deeply
// nested as the host's own set will: adding one set too many inside is then refused where the user
// does it (ELOOP), and not inside libuv, which would abort.
class NestingGuard {
 public:
#ifdef __linux__
  explicit NestingGuard(int fd) : set_(epoll_create1(EPOLL_CLOEXEC)) {
    epoll_event nothing{};
    if (set_ < 0 || epoll_ctl(set_, EPOLL_CTL_ADD, fd, &nothing) != 0) error_ = -errno;
  }
#else
  explicit NestingGuard(int /*fd*/) {}
#endif
  ~NestingGuard() { Close(); }
  NestingGuard(const NestingGuard&) = delete;
  NestingGuard& operator=(const NestingGuard&) = delete;

  // 0, or a negated errno.
  int error() const { return error_; }
  void Close() {
    if (set_ >= 0) ::close(set_);
    set_ = -1;
  }

 private:
  int set_ = -1;
  int error_ = 0;
};

class UvWatch : public HostWatch {
 public:
  UvWatch(const Libuv& uv, Environment& environment, int fd, std::unique_ptr<HostCallback> callback)
      : HostWatch(environment, std::move(callback)), uv_(uv), descriptor_(fd), guard_(fd) {}

  // 0, or a negated errno: then nothing is left behind.
  int Open(napi_env env) {
    if (descriptor_.fd() < 0) return descriptor_.fd();
    if (guard_.error() != 0) return guard_.error();
    uv_loop_s* loop = nullptr;
    if (uv_.get_event_loop(env, &loop) != napi_ok) return -ENOSYS;
    memory_ = std::make_unique<unsigned char[]>(uv_.handle_size(Libuv::kPollHandle));
    poll_ = reinterpret_cast<UvPoll*>(memory_.get());
    const int result = uv_.poll_init(loop, poll_, descriptor_.fd());
    if (result != 0) return result;
    uv_.handle_set_data(poll_, this);
    Enter();
    // A handle that is open at the end of a worker's loop aborts the process.
    napi_add_async_cleanup_hook(env, OnEnvironmentEnd, this, &hook_);
    return 0;
  }

  int Start() override { return uv_.poll_start(poll_, Libuv::kReadable, OnPoll); }
  void Stop() override { uv_.poll_stop(poll_); }
  void Ref(bool keeps_alive) override { keeps_alive ? uv_.ref(poll_) : uv_.unref(poll_); }

  void Close() override {
    Leave();
    closing_ = true;
    uv_.close(poll_, OnClosed);  // Takes the descriptor out of the loop's set at once:
    descriptor_.Close();         // only then may it be closed.
    guard_.Close();
  }

 private:
  static UvWatch* Of(const Libuv& uv, UvPoll* handle) {
    return static_cast<UvWatch*>(uv.handle_get_data(handle));
  }

  static void OnPoll(UvPoll* handle, int /*status*/, int /*events*/) {
    // An error of the descriptor (status) is for the wait to find and to throw.
    Of(*Libuv::Get(), handle)->callback().Call();
  }

  static void OnClosed(UvPoll* handle) {
    UvWatch* watch = Of(*Libuv::Get(), handle);
    if (watch->hook_ != nullptr) napi_remove_async_cleanup_hook(watch->hook_);
    delete watch;
  }

  static void OnEnvironmentEnd(napi_async_cleanup_hook_handle /*hook*/, void* data) {
    auto* watch = static_cast<UvWatch*>(data);
    if (!watch->closing_) watch->Close();
  }

  const Libuv& uv_;
  PrivateDescriptor descriptor_;
  NestingGuard guard_;
  std::unique_ptr<unsigned char[]> memory_;
  UvPoll* poll_ = nullptr;
  napi_async_cleanup_hook_handle hook_ = nullptr;
  bool closing_ = false;
};

}  // namespace

OpenedWatch OpenUvWatch(napi_env env, Environment& environment, int fd,
                        std::unique_ptr<HostCallback> callback) {
  const Libuv* uv = Libuv::Get();
  if (uv == nullptr) return {nullptr, -ENOSYS};
  auto watch = std::make_unique<UvWatch>(*uv, environment, fd, std::move(callback));
  const int error = watch->Open(env);
  if (error != 0) return {nullptr, error};
  return {watch.release(), 0};  // Deleted in OnClosed.
}

}  // namespace raw_epoll
