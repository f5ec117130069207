#include "core/environment.h"

#include <unistd.h>

#ifdef __linux__
#include <sys/syscall.h>
#else
#include <pthread.h>
#endif

#include <utility>

#include "core/call_frame.h"
#include "core/channel.h"
#include "core/channel_shares.h"
#include "core/signal_pipe.h"
#include "core/wake_registry.h"

namespace raw_epoll {

namespace {

bool OnMainThread() {
#if defined(__linux__)
  return syscall(SYS_gettid) == getpid();
#elif defined(__APPLE__) || defined(__FreeBSD__) || defined(__OpenBSD__) || defined(__NetBSD__)
  return pthread_main_np() == 1;
#else
  return false;  // Waiting in slices is right everywhere, only not free.
#endif
}

}  // namespace

Environment::Environment(napi_env env) : env_(env), is_main_thread_(OnMainThread()) {}

Environment::~Environment() { CloseOwned(); }

bool Environment::IsStopping() const {
  // Any call that may run JavaScript is refused once the environment is stopping, with no
  // exception pending. Coercing undefined to a boolean is the cheapest of them.
  napi_handle_scope scope;
  if (napi_open_handle_scope(env_, &scope) != napi_ok) return true;
  napi_value undefined = nullptr;
  napi_value coerced = nullptr;
  bool stopping = napi_get_undefined(env_, &undefined) != napi_ok ||
                  napi_coerce_to_bool(env_, undefined, &coerced) != napi_ok;
  if (stopping) {
    bool pending = false;  // An exception of the caller's own is no sign of the end.
    if (napi_is_exception_pending(env_, &pending) == napi_ok && pending) stopping = false;
  }
  napi_close_handle_scope(env_, scope);
  return stopping;
}

CallFrame* Environment::AddFrame(std::unique_ptr<CallFrame> frame) {
  frames_.push_back(std::move(frame));
  return frames_.back().get();
}

bool Environment::Own(int fd) {
  const auto index = static_cast<size_t>(fd);
  if (index >= owned_.size()) owned_.resize(index + 1, false);
  if (owned_[index]) return false;
  owned_[index] = true;
  ++owned_count_;
  return true;
}

bool Environment::Disown(int fd) {
  const auto index = static_cast<size_t>(fd);
  if (fd < 0 || index >= owned_.size() || !owned_[index]) return false;
  owned_[index] = false;
  --owned_count_;
  return true;
}

uint64_t Environment::AddSignalPipe(SignalPipe* pipe) {
  signal_pipes_.emplace(++last_signal_pipe_, pipe);
  return last_signal_pipe_;
}

SignalPipe* Environment::FindSignalPipe(uint64_t id) const {
  const auto found = signal_pipes_.find(id);
  return found == signal_pipes_.end() ? nullptr : found->second;
}

uint64_t Environment::AddChannelEnd(std::unique_ptr<ChannelEnd> end) {
  channel_ends_.emplace(++last_channel_end_, std::move(end));
  return last_channel_end_;
}

ChannelEnd* Environment::FindChannelEnd(uint64_t id) const {
  const auto found = channel_ends_.find(id);
  return found == channel_ends_.end() ? nullptr : found->second.get();
}

bool Environment::CloseChannelEnd(uint64_t id) { return channel_ends_.erase(id) > 0; }

uint64_t Environment::AddWatch(HostWatch* watch) {
  watches_.emplace(++last_watch_, watch);
  return last_watch_;
}

HostWatch* Environment::FindWatch(uint64_t id) const {
  const auto found = watches_.find(id);
  return found == watches_.end() ? nullptr : found->second;
}

void Environment::CloseOwned() {
  // Wake handles and signals first: after that nobody can write to a number that is closed here.
  for (const uint64_t id : wakes_) WakeRegistry::Instance().Remove(id);
  wakes_.clear();
  for (const auto& [id, pipe] : signal_pipes_) pipe->Close();
  signal_pipes_.clear();
  channel_ends_.clear();
  ChannelShares::Instance().CloseAllOf(this);
  for (size_t fd = 0; fd < owned_.size(); ++fd) {
    if (owned_[fd]) ::close(static_cast<int>(fd));
  }
  owned_.clear();
  owned_count_ = 0;
}

}  // namespace raw_epoll
