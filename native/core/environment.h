// What one JavaScript environment (the main thread or a worker) owns natively.
//
// Everything here is per environment. What is per process lives in wake_registry.h, guarded.
#ifndef RAW_EPOLL_CORE_ENVIRONMENT_H_
#define RAW_EPOLL_CORE_ENVIRONMENT_H_

#include <node_api.h>

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace raw_epoll {

struct CallFrame;
class ChannelEnd;
class HostWatch;
class SignalPipe;

class Environment {
 public:
  explicit Environment(napi_env env);
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  // True on the thread that started the process. Nothing can stop JavaScript there while it
  // waits natively, so it may wait without slices.
  bool is_main_thread() const { return is_main_thread_; }

  // True once the worker is being terminated: no JavaScript will run any more, and a native
  // call must return without touching JavaScript. Costs about 40 ns.
  bool IsStopping() const;

  // Frames of calls (call_frame.h): one for each import of the library.
  CallFrame* AddFrame(std::unique_ptr<CallFrame> frame);

  // Descriptors that the environment closes at its end. A process can have many: one bit each.
  bool Own(int fd);     // False if it was owned before.
  bool Disown(int fd);  // False if it was not owned.
  size_t owned_count() const { return owned_count_; }

  // Wake handles (wake_registry.h) that the environment takes back at its end.
  void OwnWake(uint64_t id) { wakes_.insert(id); }
  void DisownWake(uint64_t id) { wakes_.erase(id); }

  // Pipes of signals (signal_pipe.h) that the environment closes at its end.
  uint64_t AddSignalPipe(SignalPipe* pipe);
  void RemoveSignalPipe(uint64_t id) { signal_pipes_.erase(id); }
  SignalPipe* FindSignalPipe(uint64_t id) const;

  // Ends of channels (channel.h), which are closed at its end: the peers are told.
  uint64_t AddChannelEnd(std::unique_ptr<ChannelEnd> end);
  ChannelEnd* FindChannelEnd(uint64_t id) const;
  bool CloseChannelEnd(uint64_t id);  // False if it was closed before.

  // Watches from the host's loop (uv/host_watch.h), which go by themselves at its end.
  uint64_t AddWatch(HostWatch* watch);
  void RemoveWatch(uint64_t id) { watches_.erase(id); }
  HostWatch* FindWatch(uint64_t id) const;

 private:
  void CloseOwned();

  napi_env env_;
  bool is_main_thread_;
  std::vector<std::unique_ptr<CallFrame>> frames_;
  std::vector<bool> owned_;
  size_t owned_count_ = 0;
  std::unordered_set<uint64_t> wakes_;
  std::unordered_map<uint64_t, SignalPipe*> signal_pipes_;
  uint64_t last_signal_pipe_ = 0;
  std::unordered_map<uint64_t, std::unique_ptr<ChannelEnd>> channel_ends_;
  uint64_t last_channel_end_ = 0;
  std::unordered_map<uint64_t, HostWatch*> watches_;
  uint64_t last_watch_ = 0;
};

}  // namespace raw_epoll

#endif  // RAW_EPOLL_CORE_ENVIRONMENT_H_
