#include "core/message_queue.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace raw_epoll {

namespace {

constexpr size_t kFewestSlots = 4;
constexpr size_t kFewestBytes = 64;

// False if there is no memory: messages can be large, and running out of it is no crash.
bool Reserve(MessageQueue::Message& message, size_t length) {
  if (length <= message.memory_bytes) return true;
  const size_t bytes = std::max(length, kFewestBytes);
  auto* memory = new (std::nothrow) uint8_t[bytes];
  if (memory == nullptr) return false;
  message.memory.reset(memory);
  message.memory_bytes = bytes;
  return true;
}

}  // namespace

uint64_t MessageQueue::Push(Bytes bytes, ChannelEnd* offered_by) {
  if (size_ == slots_.size()) Grow();
  Message& message = At(size_);
  if (!Reserve(message, bytes.length)) return 0;
  if (bytes.length > 0) std::memcpy(message.memory.get(), bytes.data, bytes.length);
  message.length = bytes.length;
  message.ticket = ++last_ticket_;
  message.offered_by = offered_by;
  ++size_;
  return message.ticket;
}

void MessageQueue::PopFront() {
  head_ = (head_ + 1) & (slots_.size() - 1);
  --size_;
}

void MessageQueue::Erase(uint64_t ticket) {
  for (size_t i = 0; i < size_; ++i) {
    if (At(i).ticket == ticket) return EraseAt(i);
  }
}

void MessageQueue::EraseOffersOf(const ChannelEnd* end) {
  for (size_t i = size_; i-- > 0;) {
    if (At(i).offered_by == end) EraseAt(i);
  }
}

void MessageQueue::Grow() {
  std::vector<Message> larger(std::max(kFewestSlots, 2 * slots_.size()));
  for (size_t i = 0; i < size_; ++i) larger[i] = std::move(At(i));
  slots_ = std::move(larger);
  head_ = 0;
}

// Over the nearer end: who gives up has mostly waited longest, or shortest.
void MessageQueue::EraseAt(size_t index) {
  if (index < size_ / 2) {
    for (size_t i = index; i > 0; --i) std::swap(At(i), At(i - 1));
    PopFront();
  } else {
    for (size_t i = index; i + 1 < size_; ++i) std::swap(At(i), At(i + 1));
    --size_;
  }
}

}  // namespace raw_epoll
