// Signals as something that a set can wait for: a handler of our own tells the pipe of everybody
// who watches. signalfd(2) is no way to do it inside Node: other threads of the process, which
// nobody can reach, would take the signals away. docs/guides/signals.md.
#ifndef RAW_EPOLL_CORE_SIGNAL_PIPE_H_
#define RAW_EPOLL_CORE_SIGNAL_PIPE_H_

#include <atomic>
#include <cstdint>

namespace raw_epoll {

// The pipe of one loop. Any number of them, on any threads, may watch one signal: each is told.
//
// A signal that came before the last one was taken is one with it; different signals are kept
// apart. None is lost: what is pending is a bit that is set before the pipe is written to and
// cleared after the pipe was emptied.
class SignalPipe {
 public:
  // Signals are 1 … 31, those that have names.
  static constexpr int kLastSignal = 31;

  // Uses both ends of a non-blocking pipe; they stay the caller's.
  static SignalPipe* Open(int read_fd, int write_fd);

  // 0, or what sigaction(2) refuses: -EINVAL. The first watcher of a signal installs the handler.
  int Watch(int signal);
  // The last one puts back what was there before, unless the handler is somebody else's by now.
  void Unwatch(int signal);

  // Empties the pipe and answers which signals have come: bit 0 is signal 1.
  uint32_t Take();

  // Watches nothing any more. Once it returns nothing is written to the pipe, so that its
  // descriptors can be closed. The object is gone.
  void Close();

  // Somebody has replaced the handler of a signal that is watched: puts ours before theirs.
  static void Reinstall(int signal);

 private:
  friend class SignalHandler;

  SignalPipe() = default;
  ~SignalPipe() = default;  // Never: a handler may look at it at any time.

  void Abandon(int signal);
  bool Tell(uint32_t bit);

  int read_fd_ = -1;
  int write_fd_ = -1;
  bool in_use_ = true;
  std::atomic<uint32_t> watched_{0};
  std::atomic<uint32_t> pending_{0};
  std::atomic<int> visitors_{0};  // Handlers that may be about to write.
  SignalPipe* next_ = nullptr;
};

}  // namespace raw_epoll

#endif  // RAW_EPOLL_CORE_SIGNAL_PIPE_H_
