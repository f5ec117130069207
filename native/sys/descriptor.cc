// read(2), write(2), readv(2), writev(2), close(2), dup(2) and its kin, pipe2(2), fcntl(2).
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <vector>

#include "core/arguments.h"
#include "core/blocking_call.h"
#include "core/call_frame.h"
#include "core/errno_result.h"
#include "core/kernel_call.h"
#include "core/new_descriptor.h"
#include "sys/functions.h"

#ifdef __linux__
#include <linux/sockios.h>
#endif

namespace raw_epoll {

namespace {

constexpr size_t kIovMax = 1024;  // UIO_MAXIOV of every kernel here

int64_t ReadInto(const Environment& environment, int fd, Slice slice) {
  if (!WaitsInSlices(environment, fd)) return kernel::Read(fd, slice.data, slice.length);
  const iovec part{slice.data, slice.length};
  return ReadInSlices(environment, fd, &part, 1);
}

int64_t WriteFrom(const Environment& environment, int fd, Slice slice) {
  if (!WaitsInSlices(environment, fd)) return kernel::Write(fd, slice.data, slice.length);
  const iovec part{slice.data, slice.length};
  return WriteInSlices(environment, fd, &part, 1);
}

napi_value Read(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 4);
  const int fd = args.Int(0, "fd");
  const Slice slice = args.BufferSlice(1);
  if (args.failed()) return nullptr;
  return args.Answer(ReadInto(args.environment(), fd, slice));
}

napi_value Write(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 4);
  const int fd = args.Int(0, "fd");
  const Slice slice = args.BufferSlice(1);
  if (args.failed()) return nullptr;
  return args.Answer(WriteFrom(args.environment(), fd, slice));
}

// read [fd, offset, length]
napi_value FramedRead(napi_env env, napi_callback_info info) {
  const FramedCall call(env, info);
  const Slice slice = call.KnownSlice(MemoryRole::kIncoming, 1);
  return call.Answer(ReadInto(call.environment(), call.Int(0), slice));
}

// write [fd, offset, length]
napi_value FramedWrite(napi_env env, napi_callback_info info) {
  const FramedCall call(env, info);
  const Slice slice = call.KnownSlice(MemoryRole::kOutgoing, 1);
  return call.Answer(WriteFrom(call.environment(), call.Int(0), slice));
}

std::vector<iovec> Iovecs(Arguments& args, size_t index) {
  std::vector<iovec> iovecs;
  for (const Slice& slice : args.Views(index, "iov", kIovMax)) {
    iovecs.push_back({slice.data, slice.length});
  }
  return iovecs;
}

// readv and writev of nothing do nothing, while a message of no bytes is one.
bool HasBytes(const std::vector<iovec>& iov) {
  return std::any_of(iov.begin(), iov.end(), [](const iovec& part) { return part.iov_len != 0; });
}

napi_value Readv(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 2);
  const int fd = args.Int(0, "fd");
  const std::vector<iovec> iov = Iovecs(args, 1);
  if (args.failed()) return nullptr;
  if (HasBytes(iov) && WaitsInSlices(args.environment(), fd)) {
    return args.Answer(ReadInSlices(args.environment(), fd, iov.data(), iov.size()));
  }
  return args.Answer(ResultOrErrno(::readv(fd, iov.data(), static_cast<int>(iov.size()))));
}

napi_value Writev(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 2);
  const int fd = args.Int(0, "fd");
  const std::vector<iovec> iov = Iovecs(args, 1);
  if (args.failed()) return nullptr;
  if (HasBytes(iov) && WaitsInSlices(args.environment(), fd)) {
    return args.Answer(WriteInSlices(args.environment(), fd, iov.data(), iov.size()));
  }
  return args.Answer(ResultOrErrno(::writev(fd, iov.data(), static_cast<int>(iov.size()))));
}

// A descriptor that is closed by its number has no owner any more: the environment must not
// close that number again when somebody else has it.
napi_value Close(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 1);
  const int fd = args.Int(0, "fd");
  if (args.failed()) return nullptr;
  args.environment().Disown(fd);
  return args.Answer(ResultOrErrno(::close(fd)));
}

napi_value CloseOwned(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 1);
  const int fd = args.Int(0, "fd");
  if (args.failed()) return nullptr;
  if (!args.environment().Disown(fd)) return args.Answer(-EBADF);
  return args.Answer(ResultOrErrno(::close(fd)));
}

// own(fd): the number belongs to the environment from now on, -EBUSY if it does already: two
// objects would both close it. disown(fd): to nobody.
napi_value Own(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 1);
  const int fd = args.Int(0, "fd");
  if (args.failed()) return nullptr;
  // An open number only: the table of owned ones is as long as the highest of them.
  const int64_t flags = ResultOrErrno(::fcntl(fd, F_GETFD));
  if (flags < 0) return args.Answer(flags);
  return args.Answer(args.environment().Own(fd) ? 0 : -EBUSY);
}

napi_value Disown(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 1);
  const int fd = args.Int(0, "fd");
  if (args.failed()) return nullptr;
  return args.Answer(args.environment().Disown(fd) ? 0 : -EBADF);
}

napi_value OwnedCount(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 0);
  return args.Answer(static_cast<int64_t>(args.environment().owned_count()));
}

napi_value Dup(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 1);
  const int fd = args.Int(0, "fd");
  if (args.failed()) return nullptr;
  return args.Answer(ResultOrErrno(::dup(fd)));
}

// A duplicate that is closed by execve, and never without an owner: fcntl(2).
napi_value DupOwned(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 1);
  const int fd = args.Int(0, "fd");
  if (args.failed()) return nullptr;
  const int64_t duplicate = ResultOrErrno(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  return args.Answer(NewDescriptor<Ownership::kOwned>(args.environment(), duplicate));
}

napi_value Dup2(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 2);
  const int old_fd = args.Int(0, "oldfd");
  const int new_fd = args.Int(1, "newfd");
  if (args.failed()) return nullptr;
  return args.Answer(ResultOrErrno(::dup2(old_fd, new_fd)));
}

#ifdef __APPLE__

// No such calls. Level 2 owns its pipes from birth, and makes them in three steps there.
int64_t CallDup3(int /*old_fd*/, int /*new_fd*/, int /*flags*/) { return -ENOSYS; }

template <Ownership kOwnership>
int64_t CallPipe2(int* pair, int flags) {
  if (kOwnership == Ownership::kNobody || (flags & ~(O_CLOEXEC | O_NONBLOCK)) != 0) return -ENOSYS;
  const int64_t result = ResultOrErrno(::pipe(pair));
  if (result < 0) return result;
  for (int i = 0; i < 2; ++i) {
    if ((flags & O_CLOEXEC) != 0) ::fcntl(pair[i], F_SETFD, FD_CLOEXEC);
    if ((flags & O_NONBLOCK) != 0) ::fcntl(pair[i], F_SETFL, O_NONBLOCK);
  }
  return result;
}

#else

int64_t CallDup3(int old_fd, int new_fd, int flags) {
  return ResultOrErrno(::dup3(old_fd, new_fd, flags));
}

template <Ownership kOwnership>
int64_t CallPipe2(int* pair, int flags) {
  return ResultOrErrno(::pipe2(pair, flags));
}

#endif

napi_value Dup3(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 3);
  const int old_fd = args.Int(0, "oldfd");
  const int new_fd = args.Int(1, "newfd");
  const int flags = args.Int(2, "flags");
  if (args.failed()) return nullptr;
  return args.Answer(CallDup3(old_fd, new_fd, flags));
}

template <Ownership kOwnership>
napi_value Pipe2(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 2);
  const Slice fds = args.TypedArray(0, "fds", napi_int32_array, 2);
  const int flags = args.Int(1, "flags");
  if (args.failed()) return nullptr;
  int pair[2] = {-1, -1};
  const int64_t result = CallPipe2<kOwnership>(pair, flags);
  if (result < 0) return args.Answer(result);
  for (const int fd : pair) NewDescriptor<kOwnership>(args.environment(), fd);
  std::memcpy(fds.data, pair, sizeof pair);
  return args.Answer(result);
}

// The commands whose argument is an int or nothing. For all others the kernel would take the
// number as an address.
bool TakesInt(int command) {
  switch (command) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
    case F_GETFD:
    case F_SETFD:
    case F_GETFL:
    case F_SETFL:
#ifdef F_GETPIPE_SZ
    case F_GETPIPE_SZ:
    case F_SETPIPE_SZ:
#endif
#ifdef F_ADD_SEALS
    case F_ADD_SEALS:
    case F_GET_SEALS:
#endif
      return true;
    default: return false;
  }
}

napi_value Fcntl(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 3);
  const int fd = args.Int(0, "fd");
  const int command = args.Int(1, "cmd");
  const int argument = args.failed() || args.IsMissing(2) ? 0 : args.Int(2, "arg");
  if (args.failed()) return nullptr;
  if (!TakesInt(command)) return args.Answer(-EINVAL);
  return args.Answer(ResultOrErrno(::fcntl(fd, command, argument)));
}

// The requests whose argument is an int, in or out, or nothing. For all others the kernel may take
// the argument as the address of something larger.
enum class IoctlArgument { kUnknown, kNone, kInt };

IoctlArgument ArgumentOf(uint32_t request) {
  switch (request) {
    case FIOCLEX:
    case FIONCLEX: return IoctlArgument::kNone;
    case FIONREAD:
    case FIONBIO:
    case FIOASYNC:
    case SIOCATMARK:
#ifdef SIOCOUTQ
    case SIOCOUTQ:
#endif
#ifdef SIOCOUTQNSD
    case SIOCOUTQNSD:
#endif
      return IoctlArgument::kInt;
    default: return IoctlArgument::kUnknown;
  }
}

napi_value Ioctl(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 3);
  const int fd = args.Int(0, "fd");
  const uint32_t request = args.Mask(1, "request");
  const IoctlArgument kind = ArgumentOf(request);
  Slice argument;
  if (!args.failed() && (kind == IoctlArgument::kInt || !args.IsMissing(2))) {
    argument = args.TypedArray(2, "argp", napi_int32_array, 1);
  }
  if (args.failed()) return nullptr;
  if (kind == IoctlArgument::kUnknown) return args.Answer(-EINVAL);
  return args.Answer(ResultOrErrno(::ioctl(fd, request, argument.data)));
}

}  // namespace

FunctionList DescriptorFunctions() {
  return {
      {"read", Read},   {"write", Write},
      {"readv", Readv}, {"writev", Writev},
      {"close", Close}, {"dup", Dup},
      {"dup2", Dup2},   {"dup3", Dup3},
      {"fcntl", Fcntl}, {"pipe2", Pipe2<Ownership::kNobody>},
      {"ioctl", Ioctl},
  };
}

FunctionList OwnedDescriptorFunctions() {
  return {
      {"pipe2", Pipe2<Ownership::kOwned>},
      {"dup", DupOwned},
      {"close", CloseOwned},
      {"own", Own},
      {"disown", Disown},
      {"count", OwnedCount},
  };
}

FunctionList FramedDescriptorFunctions() { return {{"read", FramedRead}, {"write", FramedWrite}}; }

}  // namespace raw_epoll
