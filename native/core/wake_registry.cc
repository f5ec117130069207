#include "core/wake_registry.h"

#include <unistd.h>

#include "core/kqueue_header.h"

namespace raw_epoll {

namespace {

// An eventfd adds the 8 bytes to its counter, so wakes coalesce by themselves. A full counter
// (EAGAIN) is a wake that nobody consumed yet: nothing is lost.
void Write(int wake_fd) {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_fd, &one, sizeof one);
}

void Trigger([[maybe_unused]] int kq) {
#if defined(RAW_EPOLL_HAS_KQUEUE) && defined(EVFILT_USER)
  struct kevent change;
  EV_SET(&change, kWakeIdent, EVFILT_USER, 0, NOTE_TRIGGER, 0, nullptr);
  ::kevent(kq, &change, 1, nullptr, 0, nullptr);
#endif
}

}  // namespace

WakeRegistry& WakeRegistry::Instance() {
  // Never destroyed: a worker may still remove its sets while the process runs its exit handlers.
  static auto* const registry = new WakeRegistry;
  return *registry;
}

uint64_t WakeRegistry::Add(int wake_fd) { return AddTarget({wake_fd, false}); }

uint64_t WakeRegistry::AddKqueue(int kq) { return AddTarget({kq, true}); }

uint64_t WakeRegistry::AddTarget(Target target) {
  const std::lock_guard<std::mutex> lock(mutex_);
  targets_.emplace(++last_id_, target);
  return last_id_;
}

void WakeRegistry::WakeTarget(Target target) {
  if (target.is_kqueue) {
    Trigger(target.fd);
  } else {
    Write(target.fd);
  }
}

void WakeRegistry::Remove(uint64_t id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  targets_.erase(id);
}

bool WakeRegistry::Wake(uint64_t id) {
  // The write happens under the lock: the owner removes the id before it closes the descriptor.
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = targets_.find(id);
  if (found == targets_.end()) return false;
  WakeTarget(found->second);
  return true;
}

void WakeRegistry::WakeAllForExit() {
  process_is_ending_.store(true, std::memory_order_relaxed);
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& [id, target] : targets_) WakeTarget(target);
}

}  // namespace raw_epoll
