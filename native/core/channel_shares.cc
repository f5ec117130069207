#include "core/channel_shares.h"

#include <cerrno>
#include <iterator>
#include <utility>

namespace raw_epoll {

ChannelShares& ChannelShares::Instance() {
  // Never destroyed: a worker may still close its shares while the process runs its exit handlers.
  static auto* const shares = new ChannelShares;
  return *shares;
}

uint64_t ChannelShares::Add(std::unique_ptr<ChannelEnd> end, Kind kind, const Environment* maker) {
  const std::lock_guard<std::mutex> lock(mutex_);
  shares_.emplace(++last_id_, Share{std::move(end), kind, maker});
  return last_id_;
}

ClaimedEnd ChannelShares::Claim(uint64_t id, Kind kind) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = shares_.find(id);
  if (found == shares_.end()) return {nullptr, -ENOENT};
  Share& share = found->second;
  if (share.kind != kind) return {nullptr, -EINVAL};
  const int fd = share.end->DuplicateFd();
  if (fd < 0) return {nullptr, fd};
  ClaimedEnd claimed{std::move(share.end), fd};
  shares_.erase(found);
  return claimed;
}

bool ChannelShares::Discard(uint64_t id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return shares_.erase(id) == 1;
}

void ChannelShares::CloseAllOf(const Environment* maker) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (auto share = shares_.begin(); share != shares_.end();) {
    share = share->second.maker == maker ? shares_.erase(share) : std::next(share);
  }
}

}  // namespace raw_epoll
