#include "core/channel.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <utility>

namespace raw_epoll {

// What all ends have in common. Everything but the options is under the lock.
class Channel {
 public:
  explicit Channel(const ChannelOptions& options) : options_(options) {}

  // 0, or a negated errno.
  int Open() {
    const int error = filled_.Open(options_.with_pipes);
    return error != 0 ? error : room_.Open(options_.with_pipes);
  }

 private:
  friend class ChannelEnd;

  bool HasBuffer() const { return options_.capacity > 0; }
  bool HasRoom() const { return queue_.size() < (HasBuffer() ? options_.capacity : expected_); }

  void RaiseIfRoom() {
    if (receivers_ == 0 || HasRoom()) room_.Raise();
  }

  const ChannelOptions options_;
  std::mutex mutex_;
  MessageQueue queue_;
  size_t senders_ = 0;
  size_t receivers_ = 0;
  size_t expected_ = 0;  // The sum of all receivers.
  size_t sent_ = 0;      // Messages in the queue that nobody can take back.
  ReadyFlag filled_;
  ReadyFlag room_;
};

namespace {

// The lock is held for a copy: to look again is cheaper than to fall asleep, which costs both
// sides a system call.
class Lock {
 public:
  explicit Lock(std::mutex& mutex) : lock_(mutex, std::defer_lock) {
    constexpr int kLooks = 100;
    for (int i = 0; i < kLooks; ++i) {
      if (lock_.try_lock()) return;
      Pause();
    }
    lock_.lock();
  }

 private:
  static void Pause() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
  }

  std::unique_lock<std::mutex> lock_;
};

}  // namespace

ChannelEnd::ChannelEnd(std::shared_ptr<Channel> channel, ChannelSide side)
    : channel_(std::move(channel)), side_(side) {
  const Lock lock(channel_->mutex_);
  ++(side_ == ChannelSide::kSender ? channel_->senders_ : channel_->receivers_);
}

std::unique_ptr<ChannelEnd> ChannelEnd::Make(const std::shared_ptr<Channel>& channel,
                                             ChannelSide side, int* error) {
  auto end = std::unique_ptr<ChannelEnd>(new ChannelEnd(channel, side));
  const bool makes_offers = side == ChannelSide::kSender && !channel->HasBuffer();
  *error = makes_offers ? end->answer_.Open(channel->options_.with_pipes) : 0;
  if (*error != 0) return nullptr;
  return end;
}

OpenedChannel ChannelEnd::Open(const ChannelOptions& options) {
  OpenedChannel opened;
  const auto channel = std::make_shared<Channel>(options);
  opened.error = channel->Open();
  if (opened.error != 0) return opened;
  auto sender = Make(channel, ChannelSide::kSender, &opened.error);
  if (opened.error != 0) return opened;
  opened.receiver = Make(channel, ChannelSide::kReceiver, &opened.error);
  opened.sender = std::move(sender);
  const Lock lock(channel->mutex_);
  channel->RaiseIfRoom();
  return opened;
}

std::unique_ptr<ChannelEnd> ChannelEnd::Another(int* error) const {
  return Make(channel_, side_, error);
}

ChannelEnd::~ChannelEnd() {
  Channel& channel = *channel_;
  const Lock lock(channel.mutex_);
  if (side_ == ChannelSide::kSender) {
    if (!offers_.empty()) channel.queue_.EraseOffersOf(this);
    if (--channel.senders_ == 0) channel.filled_.Raise();
  } else {
    channel.expected_ -= expected_;
    if (--channel.receivers_ > 0) return;
    // Nobody will take what is there.
    channel.queue_.Clear([](const MessageQueue::Message& message) {
      if (message.offered_by != nullptr) message.offered_by->answer_.Raise();
    });
    channel.sent_ = 0;
  }
  channel.RaiseIfRoom();
}

const ChannelOptions& ChannelEnd::options() const { return channel_->options_; }

int ChannelEnd::DuplicateFd() const {
  const ReadyFlag& flag = side_ == ChannelSide::kSender ? channel_->room_ : channel_->filled_;
  const int fd = ::fcntl(flag.fd(), F_DUPFD_CLOEXEC, 0);
  return fd < 0 ? -errno : fd;
}

int64_t ChannelEnd::Refusal(Bytes bytes) const {
  if (bytes.length > channel_->options_.most_bytes) return -EMSGSIZE;
  return channel_->receivers_ == 0 ? -EPIPE : 0;
}

int64_t ChannelEnd::TrySend(Bytes bytes) {
  Channel& channel = *channel_;
  const Lock lock(channel.mutex_);
  const int64_t refusal = Refusal(bytes);
  if (refusal != 0) return refusal;
  if (!channel.HasRoom()) {
    channel.room_.Lower();
    return 0;
  }
  if (channel.queue_.Push(bytes, nullptr) == 0) return -ENOMEM;
  ++channel.sent_;
  channel.filled_.Raise();
  return 1;
}

int64_t ChannelEnd::Offer(Bytes bytes) {
  Channel& channel = *channel_;
  const Lock lock(channel.mutex_);
  const int64_t refusal = Refusal(bytes);
  if (refusal != 0) return refusal;
  const uint64_t ticket = channel.queue_.Push(bytes, this);
  if (ticket == 0) return -ENOMEM;
  offers_.push_back(ticket);
  channel.filled_.Raise();
  return static_cast<int64_t>(ticket);
}

bool ChannelEnd::Withdraw(uint64_t ticket) {
  Channel& channel = *channel_;
  const Lock lock(channel.mutex_);
  const auto found = std::lower_bound(offers_.begin(), offers_.end(), ticket);
  if (found == offers_.end() || *found != ticket) return false;
  offers_.erase(found);
  channel.queue_.Erase(ticket);
  channel.RaiseIfRoom();
  return true;
}

int64_t ChannelEnd::CountOffers() {
  const Lock lock(channel_->mutex_);
  answer_.Lower();
  const auto count = static_cast<int64_t>(offers_.size());
  return channel_->receivers_ == 0 ? -1 - count : count;
}

// By who receives, under the lock.
void ChannelEnd::OfferTaken(uint64_t ticket) {
  offers_.erase(std::lower_bound(offers_.begin(), offers_.end(), ticket));
  answer_.Raise();
}

int64_t ChannelEnd::TryReceive(uint8_t* data, size_t length, bool as_expected) {
  Channel& channel = *channel_;
  const Lock lock(channel.mutex_);
  if (channel.queue_.empty()) {
    if (channel.senders_ == 0) return -EPIPE;
    channel.filled_.Lower();
    return -EAGAIN;
  }
  const MessageQueue::Message& message = channel.queue_.Front();
  if (message.length > length) return -EMSGSIZE;
  if (message.length > 0) std::memcpy(data, message.memory.get(), message.length);
  const auto result = static_cast<int64_t>(message.length);
  if (message.offered_by != nullptr) {
    message.offered_by->OfferTaken(message.ticket);
  } else {
    --channel.sent_;
  }
  channel.queue_.PopFront();
  if (as_expected && expected_ > 0) {
    --expected_;
    --channel.expected_;
  }
  channel.RaiseIfRoom();
  return result;
}

int64_t ChannelEnd::NextLength() {
  Channel& channel = *channel_;
  const Lock lock(channel.mutex_);
  if (!channel.queue_.empty()) return static_cast<int64_t>(channel.queue_.Front().length);
  if (channel.senders_ == 0) return -EPIPE;
  channel.filled_.Lower();
  return -EAGAIN;
}

bool ChannelEnd::Expect(size_t count) {
  Channel& channel = *channel_;
  const Lock lock(channel.mutex_);
  const size_t total = channel.expected_ - expected_ + count;
  if (count < expected_ && !channel.HasBuffer() && channel.sent_ > total) return false;
  channel.expected_ = total;
  expected_ = count;
  channel.RaiseIfRoom();
  return true;
}

}  // namespace raw_epoll
