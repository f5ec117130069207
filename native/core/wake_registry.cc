#include "core/wake_registry.h"

#include <unistd.h>

namespace raw_epoll {

namespace {

// An eventfd adds the 8 bytes to its counter, so wakes coalesce by themselves. A full counter
// (EAGAIN) is a wake that nobody consumed yet: nothing is lost.
void Write(int wake_fd) {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_fd, &one, sizeof one);
}

}  // namespace

WakeRegistry& WakeRegistry::Instance() {
  // Never destroyed: a worker may still remove its sets while the process runs its exit handlers.
  static auto* const registry = new WakeRegistry;
  return *registry;
}

uint64_t WakeRegistry::Add(int wake_fd) {
  const std::lock_guard<std::mutex> lock(mutex_);
  wake_fds_.emplace(++last_id_, wake_fd);
  return last_id_;
}

void WakeRegistry::Remove(uint64_t id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  wake_fds_.erase(id);
}

bool WakeRegistry::Wake(uint64_t id) {
  // The write happens under the lock: the owner removes the id before it closes the descriptor.
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = wake_fds_.find(id);
  if (found == wake_fds_.end()) return false;
  Write(found->second);
  return true;
}

void WakeRegistry::WakeAllForExit() {
  process_is_ending_.store(true, std::memory_order_relaxed);
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& [id, wake_fd] : wake_fds_) Write(wake_fd);
}

}  // namespace raw_epoll
