// Every set of level 2 and up has a descriptor that ends a wait. This is the process-wide list
// of them: any thread may wake a set by its id, and a set that is closed can no longer be hit,
// not even through a descriptor number that was given out again.
#ifndef RAW_EPOLL_CORE_WAKE_REGISTRY_H_
#define RAW_EPOLL_CORE_WAKE_REGISTRY_H_

#include <atomic>
#include <cstdint>
#include <mutex>
#include <unordered_map>

namespace raw_epoll {

class WakeRegistry {
 public:
  static WakeRegistry& Instance();

  // Ids start at 1, are never used twice, and stay exact in a JavaScript number.
  uint64_t Add(int wake_fd);
  // A kqueue, which needs no descriptor to be woken: it is triggered itself.
  uint64_t AddKqueue(int kq);
  void Remove(uint64_t id);

  // False if the set is closed.
  bool Wake(uint64_t id);

  // The process is about to end: wakes every set, and makes later waits on workers short.
  void WakeAllForExit();
  bool process_is_ending() const { return process_is_ending_.load(std::memory_order_relaxed); }

 private:
  struct Target {
    int fd;
    bool is_kqueue;
  };

  uint64_t AddTarget(Target target);
  static void WakeTarget(Target target);

  std::mutex mutex_;
  std::unordered_map<uint64_t, Target> targets_;
  uint64_t last_id_ = 0;
  std::atomic<bool> process_is_ending_{false};
};

}  // namespace raw_epoll

#endif  // RAW_EPOLL_CORE_WAKE_REGISTRY_H_
