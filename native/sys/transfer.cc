// sendfile(2), splice(2): bytes from one descriptor to another, past JavaScript.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <mutex>

#include "core/arguments.h"
#include "core/blocking_call.h"
#include "core/errno_result.h"
#include "sys/functions.h"

#ifdef __linux__
#include <sys/sendfile.h>
#endif

namespace raw_epoll {

namespace {

#ifdef __linux__

constexpr uint64_t kMostBytes = 0x7ffff000;  // The kernel moves no more with one call.

// An offset into a file; null: where the file stands, which the call moves.
class Offset {
 public:
  Offset(Arguments& args, size_t index, const char* name)
      : given_(args.IsMissing(index) || !args.IsMissingOrNull(index)) {
    if (given_) value_ = args.Int64(index, name);
  }
  off_t* get() { return given_ ? &value_ : nullptr; }

 private:
  bool given_;
  off_t value_ = 0;
};

// A descriptor that blocks, made to answer EAGAIN for the time of one call: neither call has a
// flag for that which works for every kind of file.
class WithoutBlocking {
 public:
  explicit WithoutBlocking(int fd) : fd_(fd), flags_(CanBlock(fd) ? ::fcntl(fd, F_GETFL) : -1) {
    if (flags_ >= 0) ::fcntl(fd_, F_SETFL, flags_ | O_NONBLOCK);
  }
  ~WithoutBlocking() {
    if (flags_ >= 0) ::fcntl(fd_, F_SETFL, flags_);
  }
  WithoutBlocking(const WithoutBlocking&) = delete;
  WithoutBlocking& operator=(const WithoutBlocking&) = delete;

 private:
  int fd_;
  int flags_;
};

// Makes `call` once, which answers EAGAIN where it would wait. Two threads that took turns with
// the flags of one file would leave it changed, or blocking in the midst of a call.
template <typename Call>
int64_t Attempt(int in, int out, Call call) {
  static std::mutex flags_of_files;
  const std::lock_guard<std::mutex> lock(flags_of_files);
  const WithoutBlocking first(in);
  const WithoutBlocking second(out);
  return call();
}

// One end of a transfer: whether it is waited for, and for what.
struct End {
  int fd;
  short events;
  bool waits;

  bool IsReady() const {
    pollfd target{fd, events, 0};
    return ::poll(&target, 1, 0) > 0;
  }
};

// Makes `call`; on a worker in slices, if one of the descriptors would make it wait.
template <typename Call>
int64_t Transfer(const Environment& environment, int in, int out, Call call) {
  const End source{in, POLLIN, WaitsInSlices(environment, in)};
  const End target{out, POLLOUT, WaitsInSlices(environment, out)};
  if (!source.waits && !target.waits) return call();
  // The end that is not ready held the call up. It may be the one that does not block.
  const auto held_up = [&]() -> const End& {
    if (!source.IsReady()) return source;
    return target.IsReady() && source.waits ? source : target;
  };
  int64_t moved = Attempt(in, out, call);
  while (moved == -EAGAIN) {
    const End& end = held_up();
    if (!end.waits) return -EAGAIN;
    bool is_other = false;
    const auto again = [&]() -> int64_t {
      moved = Attempt(in, out, call);
      is_other = moved == -EAGAIN && &held_up() != &end;
      return is_other ? 0 : moved;
    };
    const int64_t waited = AttemptWhenReady(environment, end.fd, end.events, again);
    if (!is_other) return waited;
  }
  return moved;
}

napi_value Sendfile(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 4);
  const int out = args.Int(0, "outFd");
  const int in = args.Int(1, "inFd");
  Offset offset(args, 2, "offset");
  const uint64_t count = std::min(args.Uint64(3, "count"), kMostBytes);
  if (args.failed()) return nullptr;
  return args.Answer(Transfer(args.environment(), in, out, [&] {
    return ResultOrErrno(::sendfile(out, in, offset.get(), count));
  }));
}

bool IsPipe(int fd) { return ::fcntl(fd, F_GETPIPE_SZ) >= 0; }

bool IsNonBlocking(int fd) { return (::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0; }

// The kernel takes a pipe with O_NONBLOCK as it takes SPLICE_F_NONBLOCK, for the whole call:
// one that is filled, and either of two. A TCP socket that blocks waits in spite of that, which
// nothing could end here: on a worker no call does.
bool NeverWaits(int in, int out, uint32_t flags) {
  if ((flags & SPLICE_F_NONBLOCK) != 0) return true;
  return IsPipe(out) && (IsNonBlocking(out) || (IsPipe(in) && IsNonBlocking(in)));
}

napi_value Splice(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 6);
  const int in = args.Int(0, "fdIn");
  Offset offset_in(args, 1, "offIn");
  const int out = args.Int(2, "fdOut");
  Offset offset_out(args, 3, "offOut");
  const uint64_t length = std::min(args.Uint64(4, "len"), kMostBytes);
  const uint32_t flags = args.Mask(5, "flags");
  if (args.failed()) return nullptr;
  const auto call = [&] {
    return ResultOrErrno(::splice(in, offset_in.get(), out, offset_out.get(), length, flags));
  };
  if (!args.environment().is_main_thread() && NeverWaits(in, out, flags)) {
    return args.Answer(Attempt(in, out, call));
  }
  return args.Answer(Transfer(args.environment(), in, out, call));
}

#else

constexpr napi_callback Sendfile = NotHere;  // macOS has one of another kind.
constexpr napi_callback Splice = NotHere;

#endif

}  // namespace

FunctionList TransferFunctions() { return {{"sendfile", Sendfile}, {"splice", Splice}}; }

}  // namespace raw_epoll
