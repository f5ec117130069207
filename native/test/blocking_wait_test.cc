#include "core/blocking_wait.h"

#include <doctest/doctest.h>
#include <poll.h>
#include <signal.h>
#include <sys/time.h>

#include <cerrno>
#include <climits>
#include <vector>

#include "core/errno_result.h"
#include "test/fake_node_api.h"
#include "test/worker_thread.h"

namespace raw_epoll {

namespace {

int64_t Sleep(int64_t timeout_ns) {
  return ResultOrErrno(::poll(nullptr, 0, MillisecondsRoundedUp(timeout_ns)));
}

// A signal every millisecond, on this thread, for as long as it lives.
class Interruptions {
 public:
  Interruptions() {
    struct sigaction action {};
    action.sa_handler = [](int) {};
    sigaction(SIGALRM, &action, &before_);
    const itimerval every_millisecond{{0, 1000}, {0, 1000}};
    setitimer(ITIMER_REAL, &every_millisecond, nullptr);
  }
  ~Interruptions() {
    const itimerval never{};
    setitimer(ITIMER_REAL, &never, nullptr);
    sigaction(SIGALRM, &before_, nullptr);
  }
  Interruptions(const Interruptions&) = delete;
  Interruptions& operator=(const Interruptions&) = delete;

 private:
  struct sigaction before_ {};
};

}  // namespace

TEST_SUITE("blocking_wait") {
  TEST_CASE("milliseconds are rounded up, forever is -1, and an int holds what is longer") {
    CHECK(MillisecondsRoundedUp(0) == 0);
    CHECK(MillisecondsRoundedUp(1) == 1);
    CHECK(MillisecondsRoundedUp(kNanosecondsPerMillisecond) == 1);
    CHECK(MillisecondsRoundedUp(kNanosecondsPerMillisecond + 1) == 2);
    CHECK(MillisecondsRoundedUp(kForever) == -1);
    CHECK(MillisecondsRoundedUp(INT64_MAX) == INT_MAX);
  }

  TEST_CASE("a deadline that the clock never reaches is none") {
    CHECK(DeadlineNs(kForever) == kForever);
    CHECK(DeadlineNs(INT64_MAX) == kForever);
    CHECK(DeadlineNs(1000) > MonotonicNs() - kNanosecondsPerSecond);
  }

  TEST_CASE("a count and an error end the wait at once") {
    const Environment environment(nullptr);
    for (const int64_t answer : {int64_t{3}, int64_t{-EBADF}}) {
      int calls = 0;
      const int64_t result = BlockingWait(environment, kForever, OnInterrupt::kRetry, [&](int64_t) {
        ++calls;
        return answer;
      });
      CHECK(result == answer);
      CHECK(calls == 1);
    }
  }

  TEST_CASE("the main thread waits in one piece and is never asked whether it stops") {
    const Environment environment(nullptr);
    fake::SetStopping(false);
    std::vector<int64_t> waits;
    BlockingWait(environment, 5 * kNanosecondsPerSecond, OnInterrupt::kReport, [&](int64_t ns) {
      waits.push_back(ns);
      return int64_t{1};
    });
    CHECK(waits == std::vector<int64_t>{5 * kNanosecondsPerSecond});
    CHECK(fake::ProbeCount() == 0);
  }

  TEST_CASE("a wait is never early, in one piece or in slices") {
    constexpr int64_t kTimeout = 120 * kNanosecondsPerMillisecond;
    const auto elapsed = [](const Environment& environment) {
      const int64_t start = MonotonicNs();
      CHECK(BlockingWait(environment, kTimeout, OnInterrupt::kReport, Sleep) == 0);
      return MonotonicNs() - start;
    };
    CHECK(elapsed(Environment(nullptr)) >= kTimeout);
    OnWorker([&](const Environment& environment) { CHECK(elapsed(environment) >= kTimeout); });
  }

  TEST_CASE(
      "signals do not end a wait that retries, and do not prolong its deadline into nothing") {
    const Environment environment(nullptr);
    const Interruptions interruptions;
    constexpr int64_t kTimeout = 60 * kNanosecondsPerMillisecond;
    int calls = 0;
    const int64_t start = MonotonicNs();
    const int64_t result =
        BlockingWait(environment, kTimeout, OnInterrupt::kRetry, [&](int64_t ns) {
          ++calls;
          return Sleep(ns);
        });
    CHECK(result == 0);
    CHECK(MonotonicNs() - start >= kTimeout);
    CHECK(calls > 1);
  }

  TEST_CASE("level 1 is told of a signal") {
    const Environment environment(nullptr);
    const Interruptions interruptions;
    CHECK(BlockingWait(environment, kForever, OnInterrupt::kReport, Sleep) == -EINTR);
  }

  TEST_CASE("a worker waits in slices of at most 100 ms and asks before each whether it stops") {
    OnWorker([](const Environment& environment) {
      std::vector<int64_t> waits;
      fake::StopAfterProbes(4);
      const int64_t result =
          BlockingWait(environment, kForever, OnInterrupt::kRetry, [&](int64_t ns) {
            waits.push_back(ns);
            return int64_t{0};
          });
      CHECK(result == kStopping);
      CHECK(waits.size() == 4);
      for (const int64_t ns : waits) {
        CHECK(ns > 0);
        CHECK(ns <= 100 * kNanosecondsPerMillisecond);
      }
    });
  }

  TEST_CASE("a worker that stops makes the slices of the others short, for a moment") {
    const int64_t start = MonotonicNs();
    OnWorker([](const Environment& environment) {
      fake::SetStopping(true);
      const auto never = [](int64_t) { return int64_t{0}; };
      CHECK(BlockingWait(environment, kForever, OnInterrupt::kRetry, never) == kStopping);
    });
    OnWorker([start](const Environment& environment) {
      const bool is_short = SliceNs(environment) == kNanosecondsPerMillisecond;
      // To start a thread may have taken longer than the moment.
      const bool may_be_over = MonotonicNs() - start >= 100 * kNanosecondsPerMillisecond;
      CHECK((is_short || may_be_over));
      while (SliceNs(environment) == kNanosecondsPerMillisecond) Sleep(kNanosecondsPerMillisecond);
      CHECK(SliceNs(environment) == 50 * kNanosecondsPerMillisecond);
    });
    CHECK(SliceNs(Environment(nullptr)) == kForever);
  }

  TEST_CASE("a wait that spins asks without blocking, and then waits for what is left") {
    const Environment environment(nullptr);
    constexpr int64_t kTimeout = 5 * kNanosecondsPerSecond;
    constexpr int64_t kSpin = 20 * kNanosecondsPerMillisecond;
    int64_t asked = 0;
    const int64_t start = MonotonicNs();
    const int64_t result =
        BlockingWait(environment, {kTimeout, kSpin}, OnInterrupt::kRetry, [&](int64_t ns) {
          if (ns == 0) {
            ++asked;
            return asked % 2 == 0 ? int64_t{-EINTR} : int64_t{0};
          }
          CHECK(ns <= kTimeout - kSpin);
          return int64_t{7};
        });
    CHECK(result == 7);
    CHECK(asked > 1);
    CHECK(MonotonicNs() - start >= kSpin);
  }

  TEST_CASE("an answer and an error end a spin at once, and level 1 is told of a signal in it") {
    const Environment environment(nullptr);
    for (const int64_t answer : {int64_t{3}, int64_t{-EBADF}, int64_t{-EINTR}}) {
      int calls = 0;
      const int64_t result = BlockingWait(environment, {kForever, kNanosecondsPerSecond},
                                          OnInterrupt::kReport, [&](int64_t ns) {
                                            CHECK(ns == 0);
                                            ++calls;
                                            return calls == 3 ? answer : int64_t{0};
                                          });
      CHECK(result == answer);
      CHECK(calls == 3);
    }
  }

  TEST_CASE("a spin takes no longer than the timeout, and is never early") {
    const Environment environment(nullptr);
    constexpr int64_t kTimeout = 10 * kNanosecondsPerMillisecond;
    const int64_t start = MonotonicNs();
    const int64_t result = BlockingWait(environment, {kTimeout, kNanosecondsPerSecond},
                                        OnInterrupt::kRetry, [](int64_t ns) {
                                          CHECK(ns == 0);
                                          return int64_t{0};
                                        });
    CHECK(result == 0);
    CHECK(MonotonicNs() - start >= kTimeout);
  }

  TEST_CASE("a worker that is stopping does not wait at all") {
    OnWorker([](const Environment& environment) {
      fake::SetStopping(true);
      int calls = 0;
      const int64_t result = BlockingWait(environment, kForever, OnInterrupt::kRetry, [&](int64_t) {
        ++calls;
        return int64_t{0};
      });
      CHECK(result == kStopping);
      CHECK(calls == 0);
    });
  }
}

}  // namespace raw_epoll
