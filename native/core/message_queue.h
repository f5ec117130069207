// Messages in their order, in a ring of slots that keep their memory: in a steady state nothing is
// allocated.
#ifndef RAW_EPOLL_CORE_MESSAGE_QUEUE_H_
#define RAW_EPOLL_CORE_MESSAGE_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace raw_epoll {

class ChannelEnd;

// Bytes of somebody, looked at in one call.
struct Bytes {
  const uint8_t* data = nullptr;
  size_t length = 0;
};

class MessageQueue {
 public:
  struct Message {
    std::unique_ptr<uint8_t[]> memory;
    size_t memory_bytes = 0;
    size_t length = 0;
    // Rises from the head to the tail.
    uint64_t ticket = 0;
    // Who waits for it to be taken, if anybody does.
    ChannelEnd* offered_by = nullptr;
  };

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // Copies the message to the tail. Its ticket, or 0 if there is no memory.
  uint64_t Push(Bytes bytes, ChannelEnd* offered_by);

  // The head; there must be one.
  Message& Front() { return At(0); }
  void PopFront();

  // Takes a message out, wherever it is, if it is still there.
  void Erase(uint64_t ticket);

  // Takes all messages of somebody out.
  void EraseOffersOf(const ChannelEnd* end);

  // Takes all messages out, the memory of their slots too, and tells `visit` of each before.
  template <typename Visit>
  void Clear(Visit visit) {
    for (size_t i = 0; i < size_; ++i) visit(At(i));
    slots_.clear();
    size_ = head_ = 0;
  }

 private:
  Message& At(size_t index) { return slots_[(head_ + index) & (slots_.size() - 1)]; }
  void Grow();
  void EraseAt(size_t index);

  std::vector<Message> slots_;  // A power of two of them, or none.
  size_t head_ = 0;
  size_t size_ = 0;
  uint64_t last_ticket_ = 0;
};

}  // namespace raw_epoll

#endif  // RAW_EPOLL_CORE_MESSAGE_QUEUE_H_
