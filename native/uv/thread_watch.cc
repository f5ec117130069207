#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <mutex>

#include "core/signals_blocked.h"
#include "uv/host_watch.h"

namespace raw_epoll {

namespace {

// Ends a poll(2) of the thread: a pipe, because eventfd is Linux's alone.
class Interrupt {
 public:
  Interrupt() {
    if (::pipe(ends_) != 0) return;
    for (const int fd : ends_) {
      fcntl(fd, F_SETFD, FD_CLOEXEC);
      fcntl(fd, F_SETFL, O_NONBLOCK);
    }
  }
  ~Interrupt() {
    for (const int fd : ends_) {
      if (fd >= 0) ::close(fd);
    }
  }
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  bool is_open() const { return ends_[0] >= 0; }
  int fd() const { return ends_[0]; }
  // A full pipe is as good as one more byte.
  void Raise() { [[maybe_unused]] const ssize_t written = ::write(ends_[1], "", 1); }
  void Clear() {
    char bytes[64];
    while (::read(ends_[0], bytes, sizeof(bytes)) > 0) {
    }
  }

 private:
  int ends_[2] = {-1, -1};
};

class ThreadWatch : public HostWatch {
 public:
  ThreadWatch(napi_env env, Environment& environment, int fd,
              std::unique_ptr<HostCallback> callback)
      : HostWatch(environment, std::move(callback)), env_(env), descriptor_(fd) {}

  int Open() {
    if (descriptor_.fd() < 0) return descriptor_.fd();
    if (!interrupt_.is_open()) return -EMFILE;
    const int error = StartThread();
    if (error != 0) return error;
    napi_value name = nullptr;
    if (napi_create_string_utf8(env_, "raw-epoll", NAPI_AUTO_LENGTH, &name) != napi_ok ||
        napi_create_threadsafe_function(env_, nullptr, nullptr, name, 0, 1, this, OnFinalized, this,
                                        OnReport, &report_) != napi_ok) {
      EndThread();
      return -ENOMEM;
    }
    napi_unref_threadsafe_function(env_, report_);  // Referenced while it is started.
    Enter();
    // Runs before Node tears the thread-safe function down, because it was added later.
    napi_add_env_cleanup_hook(env_, OnEnvironmentEnd, this);
    return 0;
  }

  int Start() override {
    started_ = true;
    SetRef();
    Arm(true);
    return 0;
  }

  void Stop() override {
    started_ = false;
    SetRef();
    Arm(false);
    interrupt_.Raise();
  }

  void Ref(bool keeps_alive) override {
    keeps_alive_ = keeps_alive;
    SetRef();
  }

  void Close() override {
    Leave();
    napi_remove_env_cleanup_hook(env_, OnEnvironmentEnd, this);
    EndThread();
    napi_release_threadsafe_function(report_, napi_tsfn_abort);  // Ends in OnFinalized.
  }

 private:
  static void OnReport(napi_env env, napi_value /*function*/, void* context, void* /*data*/) {
    if (env == nullptr) return;  // Torn down meanwhile.
    auto* watch = static_cast<ThreadWatch*>(context);
    if (!watch->started_) return;  // Stopped while the report was under way.
    watch->callback().Call();      // Armed again by the next Start().
  }

  static void OnFinalized(napi_env /*env*/, void* data, void* /*hint*/) {
    delete static_cast<ThreadWatch*>(data);
  }

  static void OnEnvironmentEnd(void* data) {
    auto* watch = static_cast<ThreadWatch*>(data);
    watch->Leave();
    watch->EndThread();
  }

  void SetRef() {
    if (started_ && keeps_alive_) {
      napi_ref_threadsafe_function(env_, report_);
    } else {
      napi_unref_threadsafe_function(env_, report_);
    }
  }

  void Arm(bool armed) {
    const std::lock_guard<std::mutex> lock(mutex_);
    armed_ = armed;
    changed_.notify_one();
  }

  // std::thread would throw where there is no thread to be had, and exceptions are off.
  int StartThread() {
    // A signal of the process must never be delivered to a thread that nobody knows of.
    const SignalsBlocked blocked;
    const int error = pthread_create(
        &thread_, nullptr,
        [](void* watch) -> void* {
          static_cast<ThreadWatch*>(watch)->Run();
          return nullptr;
        },
        this);
    has_thread_ = error == 0;
    return -error;
  }

  void EndThread() {
    started_ = false;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ending_ = true;
      changed_.notify_one();
    }
    interrupt_.Raise();
    if (has_thread_) pthread_join(thread_, nullptr);
    has_thread_ = false;
  }

  // The thread: one report for each time that it is armed.
  void Run() {
    while (WaitUntilArmed()) {
      pollfd watched[] = {{descriptor_.fd(), POLLIN, 0}, {interrupt_.fd(), POLLIN, 0}};
      if (::poll(watched, 2, -1) < 0) continue;  // EINTR
      if (watched[1].revents != 0) interrupt_.Clear();
      if (watched[0].revents != 0 && Disarm() &&
          napi_call_threadsafe_function(report_, nullptr, napi_tsfn_nonblocking) != napi_ok) {
        return;
      }
    }
  }

  bool WaitUntilArmed() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return armed_ || ending_; });
    return !ending_;
  }

  bool Disarm() {
    const std::lock_guard<std::mutex> lock(mutex_);
    const bool was_armed = armed_ && !ending_;
    armed_ = false;
    return was_armed;
  }

  napi_env env_;
  PrivateDescriptor descriptor_;
  Interrupt interrupt_;
  napi_threadsafe_function report_ = nullptr;
  pthread_t thread_{};
  bool has_thread_ = false;
  bool started_ = false;  // Of the JavaScript thread alone, like keeps_alive_.
  bool keeps_alive_ = true;
  std::mutex mutex_;  // Guards what follows.
  std::condition_variable changed_;
  bool armed_ = false;
  bool ending_ = false;
};

}  // namespace

OpenedWatch OpenThreadWatch(napi_env env, Environment& environment, int fd,
                            std::unique_ptr<HostCallback> callback) {
  auto watch = std::make_unique<ThreadWatch>(env, environment, fd, std::move(callback));
  const int error = watch->Open();
  if (error != 0) return {nullptr, error};
  return {watch.release(), 0};  // Deleted in OnFinalized.
}

}  // namespace raw_epoll
