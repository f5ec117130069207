#include "core/signal_pipe.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <mutex>
#include <thread>

#include "core/signals_blocked.h"

namespace raw_epoll {

namespace {

// The kernel passes all three to a handler of either kind, and so do we.
using Handler = void (*)(int signal, siginfo_t* info, void* context);

// What the handler looks at: atomics that are there from the start of the process to its end.
std::atomic<SignalPipe*> all_pipes{nullptr};
std::atomic<Handler> next_handlers[SignalPipe::kLastSignal + 1];
std::atomic<pid_t> our_process{0};

static_assert(std::atomic<SignalPipe*>::is_always_lock_free &&
              std::atomic<Handler>::is_always_lock_free && std::atomic<pid_t>::is_always_lock_free);

// What is under the lock: a signal, and what was there before it was watched.
struct Watched {
  int watchers = 0;
  struct sigaction before {};
  // The last watcher went while somebody else's handler was installed, who may call ours.
  bool was_replaced = false;
};

struct State {
  std::mutex mutex;
  Watched signals[SignalPipe::kLastSignal + 1];
};

State& TheState() {
  // Never destroyed: a worker may still close its pipes while the process runs its exit handlers.
  static auto* const state = new State;
  return *state;
}

// Held with all signals blocked: no handler interrupts its holder, so a handler may wait for it.
class Lock {
 public:
  Lock() : lock_(TheState().mutex) {}

 private:
  const SignalsBlocked blocked_;
  const std::lock_guard<std::mutex> lock_;
};

uint32_t BitOf(int signal) { return uint32_t{1} << (signal - 1); }

bool IsKnown(int signal) { return signal >= 1 && signal <= SignalPipe::kLastSignal; }

// Handlers that are to run once rely on the kernel to have removed them: Node's own for SIGINT and
// SIGTERM raises the signal again, which would bring us back here without end.
Handler NextHandler(const struct sigaction& action) {
  const bool is_function = action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN;
  return is_function && (static_cast<uint32_t>(action.sa_flags) & SA_RESETHAND) == 0
             ? action.sa_sigaction
             : nullptr;
}

}  // namespace

// What runs when a signal is delivered: on any thread, in the middle of anything.
class SignalHandler {
 public:
  static int Install(int signal, Watched& watched) {
    struct sigaction before {};
    if (sigaction(signal, nullptr, &before) != 0) return -errno;
    watched.was_replaced = false;
    if (IsIn(before)) return 0;  // Somebody had replaced it, and has put it back.
    our_process.store(getpid());
    next_handlers[signal].store(NextHandler(before));  // Before the handler can run.
    struct sigaction ours {};
    ours.sa_sigaction = Run;
    ours.sa_flags = SA_SIGINFO | SA_RESTART;
    sigfillset(&ours.sa_mask);
    if (sigaction(signal, &ours, &before) != 0) return -errno;
    next_handlers[signal].store(NextHandler(before));  // Another thread may have been in between.
    watched.before = before;
    return 0;
  }

  static void Remove(int signal, Watched& watched) {
    watched.was_replaced = !IsInstalled(signal);
    if (!watched.was_replaced) sigaction(signal, &watched.before, nullptr);
  }

 private:
  static void Run(int signal, siginfo_t* info, void* context) {
    const int saved_errno = errno;
    if (getpid() != our_process.load()) {
      EndChild(signal);
    } else {
      const bool was_told = TellAll(BitOf(signal));
      const Handler next = next_handlers[signal].load();
      if (next != nullptr) {
        next(signal, info, context);
      } else if (!was_told) {
        ActAsIfUnwatched(signal);
      }
    }
    errno = saved_errno;
  }

  static bool TellAll(uint32_t bit) {
    bool was_told = false;
    for (SignalPipe* pipe = all_pipes.load(); pipe != nullptr; pipe = pipe->next_) {
      if (pipe->Tell(bit)) was_told = true;
    }
    return was_told;
  }

  // A child between fork() and exec() shares our pipes, and its signals are none of ours.
  static void EndChild(int signal) {
    struct sigaction action {};
    action.sa_handler = SIG_DFL;
    sigaction(signal, &action, nullptr);
    RaiseAgain(signal);
  }

  // The last watcher went while the signal was on its way.
  static void ActAsIfUnwatched(int signal) {
    const Lock lock;
    if (TellAll(BitOf(signal))) return;  // There is a new one.
    Watched& watched = TheState().signals[signal];
    const bool is_installed =
        IsInstalled(signal);  // Somebody had replaced it, and has put it back.
    if (!is_installed && watched.was_replaced) return;  // It is he who calls.
    if (is_installed) Remove(signal, watched);
    RaiseAgain(signal);
  }

  // It comes when the handler has returned: until then all signals are blocked.
  static void RaiseAgain(int signal) { [[maybe_unused]] const int error = raise(signal); }

  static bool IsIn(const struct sigaction& action) {
    return (action.sa_flags & SA_SIGINFO) != 0 && action.sa_sigaction == Run;
  }

  static bool IsInstalled(int signal) {
    struct sigaction present {};
    return sigaction(signal, nullptr, &present) == 0 && IsIn(present);
  }
};

SignalPipe* SignalPipe::Open(int read_fd, int write_fd) {
  const Lock lock;
  SignalPipe* pipe = all_pipes.load();
  while (pipe != nullptr && pipe->in_use_) pipe = pipe->next_;
  const bool is_new = pipe == nullptr;
  if (is_new) pipe = new SignalPipe;
  pipe->in_use_ = true;
  pipe->read_fd_ = read_fd;
  pipe->write_fd_ = write_fd;
  pipe->pending_.store(0);
  if (is_new) {
    pipe->next_ = all_pipes.load();
    all_pipes.store(pipe);
  }
  return pipe;
}

int SignalPipe::Watch(int signal) {
  if (!IsKnown(signal)) return -EINVAL;
  const Lock lock;
  const uint32_t bit = BitOf(signal);
  if ((watched_.load() & bit) != 0) return 0;
  Watched& watched = TheState().signals[signal];
  pending_.fetch_and(~bit);  // What came for an earlier watch is not for this one.
  watched_.fetch_or(bit);    // Before the handler is there: it always finds a watcher.
  const int error = watched.watchers == 0 ? SignalHandler::Install(signal, watched) : 0;
  if (error != 0) {
    watched_.fetch_and(~bit);
  } else {
    ++watched.watchers;
  }
  return error;
}

void SignalPipe::Unwatch(int signal) {
  if (!IsKnown(signal)) return;
  const Lock lock;
  Abandon(signal);
}

void SignalPipe::Abandon(int signal) {
  if ((watched_.load() & BitOf(signal)) == 0) return;
  Watched& watched = TheState().signals[signal];
  if (--watched.watchers == 0) SignalHandler::Remove(signal, watched);  // First, as above.
  watched_.fetch_and(~BitOf(signal));
}

uint32_t SignalPipe::Take() {
  char bytes[64];
  while (::read(read_fd_, bytes, sizeof bytes) > 0) {
  }
  return pending_.exchange(0);
}

bool SignalPipe::Tell(uint32_t bit) {
  if ((watched_.load() & bit) == 0) return false;
  visitors_.fetch_add(1);
  // Asked once more: Close() waits for visitors that it sees, and the others see that it closes.
  const bool is_watched = (watched_.load() & bit) != 0;
  // Only who finds nothing pending writes, so that the pipe never fills up.
  if (is_watched && pending_.fetch_or(bit) == 0) {
    [[maybe_unused]] const ssize_t written = ::write(write_fd_, "", 1);
  }
  visitors_.fetch_sub(1);
  return is_watched;
}

void SignalPipe::Close() {
  const Lock lock;
  for (int signal = 1; signal <= kLastSignal; ++signal) Abandon(signal);
  // A visitor waits for nothing, so this is over at once; asleep, because it may be one that was
  // interrupted on this very processor.
  while (visitors_.load() != 0) std::this_thread::sleep_for(std::chrono::microseconds(10));
  in_use_ = false;
}

void SignalPipe::Reinstall(int signal) {
  if (!IsKnown(signal)) return;
  const Lock lock;
  Watched& watched = TheState().signals[signal];
  if (watched.watchers > 0) SignalHandler::Install(signal, watched);
}

}  // namespace raw_epoll
