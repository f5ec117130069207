// Ends of channels on their way from one thread to another, by the ids that are posted. A share is
// an end: as long as it may be claimed, its side is not closed.
#ifndef RAW_EPOLL_CORE_CHANNEL_SHARES_H_
#define RAW_EPOLL_CORE_CHANNEL_SHARES_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "core/channel.h"

namespace raw_epoll {

class Environment;

struct ClaimedEnd {
  std::unique_ptr<ChannelEnd> end;
  int fd;  // Or a negated errno: then there is no end.
};

class ChannelShares {
 public:
  // What will be made of the end: whoever claims it says the same.
  using Kind = int;

  static ChannelShares& Instance();

  // Ids start at 1, are never used twice, and stay exact in a JavaScript number.
  uint64_t Add(std::unique_ptr<ChannelEnd> end, Kind kind, const Environment* maker);

  // Takes a share out, for good, with a duplicate of its descriptor. If there is none to be had, or
  // the share is of another kind (-EINVAL), it stays; -ENOENT: there is none of that id.
  ClaimedEnd Claim(uint64_t id, Kind kind);

  // Closes a share that was not claimed, and needs no descriptor for it. False: there is none.
  bool Discard(uint64_t id);

  // Closes what was not claimed of somebody who ends.
  void CloseAllOf(const Environment* maker);

 private:
  struct Share {
    std::unique_ptr<ChannelEnd> end;
    Kind kind;
    const Environment* maker;
  };

  std::mutex mutex_;
  std::unordered_map<uint64_t, Share> shares_;
  uint64_t last_id_ = 0;
};

}  // namespace raw_epoll

#endif  // RAW_EPOLL_CORE_CHANNEL_SHARES_H_
