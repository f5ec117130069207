// Groups and interfaces of multicast, for sockets of level 2: setsockopt(2) with structs.
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

#include "core/arguments.h"
#include "core/errno_result.h"
#include "core/socket_address.h"
#include "sys/functions.h"

namespace raw_epoll {

namespace {

int LevelOf(int family) { return family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP; }

// Joins or leaves the group of `addr`, on an interface by its index; 0: the kernel chooses.
napi_value ChangeGroup(napi_env env, napi_callback_info info, int option) {
  Arguments args(env, info, 3);
  const int fd = args.Int(0, "fd");
  const uint32_t interface = args.Uint32(2, "interface");
  SocketAddress address;
  const bool known = ReadSocketAddress(args, args.value(1), &address);
  if (args.failed()) return nullptr;
  if (!known) return args.Answer(-EAFNOSUPPORT);
  group_req request{};
  request.gr_interface = interface;
  request.gr_group = address.storage;
  const int level = LevelOf(address.storage.ss_family);
  return args.Answer(ResultOrErrno(::setsockopt(fd, level, option, &request, sizeof request)));
}

napi_value Join(napi_env env, napi_callback_info info) {
  return ChangeGroup(env, info, MCAST_JOIN_GROUP);
}

napi_value Leave(napi_env env, napi_callback_info info) {
  return ChangeGroup(env, info, MCAST_LEAVE_GROUP);
}

// sendFrom(fd, family, interface): by which interface datagrams to groups leave.
napi_value SendFrom(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 3);
  const int fd = args.Int(0, "fd");
  const int family = args.Int(1, "family");
  const uint32_t interface = args.Uint32(2, "interface");
  if (args.failed()) return nullptr;
  if (family == AF_INET6) {
    return args.Answer(ResultOrErrno(
        ::setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &interface, sizeof interface)));
  }
  ip_mreqn request{};
  request.imr_ifindex = static_cast<int>(interface);
  return args.Answer(
      ResultOrErrno(::setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &request, sizeof request)));
}

}  // namespace

FunctionList MulticastFunctions() {
  return {{"join", Join}, {"leave", Leave}, {"sendFrom", SendFrom}};
}

}  // namespace raw_epoll
