#include "core/blocking_call.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "test/fake_node_api.h"
#include "test/worker_thread.h"

#ifdef __linux__
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

namespace raw_epoll {

namespace {

// Closes its descriptor at the end of the test.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) { REQUIRE(fd >= 0); }
  ~Descriptor() { ::close(fd_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  operator int() const { return fd_; }  // NOLINT(google-explicit-constructor): it is a number

 private:
  int fd_;
};

struct Pair {
  explicit Pair(const int (&fds)[2]) : first(fds[0]), second(fds[1]) {}
  Descriptor first;
  Descriptor second;
};

Pair Pipe() {
  int fds[2] = {-1, -1};
  REQUIRE(::pipe(fds) == 0);
  return Pair(fds);
}

Pair Sockets(int type) {
  int fds[2] = {-1, -1};
  REQUIRE(::socketpair(AF_UNIX, type, 0, fds) == 0);
  return Pair(fds);
}

bool IsBlocking(int fd) { return (::fcntl(fd, F_GETFL) & O_NONBLOCK) == 0; }

// Writes without blocking until there is no room.
void Fill(int fd) {
  const std::vector<char> bytes(4096);
  REQUIRE(::fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
  while (::write(fd, bytes.data(), bytes.size()) > 0) continue;
  REQUIRE(::fcntl(fd, F_SETFL, 0) == 0);
}

int64_t Read(const Environment& environment, int fd, void* data, size_t length) {
  const iovec part{data, length};
  return ReadInSlices(environment, fd, &part, 1);
}

int64_t Write(const Environment& environment, int fd, const void* data, size_t length) {
  const iovec part{const_cast<void*>(data), length};
  return WriteInSlices(environment, fd, &part, 1);
}

// A Unix stream listener under an abstract name that the kernel chooses.
class UnixListener {
 public:
  explicit UnixListener(int backlog) : socket_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    address_.sun_family = AF_UNIX;
    REQUIRE(::bind(socket_, get(), sizeof(sa_family_t)) == 0);
    REQUIRE(::getsockname(socket_, get(), &length_) == 0);
    REQUIRE(::listen(socket_, backlog) == 0);
  }

  int fd() const { return socket_; }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&address_); }
  socklen_t length() const { return length_; }

 private:
  Descriptor socket_;
  sockaddr_un address_{};
  socklen_t length_ = sizeof address_;
};

#ifdef __linux__

// From now on this thread lives on a kernel whose pipes do not know RWF_NOWAIT.
void RefuseNoWait() {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_preadv2, 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pwritev2, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EOPNOTSUPP),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{sizeof program / sizeof program[0], program};
  REQUIRE(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  REQUIRE(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0);
}

#endif

// Runs `body` on a worker of this kernel, and of an older one.
template <typename Body>
void OnWorkers(Body body) {
  OnWorker(body);
#ifdef __linux__
  OnWorker([&](const Environment& environment) {
    RefuseNoWait();
    body(environment);
  });
#endif
}

}  // namespace

TEST_SUITE("blocking_call") {
  TEST_CASE("descriptors that can block without end are waited for in slices, on workers only") {
    const Pair pipe = Pipe();
    const Descriptor non_blocking(::eventfd(0, EFD_NONBLOCK));
    const Descriptor file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    const Descriptor folder(::open("/", O_RDONLY | O_CLOEXEC));
    CHECK_FALSE(WaitsInSlices(Environment(nullptr), pipe.first));
    OnWorker([&](const Environment& environment) {
      CHECK(WaitsInSlices(environment, pipe.first));
      CHECK_FALSE(WaitsInSlices(environment, non_blocking));
      CHECK_FALSE(WaitsInSlices(environment, file));
      CHECK_FALSE(WaitsInSlices(environment, folder));
      CHECK_FALSE(WaitsInSlices(environment, -1));
    });
  }

  TEST_CASE("a read of what does not come ends when the worker stops") {
    const Pair pipe = Pipe();
    const Pair sockets = Sockets(SOCK_STREAM);
    const Descriptor counter(::eventfd(0, 0));
    OnWorkers([&](const Environment& environment) {
      for (const int fd : {int{pipe.first}, int{sockets.first}, int{counter}}) {
        char bytes[8];
        fake::StopAfterProbes(2);
        CHECK(Read(environment, fd, bytes, sizeof bytes) == kStopping);
        CHECK(fake::ProbeCount() == 3);
      }
    });
  }

  TEST_CASE("a read answers what is there, the end, and nothing for nothing") {
    OnWorkers([](const Environment& environment) {
      int fds[2] = {-1, -1};
      REQUIRE(::pipe(fds) == 0);
      const Descriptor reader(fds[0]);
      char bytes[8] = {0};
      {
        const Descriptor writer(fds[1]);
        CHECK(Read(environment, reader, bytes, 0) == 0);
        REQUIRE(::write(writer, "abc", 3) == 3);
        CHECK(Read(environment, reader, bytes, sizeof bytes) == 3);
        CHECK(std::string(bytes) == "abc");
        CHECK(Read(environment, writer, bytes, sizeof bytes) == -EBADF);
      }
      CHECK(Read(environment, reader, bytes, sizeof bytes) == 0);
      CHECK(fake::ProbeCount() == 0);
    });
  }

  TEST_CASE("a write takes what fits and does not wait for the rest") {
    const std::vector<char> bytes(1 << 20);
    OnWorkers([&](const Environment& environment) {
      const Pair pipe = Pipe();
      const Pair sockets = Sockets(SOCK_STREAM);
      for (const int fd : {int{pipe.second}, int{sockets.first}}) {
        const int64_t written = Write(environment, fd, bytes.data(), bytes.size());
        CHECK(written > 0);
        CHECK(written < static_cast<int64_t>(bytes.size()));
        Fill(fd);
        fake::StopAfterProbes(2);
        CHECK(Write(environment, fd, bytes.data(), bytes.size()) == kStopping);
      }
    });
  }

  TEST_CASE("a write of several parts begins with the first that is not empty") {
    OnWorkers([](const Environment& environment) {
      const Pair pipe = Pipe();
      char first[] = "ab";
      char second[] = "cd";
      const iovec parts[] = {{first, 0}, {first, 2}, {second, 2}};
      const int64_t written = WriteInSlices(environment, pipe.second, parts, std::size(parts));
      char bytes[8] = {0};
      REQUIRE(::read(pipe.first, bytes, sizeof bytes) == written);
      // An older kernel takes the first that is not empty.
      CHECK((std::string(bytes) == "abcd" || std::string(bytes) == "ab"));
      const iovec nothing{first, 0};
      CHECK(WriteInSlices(environment, pipe.second, &nothing, 1) == 0);
    });
  }

  TEST_CASE("a datagram is written in one piece") {
    const std::vector<char> bytes(10'000);
    OnWorkers([&](const Environment& environment) {
      const Pair sockets = Sockets(SOCK_DGRAM);
      CHECK(Write(environment, sockets.first, bytes.data(), bytes.size()) == 10'000);
      std::vector<char> received(20'000);
      CHECK(::recv(sockets.second, received.data(), received.size(), 0) == 10'000);
    });
  }

  TEST_CASE("an eventfd takes a number once it fits, and refuses what it never holds") {
    OnWorkers([](const Environment& environment) {
      const Descriptor counter(::eventfd(0, 0));
      const uint64_t half = uint64_t{1} << 63;
      const uint64_t never = UINT64_MAX;
      uint64_t value = 0;
      CHECK(Write(environment, counter, &half, sizeof half) == sizeof half);
      fake::StopAfterProbes(3);
      CHECK(Write(environment, counter, &half, sizeof half) == kStopping);
      fake::SetStopping(false);
      CHECK(Write(environment, counter, &never, sizeof never) == -EINVAL);
      CHECK(Read(environment, counter, &value, sizeof value) == sizeof value);
      CHECK(value == half);
      CHECK(Write(environment, counter, &half, sizeof half) == sizeof half);
    });
  }

  TEST_CASE("a call that is refused although the descriptor is ready is made again, with pauses") {
    const Descriptor ready(::eventfd(1, 0));
    OnWorker([&](const Environment& environment) {
      int attempts = 0;
      const int64_t start = MonotonicNs();
      fake::StopAfterProbes(10);
      const int64_t result = AttemptWhenReady(environment, ready, POLLIN, [&]() -> int64_t {
        ++attempts;
        return -EAGAIN;
      });
      CHECK(result == kStopping);
      CHECK(attempts == 10);
      CHECK(MonotonicNs() - start >= 10 * kNanosecondsPerMillisecond);
    });
  }

  TEST_CASE("a socket keeps to its own time limit and is not early") {
    constexpr int64_t kLimitMs = 120;
    const timeval limit{0, kLimitMs * 1000};
    OnWorker([&](const Environment& environment) {
      const Pair sockets = Sockets(SOCK_STREAM);
      REQUIRE(::setsockopt(sockets.first, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
      CHECK(SocketTimeoutNs(sockets.first, POLLIN) == kLimitMs * kNanosecondsPerMillisecond);
      CHECK(SocketTimeoutNs(sockets.first, POLLOUT) == kForever);
      char byte = 0;
      const int64_t start = MonotonicNs();
      CHECK(Read(environment, sockets.first, &byte, 1) == -EAGAIN);
      CHECK(MonotonicNs() - start >= kLimitMs * kNanosecondsPerMillisecond);
    });
  }

  TEST_CASE(
      "connect to a full listener ends when the worker stops, and leaves the socket blocking") {
    UnixListener listener(0);
    const Descriptor queued(::socket(AF_UNIX, SOCK_STREAM, 0));
    REQUIRE(::connect(queued, listener.get(), listener.length()) == 0);
    OnWorker([&](const Environment& environment) {
      const Descriptor client(::socket(AF_UNIX, SOCK_STREAM, 0));
      fake::StopAfterProbes(3);
      CHECK(ConnectInSlices(environment, client, listener.get(), listener.length()) == kStopping);
      CHECK(IsBlocking(client));
      fake::SetStopping(false);
      const Descriptor accepted(::accept(listener.fd(), nullptr, nullptr));
      CHECK(ConnectInSlices(environment, client, listener.get(), listener.length()) == 0);
      CHECK(IsBlocking(client));
    });
  }

  TEST_CASE("accept that cannot succeed is refused at once") {
    UnixListener listener(1);
    const Pair pipe = Pipe();
    const Descriptor datagram(::socket(AF_UNIX, SOCK_DGRAM, 0));
    const Descriptor stream(::socket(AF_INET, SOCK_STREAM, 0));
    OnWorker([&](const Environment& environment) {
      const auto accept = [&](int fd, int flags) {
        return AcceptInSlices(environment, fd, nullptr, nullptr, flags);
      };
      CHECK(accept(pipe.first, 0) == -ENOTSOCK);
      CHECK(accept(datagram, 0) == -EOPNOTSUPP);
      CHECK(accept(stream, 0) == -EINVAL);
      CHECK(accept(listener.fd(), 1) == -EINVAL);
      fake::StopAfterProbes(2);
      CHECK(accept(listener.fd(), SOCK_CLOEXEC | SOCK_NONBLOCK) == kStopping);
    });
  }

  TEST_CASE("threads that accept from one listener share its connections, and none is lost") {
    constexpr int kConnections = 500;
    UnixListener listener(kConnections);
    std::atomic<int> accepted{0};
    std::vector<std::thread> acceptors;
    for (int i = 0; i < 3; ++i) {
      acceptors.emplace_back([&] {
        fake::SetStopping(false);
        const Environment environment(nullptr);
        for (;;) {
          const int64_t fd = AcceptInSlices(environment, listener.fd(), nullptr, nullptr, 0);
          if (fd < 0) break;
          ::close(static_cast<int>(fd));
          ++accepted;
        }
      });
    }
    for (int i = 0; i < kConnections; ++i) {
      const Descriptor client(::socket(AF_UNIX, SOCK_STREAM, 0));
      REQUIRE(::connect(client, listener.get(), listener.length()) == 0);
    }
    while (accepted.load() < kConnections) std::this_thread::yield();
    ::shutdown(listener.fd(), SHUT_RDWR);  // accept(2) answers EINVAL from now on.
    for (std::thread& acceptor : acceptors) acceptor.join();
    CHECK(accepted.load() == kConnections);
  }
}

}  // namespace raw_epoll
