#include "core/signal_pipe.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <thread>
#include <vector>

#include "core/environment.h"

namespace raw_epoll {

namespace {

constexpr int kSignal = SIGUSR2;
constexpr uint32_t kBit = uint32_t{1} << (kSignal - 1);

// A pipe, and what is told to it.
class Ears {
 public:
  Ears() {
    REQUIRE(::pipe2(ends_, O_CLOEXEC | O_NONBLOCK) == 0);
    pipe_ = SignalPipe::Open(ends_[0], ends_[1]);
  }
  ~Ears() {
    pipe_->Close();
    for (const int fd : ends_) ::close(fd);
  }
  Ears(const Ears&) = delete;
  Ears& operator=(const Ears&) = delete;

  SignalPipe* operator->() { return pipe_; }
  bool IsReadable() const { return PollFor(0); }
  void Await() const { REQUIRE(PollFor(10'000)); }
  int writer() const { return ends_[1]; }

 private:
  bool PollFor(int timeout_ms) const {
    pollfd target{ends_[0], POLLIN, 0};
    int result = 0;
    do {
      result = ::poll(&target, 1, timeout_ms);
    } while (result < 0 && errno == EINTR);
    return result == 1;
  }

  int ends_[2] = {-1, -1};
  SignalPipe* pipe_ = nullptr;
};

struct sigaction Present(int signal) {
  struct sigaction action {};
  sigaction(signal, nullptr, &action);
  return action;
}

bool IsDefault(int signal) { return Present(signal).sa_handler == SIG_DFL; }

// Has a handler for as long as it lives, and counts its calls.
class OtherHandler {
 public:
  explicit OtherHandler(int signal, int flags = 0) : signal_(signal) {
    calls_ = 0;
    struct sigaction action {};
    action.sa_handler = [](int) { ++calls_; };
    action.sa_flags = flags;
    sigaction(signal, &action, &before_);
  }
  ~OtherHandler() { sigaction(signal_, &before_, nullptr); }
  OtherHandler(const OtherHandler&) = delete;
  OtherHandler& operator=(const OtherHandler&) = delete;

  static int calls() { return calls_; }

 private:
  static std::atomic<int> calls_;
  int signal_;
  struct sigaction before_ {};
};

std::atomic<int> OtherHandler::calls_{0};

// Leaves no room for a byte: a write fails with EAGAIN from then on, or waits if it may.
void Fill(int writer, bool blocks) {
  REQUIRE(::fcntl(writer, F_SETFL, O_NONBLOCK) == 0);
  while (::write(writer, "", 1) == 1) {
  }
  REQUIRE(errno == EAGAIN);
  REQUIRE(::fcntl(writer, F_SETFL, blocks ? 0 : O_NONBLOCK) == 0);
}

// How a child ends that runs `body`.
template <typename Body>
int StatusOfChild(Body body) {
  const pid_t child = ::fork();
  if (child == 0) {
    body();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

}  // namespace

TEST_SUITE("signal_pipe") {
  TEST_CASE("a signal is told to the pipe, once for many that came together") {
    Ears ears;
    CHECK(ears->Watch(kSignal) == 0);
    CHECK_FALSE(ears.IsReadable());
    for (int i = 0; i < 5; ++i) raise(kSignal);
    CHECK(ears.IsReadable());
    CHECK(ears->Take() == kBit);
    CHECK_FALSE(ears.IsReadable());
    CHECK(ears->Take() == 0);
  }

  TEST_CASE("different signals are kept apart, and the handler keeps errno") {
    Ears ears;
    CHECK(ears->Watch(kSignal) == 0);
    CHECK(ears->Watch(SIGHUP) == 0);
    errno = 12345;
    raise(kSignal);
    raise(SIGHUP);
    CHECK(errno == 12345);
    CHECK(ears->Take() == (kBit | (uint32_t{1} << (SIGHUP - 1))));
  }

  TEST_CASE("the handler keeps errno when its write fails") {
    Ears ears;
    Fill(ears.writer(), false);
    CHECK(ears->Watch(kSignal) == 0);
    errno = 12345;
    raise(kSignal);
    CHECK(errno == 12345);
    CHECK(ears->Take() == kBit);
  }

  TEST_CASE("the handler keeps errno when the one that was there first does not") {
    struct sigaction before {};
    struct sigaction spoiler {};
    spoiler.sa_handler = [](int) { errno = EDOM; };
    sigaction(kSignal, &spoiler, &before);
    {
      Ears ears;
      CHECK(ears->Watch(kSignal) == 0);
      errno = 12345;
      raise(kSignal);
      CHECK(errno == 12345);
    }
    sigaction(kSignal, &before, nullptr);
  }

  TEST_CASE("each pipe that watches is told, and one that does not is not") {
    Ears first;
    Ears second;
    Ears third;
    CHECK(first->Watch(kSignal) == 0);
    CHECK(second->Watch(kSignal) == 0);
    CHECK(third->Watch(SIGHUP) == 0);
    raise(kSignal);
    CHECK(first->Take() == kBit);
    CHECK(second->Take() == kBit);
    CHECK_FALSE(third.IsReadable());
    first->Unwatch(kSignal);
    raise(kSignal);
    CHECK(first->Take() == 0);
    CHECK(second->Take() == kBit);
  }

  TEST_CASE("what cannot be watched is refused as by sigaction, and changes nothing") {
    Ears ears;
    for (const int signal : {SIGKILL, SIGSTOP, 0, -1, SignalPipe::kLastSignal + 1, 1000}) {
      CHECK(ears->Watch(signal) == -EINVAL);
      ears->Unwatch(signal);
    }
    CHECK(ears->Take() == 0);
  }

  TEST_CASE("the last watcher puts back what was there, flags and mask included") {
    const OtherHandler other(kSignal, SA_NODEFER);
    const struct sigaction before = Present(kSignal);
    {
      Ears first;
      Ears second;
      CHECK(first->Watch(kSignal) == 0);
      CHECK(second->Watch(kSignal) == 0);
      CHECK(second->Watch(kSignal) == 0);
      first->Unwatch(kSignal);
      CHECK((Present(kSignal).sa_sigaction != before.sa_sigaction));
    }
    CHECK((Present(kSignal).sa_handler == before.sa_handler));
    CHECK(Present(kSignal).sa_flags == before.sa_flags);
  }

  TEST_CASE("a handler that was there first is called as well") {
    const OtherHandler other(kSignal);
    Ears ears;
    CHECK(ears->Watch(kSignal) == 0);
    raise(kSignal);
    CHECK(ears->Take() == kBit);
    CHECK(OtherHandler::calls() == 1);
  }

  TEST_CASE("one that is to run once is not called: it relies on having been removed") {
    const OtherHandler other(kSignal, static_cast<int>(SA_RESETHAND));
    Ears ears;
    CHECK(ears->Watch(kSignal) == 0);
    raise(kSignal);
    raise(kSignal);
    CHECK(ears->Take() == kBit);
    CHECK(OtherHandler::calls() == 0);
  }

  TEST_CASE("a handler that was installed later stays") {
    Ears ears;
    CHECK(ears->Watch(kSignal) == 0);
    const struct sigaction ours = Present(kSignal);
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    sigaction(kSignal, &ignore, nullptr);
    ears->Unwatch(kSignal);
    CHECK((Present(kSignal).sa_handler == SIG_IGN));
    sigaction(kSignal, &ours, nullptr);
    CHECK(ears->Watch(kSignal) == 0);  // Put back by then: it is not its own predecessor.
    raise(kSignal);
    CHECK(ears->Take() == kBit);
    ears->Unwatch(kSignal);
    CHECK(IsDefault(kSignal));
  }

  TEST_CASE("put in front again, both are called; removed from behind it, the pipe still is") {
    Ears ears;
    CHECK(ears->Watch(kSignal) == 0);
    {
      const OtherHandler other(kSignal);
      SignalPipe::Reinstall(kSignal);
      SignalPipe::Reinstall(kSignal);
      raise(kSignal);
      CHECK(ears->Take() == kBit);
      CHECK(OtherHandler::calls() == 1);
      signal(kSignal, SIG_DFL);
      SignalPipe::Reinstall(kSignal);
      raise(kSignal);
      CHECK(ears->Take() == kBit);
      CHECK(OtherHandler::calls() == 1);
      ears->Unwatch(kSignal);
    }
    signal(kSignal, SIG_DFL);
    SignalPipe::Reinstall(kSignal);  // Nobody watches.
    CHECK(IsDefault(kSignal));
  }

  TEST_CASE("put back without a watcher, the handler leaves the signal to what was before") {
    const int status = StatusOfChild([] {
      int ends[2];
      if (::pipe2(ends, O_NONBLOCK) != 0) ::_exit(1);
      SignalPipe* pipe = SignalPipe::Open(ends[0], ends[1]);
      pipe->Watch(kSignal);
      const struct sigaction ours = Present(kSignal);
      signal(kSignal, SIG_IGN);
      pipe->Unwatch(kSignal);
      sigaction(kSignal, &ours, nullptr);
      raise(kSignal);
    });
    CHECK(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == kSignal);
  }

  TEST_CASE("called without a watcher by the one that replaced it, the handler does nothing") {
    static struct sigaction replaced {};
    Ears ears;
    CHECK(ears->Watch(kSignal) == 0);
    struct sigaction caller {};
    caller.sa_sigaction = [](int signal, siginfo_t* info, void* context) {
      replaced.sa_sigaction(signal, info, context);
    };
    caller.sa_flags = SA_SIGINFO;
    sigaction(kSignal, &caller, &replaced);
    raise(kSignal);
    CHECK(ears->Take() == kBit);
    ears->Unwatch(kSignal);
    raise(kSignal);
    CHECK(ears->Take() == 0);
    signal(kSignal, SIG_DFL);
  }

  TEST_CASE("a forked child that has not called exec dies of a signal, and tells nobody") {
    Ears ears;
    CHECK(ears->Watch(kSignal) == 0);
    const int status = StatusOfChild([] { raise(kSignal); });
    CHECK(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == kSignal);
    CHECK_FALSE(ears.IsReadable());
    CHECK(ears->Take() == 0);
  }

  TEST_CASE("an environment closes its pipes at its end") {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
    {
      Environment environment(nullptr);
      environment.Own(ends[0]);
      environment.Own(ends[1]);
      const uint64_t id = environment.AddSignalPipe(SignalPipe::Open(ends[0], ends[1]));
      CHECK(environment.FindSignalPipe(id)->Watch(kSignal) == 0);
      CHECK_FALSE(IsDefault(kSignal));
      CHECK(environment.FindSignalPipe(id + 1) == nullptr);
    }
    CHECK(IsDefault(kSignal));
    CHECK(::fcntl(ends[1], F_GETFD) < 0);
  }

  // Under ThreadSanitizer this is what shows that handlers and watchers get along.
  TEST_CASE("threads watch and close beside each other while signals pour in, and none is lost") {
    Ears steady;  // There is always a watcher, so that no signal ends the process.
    CHECK(steady->Watch(kSignal) == 0);
    std::atomic<int> ended{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&] {
        for (int round = 0; round < 300; ++round) {
          Ears ears;
          REQUIRE(ears->Watch(kSignal) == 0);
          REQUIRE(ears->Watch(SIGHUP) == 0);
          ::kill(::getpid(), kSignal);
          ears.Await();
          ears->Take();
          if (round % 2 == 0) ears->Unwatch(kSignal);
        }
        ++ended;
      });
    }
    threads.emplace_back([&] {
      while (ended < 3) ::kill(::getpid(), kSignal);
    });
    for (std::thread& thread : threads) thread.join();
    steady->Take();
    ::kill(::getpid(), kSignal);
    steady.Await();
    CHECK(steady->Take() == kBit);
    CHECK(IsDefault(SIGHUP));
  }

  TEST_CASE("nothing is written to a pipe that is closed, whoever has its number now") {
    Ears steady;
    CHECK(steady->Watch(kSignal) == 0);
    std::atomic<bool> done{false};
    std::thread sender([&] {
      while (!done) ::kill(::getpid(), kSignal);
    });
    for (int round = 0; round < 500; ++round) {
      int ends[2];
      REQUIRE(::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
      SignalPipe* pipe = SignalPipe::Open(ends[0], ends[1]);
      CHECK(pipe->Watch(kSignal) == 0);
      pipe->Close();
      char bytes[16];
      while (::read(ends[0], bytes, sizeof bytes) > 0) {
      }
      ::sched_yield();
      CHECK(::read(ends[0], bytes, sizeof bytes) == -1);
      for (const int fd : ends) ::close(fd);
    }
    done = true;
    sender.join();
  }

  // The pipe to write to is full and blocks, so that the handler stays where it is; Take() reads
  // another one, and only tells that it is there.
  TEST_CASE("closing waits for a handler that is writing") {
    int empty[2];
    int full[2];
    REQUIRE(::pipe2(empty, O_CLOEXEC | O_NONBLOCK) == 0);
    REQUIRE(::pipe2(full, O_CLOEXEC) == 0);
    Fill(full[1], true);
    SignalPipe* pipe = SignalPipe::Open(empty[0], full[1]);
    REQUIRE(pipe->Watch(kSignal) == 0);
    std::thread visitor([] { raise(kSignal); });
    while (pipe->Take() == 0) ::sched_yield();
    std::atomic<bool> has_room{false};
    std::thread reader([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));  // Close() is waiting by now.
      has_room = true;
      std::vector<char> page(65536);
      CHECK(::read(full[0], page.data(), page.size()) > 0);
    });
    pipe->Close();
    CHECK(has_room);
    reader.join();
    visitor.join();
    for (const int fd : {empty[0], empty[1], full[0], full[1]}) ::close(fd);
  }

  TEST_CASE("the last watcher may go while signals pour in: what comes then is ignored as before") {
    const int status = StatusOfChild([] {
      signal(kSignal, SIG_IGN);
      std::atomic<bool> done{false};
      std::thread sender([&] {
        while (!done) ::kill(::getpid(), kSignal);
      });
      for (int round = 0; round < 500; ++round) {
        int ends[2];
        if (::pipe2(ends, O_NONBLOCK) != 0) ::_exit(1);
        SignalPipe* pipe = SignalPipe::Open(ends[0], ends[1]);
        if (pipe->Watch(kSignal) != 0) ::_exit(2);
        pipe->Close();
        if (Present(kSignal).sa_handler != SIG_IGN) ::_exit(3);
        for (const int fd : ends) ::close(fd);
      }
      done = true;
      sender.join();
    });
    CHECK(status == 0);
  }
}

}  // namespace raw_epoll
