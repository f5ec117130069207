#include "core/environment.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <thread>

#include "core/wake_registry.h"
#include "test/fake_node_api.h"

namespace raw_epoll {

namespace {

bool IsOpen(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

}  // namespace

TEST_SUITE("environment") {
  TEST_CASE("the thread that started the process is the main thread, others are not") {
    CHECK(Environment(nullptr).is_main_thread());
    std::thread([] { CHECK_FALSE(Environment(nullptr).is_main_thread()); }).join();
  }

  TEST_CASE("it closes what it owns at its end, and nothing else") {
    const int owned = ::eventfd(0, 0);
    const int foreign = ::eventfd(0, 0);
    const int given_away = ::eventfd(0, 0);
    {
      Environment environment(nullptr);
      environment.Own(owned);
      environment.Own(given_away);
      CHECK(environment.owned_count() == 2);
      CHECK(environment.Disown(given_away));
    }
    CHECK_FALSE(IsOpen(owned));
    CHECK(IsOpen(foreign));
    CHECK(IsOpen(given_away));
    ::close(foreign);
    ::close(given_away);
  }

  TEST_CASE("owning twice is owning once, and nobody disowns what is not owned") {
    Environment environment(nullptr);
    const int fd = ::eventfd(0, 0);
    environment.Own(fd);
    environment.Own(fd);
    CHECK(environment.owned_count() == 1);
    CHECK(environment.Disown(fd));
    CHECK_FALSE(environment.Disown(fd));
    CHECK_FALSE(environment.Disown(-1));
    CHECK_FALSE(environment.Disown(1'000'000));
    ::close(fd);
  }

  TEST_CASE("at its end its wake handles wake nobody any more") {
    const int fd = ::eventfd(0, EFD_NONBLOCK);
    uint64_t id = 0;
    {
      Environment environment(nullptr);
      id = WakeRegistry::Instance().Add(fd);
      environment.OwnWake(id);
      CHECK(WakeRegistry::Instance().Wake(id));
    }
    CHECK_FALSE(WakeRegistry::Instance().Wake(id));
    ::close(fd);
  }

  TEST_CASE("the probe tells a stopping environment from a living one") {
    const Environment environment(nullptr);
    fake::SetStopping(false);
    CHECK_FALSE(environment.IsStopping());
    fake::SetStopping(true);
    CHECK(environment.IsStopping());
    fake::SetStopping(false);
  }
}

}  // namespace raw_epoll
