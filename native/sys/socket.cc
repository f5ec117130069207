// socket(2), socketpair(2), bind(2), listen(2), accept4(2), connect(2), shutdown(2),
// getsockname(2), getpeername(2), getsockopt(2), setsockopt(2), recv(2), send(2) and their kin.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

#include "core/arguments.h"
#include "core/blocking_call.h"
#include "core/call_frame.h"
#include "core/errno_result.h"
#include "core/kernel_call.h"
#include "core/new_descriptor.h"
#include "core/socket_address.h"
#include "sys/functions.h"

namespace raw_epoll {

namespace {

template <Ownership kOwnership>
napi_value Socket(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 3);
  const int domain = args.Int(0, "domain");
  const int type = args.Int(1, "type");
  const int protocol = args.Int(2, "protocol");
  if (args.failed()) return nullptr;
  const int64_t fd = ResultOrErrno(::socket(domain, type, protocol));
  return args.Answer(NewDescriptor<kOwnership>(args.environment(), fd));
}

template <Ownership kOwnership>
napi_value Socketpair(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 4);
  const int domain = args.Int(0, "domain");
  const int type = args.Int(1, "type");
  const int protocol = args.Int(2, "protocol");
  const Slice sv = args.TypedArray(3, "sv", napi_int32_array, 2);
  if (args.failed()) return nullptr;
  int pair[2] = {-1, -1};
  const int64_t result = ResultOrErrno(::socketpair(domain, type, protocol, pair));
  if (result < 0) return args.Answer(result);
  for (const int fd : pair) NewDescriptor<kOwnership>(args.environment(), fd);
  std::memcpy(sv.data, pair, sizeof pair);
  return args.Answer(result);
}

napi_value Bind(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 2);
  const int fd = args.Int(0, "fd");
  SocketAddress address;
  const bool known = ReadSocketAddress(args, args.value(1), &address);
  if (args.failed()) return nullptr;
  if (!known) return args.Answer(-EAFNOSUPPORT);
  return args.Answer(ResultOrErrno(::bind(fd, address.get(), address.length)));
}

napi_value Listen(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 2);
  const int fd = args.Int(0, "fd");
  const int backlog = args.Int(1, "backlog");
  if (args.failed()) return nullptr;
  return args.Answer(ResultOrErrno(::listen(fd, backlog)));
}

template <Ownership kOwnership>
napi_value Accept4(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 3);
  const int fd = args.Int(0, "fd");
  const bool wants_address = !args.failed() && !args.IsMissingOrNull(1);
  if (wants_address) args.Object(1, "addr");
  const int flags = args.Int(2, "flags");
  if (args.failed()) return nullptr;
  SocketAddress address;
  sockaddr* storage = wants_address ? address.get() : nullptr;
  socklen_t* length = wants_address ? &address.length : nullptr;
  const int64_t accepted = WaitsInSlices(args.environment(), fd)
                               ? AcceptInSlices(args.environment(), fd, storage, length, flags)
                               : kernel::Accept4(fd, storage, length, flags);
  if (accepted >= 0 && wants_address && !FillSocketAddress(args, args.value(1), address)) {
    ::close(static_cast<int>(accepted));  // A setter threw: nobody would know the number.
    return nullptr;
  }
  return args.Answer(NewDescriptor<kOwnership>(args.environment(), accepted));
}

napi_value Connect(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 2);
  const int fd = args.Int(0, "fd");
  SocketAddress address;
  const bool known = ReadSocketAddress(args, args.value(1), &address);
  if (args.failed()) return nullptr;
  if (!known) return args.Answer(-EAFNOSUPPORT);
  if (WaitsInSlices(args.environment(), fd)) {
    return args.Answer(ConnectInSlices(args.environment(), fd, address.get(), address.length));
  }
  return args.Answer(ResultOrErrno(::connect(fd, address.get(), address.length)));
}

napi_value Shutdown(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 2);
  const int fd = args.Int(0, "fd");
  const int how = args.Int(1, "how");
  if (args.failed()) return nullptr;
  return args.Answer(ResultOrErrno(::shutdown(fd, how)));
}

using NameCall = int (*)(int, sockaddr*, socklen_t*);

napi_value NameOf(napi_env env, napi_callback_info info, NameCall call) {
  Arguments args(env, info, 2);
  const int fd = args.Int(0, "fd");
  args.Object(1, "addr");
  if (args.failed()) return nullptr;
  SocketAddress address;
  const int64_t result = ResultOrErrno(call(fd, address.get(), &address.length));
  if (result == 0 && !FillSocketAddress(args, args.value(1), address)) return nullptr;
  return args.Answer(result);
}

napi_value Getsockname(napi_env env, napi_callback_info info) {
  return NameOf(env, info, ::getsockname);
}

napi_value Getpeername(napi_env env, napi_callback_info info) {
  return NameOf(env, info, ::getpeername);
}

// Options of Linux for which the kernel does not keep to the length it is given: it counts in
// something else than bytes, trusts a count inside the struct, or follows an address there. With
// them it would write to, or read from, memory outside the view, so they are refused like the
// unknown commands of fcntl. By number: few C libraries name them all.
struct Option {
  int level;
  int name;
};

constexpr Option kReachOutsideToGet[] = {
#ifdef __linux__
    {SOL_SOCKET, SO_ATTACH_FILTER},  // SO_GET_FILTER: the length counts instructions
    {IPPROTO_IP, 41},                // IP_MSFILTER: as many sources as the struct says
    {IPPROTO_IP, 48},                // MCAST_MSFILTER
    {IPPROTO_IPV6, 48},              // MCAST_MSFILTER
    {IPPROTO_TCP, 35},               // TCP_ZEROCOPY_RECEIVE: copybuf_address, msg_control
    {IPPROTO_TCP, 41},               // TCP_AO_GET_KEYS: as many keys as the struct says
    {284, 4},                        // SOL_MPTCP, MPTCP_FULL_INFO: two addresses
    {IPPROTO_IP, 129},               // EBT_SO_GET_ENTRIES: two addresses
    {IPPROTO_IP, 131},               // EBT_SO_GET_INIT_ENTRIES: two addresses
#endif
    {-1, -1}};

constexpr Option kReachOutsideToSet[] = {
#ifdef __linux__
    {SOL_SOCKET, SO_ATTACH_FILTER},  // struct sock_fprog: an address
    {SOL_SOCKET, 51},                // SO_ATTACH_REUSEPORT_CBPF: the same
    {IPPROTO_IP, 64},                // IPT_SO_SET_REPLACE: the address of counters to fill in
    {IPPROTO_IPV6, 64},              // IP6T_SO_SET_REPLACE
    {IPPROTO_IP, 96},                // ARPT_SO_SET_REPLACE
    {IPPROTO_IP, 128},               // EBT_SO_SET_ENTRIES
    {IPPROTO_IP, 129},               // EBT_SO_SET_COUNTERS
#endif
    {-1, -1}};

template <size_t kCount>
bool Has(const Option (&options)[kCount], int level, int name) {
  return std::any_of(options, options + kCount, [=](const Option& option) {
    return option.level == level && option.name == name;
  });
}

napi_value Getsockopt(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 4);
  const int fd = args.Int(0, "fd");
  const int level = args.Int(1, "level");
  const int optname = args.Int(2, "optname");
  const Slice optval = args.View(3, "optval");
  if (args.failed()) return nullptr;
  if (Has(kReachOutsideToGet, level, optname)) return args.Answer(-EINVAL);
  auto length = static_cast<socklen_t>(std::min<size_t>(optval.length, INT_MAX));
  const int64_t result = ResultOrErrno(::getsockopt(fd, level, optname, optval.data, &length));
  return args.Answer(result < 0 ? result : length);
}

napi_value Setsockopt(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 4);
  const int fd = args.Int(0, "fd");
  const int level = args.Int(1, "level");
  const int optname = args.Int(2, "optname");
  int number = 0;
  Slice optval{reinterpret_cast<uint8_t*>(&number), sizeof number};
  if (!args.failed() && args.IsNumber(3)) {
    number = static_cast<int>(args.Mask(3, "optval"));
  } else {
    optval = args.View(3, "optval");
  }
  if (args.failed()) return nullptr;
  if (Has(kReachOutsideToSet, level, optname)) return args.Answer(-EINVAL);
  const auto length = static_cast<socklen_t>(std::min<size_t>(optval.length, INT_MAX));
  return args.Answer(ResultOrErrno(::setsockopt(fd, level, optname, optval.data, length)));
}

int64_t ReceiveInto(const Environment& environment, int fd, Slice slice, int flags) {
  return MoveBytes(environment, fd, flags, POLLIN,
                   [=](int how) { return kernel::Recv(fd, slice.data, slice.length, how); });
}

int64_t SendFrom(const Environment& environment, int fd, Slice slice, int flags) {
  return MoveBytes(environment, fd, flags, POLLOUT,
                   [=](int how) { return kernel::Send(fd, slice.data, slice.length, how); });
}

napi_value Recv(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 5);
  const int fd = args.Int(0, "fd");
  const Slice slice = args.BufferSlice(1);
  const int flags = args.Int(4, "flags");
  if (args.failed()) return nullptr;
  return args.Answer(ReceiveInto(args.environment(), fd, slice, flags));
}

napi_value Send(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 5);
  const int fd = args.Int(0, "fd");
  const Slice slice = args.BufferSlice(1);
  const int flags = args.Int(4, "flags");
  if (args.failed()) return nullptr;
  return args.Answer(SendFrom(args.environment(), fd, slice, flags));
}

// recv [fd, offset, length, flags]
napi_value FramedRecv(napi_env env, napi_callback_info info) {
  const FramedCall call(env, info);
  const Slice slice = call.KnownSlice(MemoryRole::kIncoming, 1);
  return call.Answer(ReceiveInto(call.environment(), call.Int(0), slice, call.Int(3)));
}

// send [fd, offset, length, flags]
napi_value FramedSend(napi_env env, napi_callback_info info) {
  const FramedCall call(env, info);
  const Slice slice = call.KnownSlice(MemoryRole::kOutgoing, 1);
  return call.Answer(SendFrom(call.environment(), call.Int(0), slice, call.Int(3)));
}

napi_value Recvfrom(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 6);
  const int fd = args.Int(0, "fd");
  const int flags = args.Int(4, "flags");
  const bool wants_address = !args.failed() && !args.IsMissingOrNull(5);
  if (wants_address) args.Object(5, "addr");
  const Slice slice = args.BufferSlice(1);
  if (args.failed()) return nullptr;
  SocketAddress address;
  const int64_t received = MoveBytes(args.environment(), fd, flags, POLLIN, [&](int how) {
    address.length = sizeof address.storage;
    return ResultOrErrno(
        ::recvfrom(fd, slice.data, slice.length, how, address.get(), &address.length));
  });
  if (received >= 0 && wants_address && !FillSocketAddress(args, args.value(5), address)) {
    return nullptr;
  }
  return args.Answer(received);
}

napi_value Sendto(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 6);
  const int fd = args.Int(0, "fd");
  const int flags = args.Int(4, "flags");
  const bool has_address = !args.failed() && !args.IsMissingOrNull(5);
  SocketAddress address;
  const bool known = !has_address || ReadSocketAddress(args, args.value(5), &address);
  const Slice slice = args.BufferSlice(1);  // After the address, whose getters may run code.
  if (args.failed()) return nullptr;
  if (!known) return args.Answer(-EAFNOSUPPORT);
  return args.Answer(MoveBytes(args.environment(), fd, flags, POLLOUT, [&](int how) {
    return ResultOrErrno(::sendto(fd, slice.data, slice.length, how,
                                  has_address ? address.get() : nullptr,
                                  has_address ? address.length : 0));
  }));
}

}  // namespace

FunctionList SocketFunctions() {
  return {
      {"socket", Socket<Ownership::kNobody>},
      {"socketpair", Socketpair<Ownership::kNobody>},
      {"bind", Bind},
      {"listen", Listen},
      {"accept4", Accept4<Ownership::kNobody>},
      {"connect", Connect},
      {"shutdown", Shutdown},
      {"getsockname", Getsockname},
      {"getpeername", Getpeername},
      {"getsockopt", Getsockopt},
      {"setsockopt", Setsockopt},
      {"recv", Recv},
      {"send", Send},
      {"recvfrom", Recvfrom},
      {"sendto", Sendto},
  };
}

FunctionList OwnedSocketFunctions() {
  return {
      {"socket", Socket<Ownership::kOwned>},
      {"socketpair", Socketpair<Ownership::kOwned>},
      {"accept4", Accept4<Ownership::kOwned>},
  };
}

FunctionList FramedSocketFunctions() { return {{"recv", FramedRecv}, {"send", FramedSend}}; }

}  // namespace raw_epoll
