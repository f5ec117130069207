// Channels: messages of bytes between the threads of a process, in their order, each to one
// receiver.
//
// A message moves within one call, under the lock of its channel, so that a worker which is
// terminated leaves it either whole on one side or whole on the other. No call waits for anything
// but that lock, which is held for a copy. Whoever has to wait waits for a descriptor:
//
//   there is something to receive, or the end  ⇒  the flag of the receivers is raised
//   there is room, or no receiver is left      ⇒  the flag of the senders is raised
//
// A flag is lowered by who finds that there is nothing (no room), and never by a change that takes
// it away. So it may be raised for nothing, once; it is never down for something. That costs one
// system call for each time that somebody fell asleep, and none for a message to who is awake.
// docs/decisions/0032-channels-in-native-memory.md
#ifndef RAW_EPOLL_CORE_CHANNEL_H_
#define RAW_EPOLL_CORE_CHANNEL_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>

#include "core/message_queue.h"
#include "core/ready_flag.h"

namespace raw_epoll {

enum class ChannelSide { kSender, kReceiver };

struct ChannelOptions {
  // How many messages it holds. 0: none; a message goes from hand to hand.
  size_t capacity = 0;
  size_t most_bytes = 0;
  // Flags are pipes, as where there is no eventfd.
  bool with_pipes = false;
};

class Channel;
struct OpenedChannel;

// One end of a channel, of one thread at a time. Destroying it closes it: the peers of the last
// end of a side are told, and the channel goes with its last end.
class ChannelEnd {
 public:
  static OpenedChannel Open(const ChannelOptions& options);
  ~ChannelEnd();
  ChannelEnd(const ChannelEnd&) = delete;
  ChannelEnd& operator=(const ChannelEnd&) = delete;

  // One more end of the same side; nullptr with a negated errno in `error` if it cannot be had.
  std::unique_ptr<ChannelEnd> Another(int* error) const;

  ChannelSide side() const { return side_; }
  const ChannelOptions& options() const;
  // A descriptor of its own for the flag of all ends of this side, or a negated errno.
  int DuplicateFd() const;
  // The flag of this sender alone: an offer was taken, or none will be. -1 with a buffer.
  int answer_fd() const { return answer_.fd(); }

  // Of senders. All that take bytes answer -EMSGSIZE above most_bytes, -EPIPE when no receiver is
  // left, -ENOMEM.

  // 1; or 0: it is full; without a buffer, nobody waits.
  int64_t TrySend(Bytes bytes);
  // Without a buffer: holds a message out until it is taken or withdrawn. Its ticket, above 0.
  int64_t Offer(Bytes bytes);
  // True: taken back; false: it was taken.
  bool Withdraw(uint64_t ticket);
  // How many offers of this end are left. They are taken in the order of their coming. Below 0, as
  // `-1 - count`: none of them will be, no receiver is left. Lowers the flag of the answers.
  int64_t CountOffers();

  // Of receivers.

  // The length of the message that was copied; -EAGAIN: none is there; -EPIPE: none will be;
  // -EMSGSIZE: it is longer than `length`, and still there. With `as_expected` a message is one
  // of those that were expected.
  int64_t TryReceive(uint8_t* data, size_t length, bool as_expected);
  // The same without taking anything.
  int64_t NextLength();
  // How many receives of this end wait: without a buffer, so many messages can be sent at once.
  // False: refused, because one more message has been sent for them. Take it first.
  bool Expect(size_t count);

 private:
  ChannelEnd(std::shared_ptr<Channel> channel, ChannelSide side);
  static std::unique_ptr<ChannelEnd> Make(const std::shared_ptr<Channel>& channel, ChannelSide side,
                                          int* error);

  int64_t Refusal(Bytes bytes) const;
  void OfferTaken(uint64_t ticket);

  std::shared_ptr<Channel> channel_;
  ChannelSide side_;
  // What follows is under the lock of the channel.
  ReadyFlag answer_;
  std::deque<uint64_t> offers_;  // Tickets, rising.
  size_t expected_ = 0;
};

struct OpenedChannel {
  std::unique_ptr<ChannelEnd> sender;
  std::unique_ptr<ChannelEnd> receiver;
  int error = 0;  // 0, or a negated errno: then there are no ends
};

}  // namespace raw_epoll

#endif  // RAW_EPOLL_CORE_CHANNEL_H_
