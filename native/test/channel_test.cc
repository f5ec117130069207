#include "core/channel.h"

#include <doctest/doctest.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/channel_shares.h"
#include "core/environment.h"

namespace raw_epoll {

namespace {

constexpr size_t kMostBytes = 1024;

OpenedChannel Open(size_t capacity, bool with_pipes = false) {
  OpenedChannel opened = ChannelEnd::Open({capacity, kMostBytes, with_pipes});
  REQUIRE(opened.error == 0);
  return opened;
}

// A descriptor of an end's own, as JavaScript has it.
class Watched {
 public:
  explicit Watched(const ChannelEnd& end) : fd_(end.DuplicateFd()) { REQUIRE(fd_ >= 0); }
  ~Watched() { ::close(fd_); }
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;

  bool IsReadable(int timeout_ms = 0) const {
    pollfd target{fd_, POLLIN, 0};
    return ::poll(&target, 1, timeout_ms) == 1;
  }
  void Await() const { REQUIRE(IsReadable(30'000)); }

 private:
  int fd_;
};

bool IsReadable(int fd, int timeout_ms = 0) {
  pollfd target{fd, POLLIN, 0};
  return ::poll(&target, 1, timeout_ms) == 1;
}

struct Numbered {
  uint32_t sender;
  uint32_t number;
};

Bytes BytesOf(const Numbered& message) {
  return {reinterpret_cast<const uint8_t*>(&message), sizeof message};
}

Bytes BytesOf(const char* text) {
  return {reinterpret_cast<const uint8_t*>(text), std::strlen(text)};
}

// What is received, or the answer as text.
std::string Receive(ChannelEnd& end, bool as_expected = false) {
  std::array<uint8_t, kMostBytes> buffer{};
  const int64_t result = end.TryReceive(buffer.data(), buffer.size(), as_expected);
  if (result == -EAGAIN) return "<nothing>";
  if (result == -EPIPE) return "<end>";
  return {reinterpret_cast<const char*>(buffer.data()), static_cast<size_t>(result)};
}

// Sends `count` messages, waiting when it has to.
void Produce(std::unique_ptr<ChannelEnd> end, uint32_t sender, uint32_t count) {
  const Watched room(*end);
  for (uint32_t i = 0; i < count; ++i) {
    while (end->TrySend(BytesOf(Numbered{sender, i})) == 0) room.Await();
  }
}

// The same without a buffer.
void HandOver(std::unique_ptr<ChannelEnd> end, uint32_t sender, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) {
    CHECK(end->Offer(BytesOf(Numbered{sender, i})) > 0);
    while (end->CountOffers() > 0) CHECK(IsReadable(end->answer_fd(), 30'000));
  }
}

// Receives to the end.
void Consume(std::unique_ptr<ChannelEnd> end, std::vector<Numbered>& came) {
  const Watched filled(*end);
  for (;;) {
    Numbered message{};
    const int64_t result =
        end->TryReceive(reinterpret_cast<uint8_t*>(&message), sizeof message, false);
    if (result == -EPIPE) return;
    if (result == -EAGAIN) {
      filled.Await();
    } else {
      came.push_back(message);
    }
  }
}

using Producer = void (*)(std::unique_ptr<ChannelEnd>, uint32_t, uint32_t);

// Everything comes once; each receiver sees each sender in order.
void CheckManyToMany(size_t capacity, Producer produce, uint32_t senders, uint32_t receivers,
                     uint32_t count) {
  OpenedChannel opened = Open(capacity);
  int error = 0;
  std::vector<std::vector<Numbered>> came(receivers);
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < receivers; ++i) {
    threads.emplace_back(Consume, opened.receiver->Another(&error), std::ref(came[i]));
  }
  for (uint32_t i = 0; i < senders; ++i) {
    threads.emplace_back(produce, opened.sender->Another(&error), i, count);
  }
  opened.sender.reset();
  opened.receiver.reset();
  for (std::thread& thread : threads) thread.join();
  std::vector<std::vector<int>> times(senders, std::vector<int>(count, 0));
  for (const auto& messages : came) {
    std::vector<int64_t> last(senders, -1);
    for (const Numbered& message : messages) {
      CHECK(int64_t{message.number} > last[message.sender]);
      last[message.sender] = message.number;
      ++times[message.sender][message.number];
    }
  }
  for (const auto& of_sender : times) CHECK(of_sender == std::vector<int>(count, 1));
}

}  // namespace

TEST_SUITE("channel") {
  TEST_CASE("messages come in order, up to the capacity, around the ring many times") {
    for (const bool with_pipes : {false, true}) {
      OpenedChannel opened = Open(3, with_pipes);
      for (int round = 0; round < 50; ++round) {
        CHECK(opened.sender->TrySend(BytesOf("a")) == 1);
        CHECK(opened.sender->TrySend(BytesOf("")) == 1);
        CHECK(opened.sender->TrySend(BytesOf("ccc")) == 1);
        CHECK(opened.sender->TrySend(BytesOf("d")) == 0);
        CHECK(Receive(*opened.receiver) == "a");
        CHECK(Receive(*opened.receiver).empty());
        CHECK(Receive(*opened.receiver) == "ccc");
        CHECK(Receive(*opened.receiver) == "<nothing>");
      }
    }
  }

  TEST_CASE("the flags are never down for something") {
    for (const bool with_pipes : {false, true}) {
      OpenedChannel opened = Open(1, with_pipes);
      const Watched room(*opened.sender);
      const Watched filled(*opened.receiver);
      CHECK(room.IsReadable());
      CHECK_FALSE(filled.IsReadable());
      opened.sender->TrySend(BytesOf("a"));
      CHECK(filled.IsReadable());
      CHECK(opened.sender->TrySend(BytesOf("b")) == 0);
      CHECK_FALSE(room.IsReadable());
      Receive(*opened.receiver);
      CHECK(room.IsReadable());
      CHECK(opened.receiver->NextLength() == -EAGAIN);
      CHECK_FALSE(filled.IsReadable());
      opened.sender.reset();
      CHECK(filled.IsReadable());
      CHECK(Receive(*opened.receiver) == "<end>");
      CHECK(filled.IsReadable());
    }
  }

  TEST_CASE("what is too long is refused on either side, and stays") {
    OpenedChannel opened = Open(1);
    const std::string longest(kMostBytes, 'x');
    CHECK(opened.sender->TrySend(BytesOf((longest + "x").c_str())) == -EMSGSIZE);
    CHECK(opened.sender->TrySend(BytesOf(longest.c_str())) == 1);
    uint8_t byte = 0;
    CHECK(opened.receiver->TryReceive(&byte, 1, false) == -EMSGSIZE);
    CHECK(opened.receiver->NextLength() == kMostBytes);
    CHECK(Receive(*opened.receiver) == longest);
  }

  TEST_CASE("without a buffer: who waits can be sent to, once for each") {
    OpenedChannel opened = Open(0);
    const Watched room(*opened.sender);
    CHECK(opened.sender->TrySend(BytesOf("a")) == 0);
    CHECK_FALSE(room.IsReadable());
    CHECK(opened.receiver->Expect(2));
    CHECK(room.IsReadable());
    CHECK(opened.sender->TrySend(BytesOf("a")) == 1);
    CHECK(opened.sender->TrySend(BytesOf("b")) == 1);
    CHECK(opened.sender->TrySend(BytesOf("c")) == 0);
    CHECK_FALSE(room.IsReadable());
    CHECK(Receive(*opened.receiver, true) == "a");
    CHECK(opened.sender->TrySend(BytesOf("c")) == 0);
    CHECK_FALSE(opened.receiver->Expect(0));
    CHECK(Receive(*opened.receiver, true) == "b");
    CHECK(opened.receiver->Expect(0));
    CHECK(Receive(*opened.receiver) == "<nothing>");
  }

  TEST_CASE("without a buffer: an offer is taken or withdrawn, never both") {
    OpenedChannel opened = Open(0);
    ChannelEnd& sender = *opened.sender;
    const Watched filled(*opened.receiver);
    const auto first = static_cast<uint64_t>(sender.Offer(BytesOf("a")));
    const auto second = static_cast<uint64_t>(sender.Offer(BytesOf("b")));
    const auto third = static_cast<uint64_t>(sender.Offer(BytesOf("c")));
    CHECK(filled.IsReadable());
    CHECK(sender.CountOffers() == 3);
    CHECK_FALSE(IsReadable(sender.answer_fd()));
    CHECK(sender.Withdraw(second));
    CHECK_FALSE(sender.Withdraw(second));
    CHECK(Receive(*opened.receiver) == "a");
    CHECK(IsReadable(sender.answer_fd()));
    CHECK_FALSE(sender.Withdraw(first));
    CHECK(sender.CountOffers() == 1);
    CHECK_FALSE(IsReadable(sender.answer_fd()));
    CHECK(Receive(*opened.receiver) == "c");
    CHECK_FALSE(sender.Withdraw(third));
    CHECK(Receive(*opened.receiver) == "<nothing>");
  }

  TEST_CASE("without a buffer: whichever offer is withdrawn, the others keep their order") {
    const std::string letters = "abcdefg";
    OpenedChannel opened = Open(0);
    // The ring begins at another slot in each round, so that its end is met everywhere.
    for (size_t round = 0; round < 8 * letters.size(); ++round) {
      std::vector<uint64_t> tickets;
      for (const char letter : letters) {
        const std::string message(1, letter);
        tickets.push_back(static_cast<uint64_t>(opened.sender->Offer(BytesOf(message.c_str()))));
      }
      const size_t withdrawn = round % letters.size();
      CHECK(opened.sender->Withdraw(tickets[withdrawn]));
      std::string received;
      for (size_t i = 1; i < letters.size(); ++i) received += Receive(*opened.receiver);
      CHECK(received == std::string(letters).erase(withdrawn, 1));
      CHECK(Receive(*opened.receiver) == "<nothing>");
    }
  }

  TEST_CASE("without a buffer: a sender that closes takes its offers along, and no other's") {
    OpenedChannel opened = Open(0);
    int error = 0;
    auto other = opened.sender->Another(&error);
    opened.sender->Offer(BytesOf("a"));
    other->Offer(BytesOf("b"));
    opened.sender->Offer(BytesOf("c"));
    opened.sender.reset();
    CHECK(Receive(*opened.receiver) == "b");
    CHECK(Receive(*opened.receiver) == "<nothing>");
    other.reset();
    CHECK(Receive(*opened.receiver) == "<end>");
  }

  TEST_CASE("without a buffer: the last receiver's end answers the offers") {
    OpenedChannel opened = Open(0);
    int error = 0;
    auto other = opened.receiver->Another(&error);
    const auto ticket = static_cast<uint64_t>(opened.sender->Offer(BytesOf("a")));
    opened.receiver.reset();
    CHECK(opened.sender->CountOffers() == 1);
    other.reset();
    CHECK(IsReadable(opened.sender->answer_fd()));
    CHECK(opened.sender->CountOffers() == -2);
    CHECK(opened.sender->Withdraw(ticket));
    CHECK(opened.sender->CountOffers() == -1);
    CHECK(opened.sender->Offer(BytesOf("b")) == -EPIPE);
  }

  TEST_CASE("without a buffer: what was sent for a receiver that closed is for the others") {
    OpenedChannel opened = Open(0);
    int error = 0;
    auto other = opened.receiver->Another(&error);
    other->Expect(1);
    CHECK(opened.sender->TrySend(BytesOf("a")) == 1);
    other.reset();
    CHECK(opened.receiver->Expect(1));
    CHECK(opened.sender->TrySend(BytesOf("b")) == 0);
    CHECK(Receive(*opened.receiver, true) == "a");
  }

  TEST_CASE("a share is claimed once, by its kind, and ends with who made it") {
    OpenedChannel opened = Open(1);
    int error = 0;
    ChannelShares& shares = ChannelShares::Instance();
    {
      const Environment maker(nullptr);
      const uint64_t id = shares.Add(opened.sender->Another(&error), 1, &maker);
      const uint64_t unclaimed = shares.Add(opened.sender->Another(&error), 1, &maker);
      CHECK(shares.Claim(id, 2).fd == -EINVAL);
      const ClaimedEnd claimed = shares.Claim(id, 1);
      CHECK(claimed.end != nullptr);
      ::close(claimed.fd);
      CHECK(shares.Claim(id, 1).fd == -ENOENT);
      opened.sender.reset();
      CHECK(unclaimed > id);
      CHECK(Receive(*opened.receiver) == "<nothing>");
    }
    CHECK(Receive(*opened.receiver) == "<end>");
  }

  TEST_CASE("an environment closes its ends") {
    OpenedChannel opened = Open(1);
    {
      Environment environment(nullptr);
      const uint64_t first = environment.AddChannelEnd(std::move(opened.sender));
      CHECK(environment.FindChannelEnd(first) != nullptr);
      CHECK(environment.FindChannelEnd(first + 1) == nullptr);
    }
    CHECK(Receive(*opened.receiver) == "<end>");
  }

  TEST_CASE("threads: one to one, many to one, one to many") {
    CheckManyToMany(1, Produce, 1, 1, 10'000);
    CheckManyToMany(64, Produce, 1, 1, 30'000);
    CheckManyToMany(16, Produce, 8, 1, 3'000);
    CheckManyToMany(16, Produce, 1, 8, 20'000);
    CheckManyToMany(4, Produce, 4, 4, 5'000);
  }

  TEST_CASE("threads without a buffer: one to one, many to one, one to many") {
    CheckManyToMany(0, HandOver, 1, 1, 3'000);
    CheckManyToMany(0, HandOver, 8, 1, 500);
    CheckManyToMany(0, HandOver, 1, 8, 3'000);
  }

  TEST_CASE("threads without a buffer: withdrawn ones are not received, all others are") {
    OpenedChannel opened = Open(0);
    std::vector<Numbered> came;
    std::thread consumer(Consume, std::move(opened.receiver), std::ref(came));
    std::vector<uint32_t> sent;
    for (uint32_t i = 0; i < 20'000; ++i) {
      const auto ticket = static_cast<uint64_t>(opened.sender->Offer(BytesOf(Numbered{0, i})));
      if (i % 3 == 0) std::this_thread::yield();
      if (!opened.sender->Withdraw(ticket)) sent.push_back(i);
    }
    opened.sender.reset();
    consumer.join();
    std::vector<uint32_t> received;
    for (const Numbered& message : came) received.push_back(message.number);
    CHECK(received == sent);
  }

  TEST_CASE("threads: ends that come and go lose nothing, and the last one is seen") {
    OpenedChannel opened = Open(4);
    std::vector<Numbered> came;
    std::thread consumer(Consume, std::move(opened.receiver), std::ref(came));
    int error = 0;
    for (uint32_t round = 0; round < 500; ++round) {
      std::thread(Produce, opened.sender->Another(&error), round, 3).join();
    }
    opened.sender.reset();
    consumer.join();
    CHECK(came.size() == 1'500);
  }

  TEST_CASE("threads: receivers that close at any moment leave a sender that knows it") {
    for (int round = 0; round < 300; ++round) {
      OpenedChannel opened = Open(round % 2 == 0 ? 2 : 0);
      const Watched room(*opened.sender);
      std::thread receiver([end = std::move(opened.receiver), round]() mutable {
        end->Expect(1);
        for (int i = 0; i < round % 7; ++i) Receive(*end, true);
        end.reset();
      });
      while (opened.sender->TrySend(BytesOf("a")) != -EPIPE) room.Await();
      receiver.join();
    }
  }
}

}  // namespace raw_epoll
