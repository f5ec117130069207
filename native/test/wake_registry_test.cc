#include "core/wake_registry.h"

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace raw_epoll {

namespace {

int OpenEventfd() { return ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

bool IsReadable(int fd) {
  pollfd target{fd, POLLIN, 0};
  return ::poll(&target, 1, 0) == 1;
}

uint64_t Drain(int fd) {
  uint64_t count = 0;
  return ::read(fd, &count, sizeof count) == sizeof count ? count : 0;
}

}  // namespace

TEST_SUITE("wake_registry") {
  TEST_CASE("ids begin at 1 or later and are never used twice") {
    WakeRegistry& registry = WakeRegistry::Instance();
    const int fd = OpenEventfd();
    const uint64_t first = registry.Add(fd);
    registry.Remove(first);
    const uint64_t second = registry.Add(fd);
    CHECK(first >= 1);
    CHECK(second > first);
    registry.Remove(second);
    ::close(fd);
  }

  TEST_CASE("a wake makes the descriptor readable, and many are one") {
    WakeRegistry& registry = WakeRegistry::Instance();
    const int fd = OpenEventfd();
    const uint64_t id = registry.Add(fd);
    CHECK_FALSE(IsReadable(fd));
    for (int i = 0; i < 5; ++i) CHECK(registry.Wake(id));
    CHECK(Drain(fd) == 5);
    CHECK_FALSE(IsReadable(fd));
    registry.Remove(id);
    ::close(fd);
  }

  TEST_CASE("a removed id wakes nobody, not even who has its descriptor now") {
    WakeRegistry& registry = WakeRegistry::Instance();
    const int fd = OpenEventfd();
    const uint64_t id = registry.Add(fd);
    registry.Remove(id);
    CHECK_FALSE(registry.Wake(id));
    CHECK_FALSE(IsReadable(fd));
    ::close(fd);
  }

  TEST_CASE("threads add, wake and remove beside each other, and no wake reaches a closed number") {
    WakeRegistry& registry = WakeRegistry::Instance();
    std::atomic<uint64_t> newest{0};
    std::atomic<bool> done{false};
    std::vector<std::thread> wakers;
    for (int i = 0; i < 3; ++i) {
      wakers.emplace_back([&] {
        while (!done.load()) registry.Wake(newest.load());
      });
    }
    for (int round = 0; round < 5'000; ++round) {
      const int fd = OpenEventfd();
      const uint64_t id = registry.Add(fd);
      newest.store(id);
      registry.Wake(id);
      registry.Remove(id);
      CHECK(Drain(fd) >= 1);
      // Removed: whatever the other threads do now, nothing is written any more.
      CHECK_FALSE(IsReadable(fd));
      ::close(fd);
    }
    done.store(true);
    for (std::thread& thread : wakers) thread.join();
  }

  // Last: it cannot be taken back.
  TEST_CASE("the exit wakes every set") {
    WakeRegistry& registry = WakeRegistry::Instance();
    const int first = OpenEventfd();
    const int second = OpenEventfd();
    registry.Add(first);
    registry.Add(second);
    CHECK_FALSE(registry.process_is_ending());
    registry.WakeAllForExit();
    CHECK(registry.process_is_ending());
    CHECK(IsReadable(first));
    CHECK(IsReadable(second));
  }
}

}  // namespace raw_epoll
