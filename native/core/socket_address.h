// Socket addresses between JavaScript objects and the kernel's structs.
//
//   {family: AF_INET, address: '127.0.0.1', port}
//   {family: AF_INET6, address: '::1', port, flowinfo, scopeId}
//   {family: AF_UNIX, path}        an abstract name starts with '\0', an unnamed one is ''
#ifndef RAW_EPOLL_CORE_SOCKET_ADDRESS_H_
#define RAW_EPOLL_CORE_SOCKET_ADDRESS_H_

#include <node_api.h>
#include <sys/socket.h>

#include "core/arguments.h"

namespace raw_epoll {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = sizeof(sockaddr_storage);  // of what `storage` holds, or may hold

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

// Getters of the object may run any code: call it before BufferSlice().
// False if the family is one that has no form here; otherwise a wrong property throws.
bool ReadSocketAddress(Arguments& args, napi_value object, SocketAddress* address);

// Fills the caller's object in place. False, with an exception pending, if a setter threw.
bool FillSocketAddress(Arguments& args, napi_value object, const SocketAddress& address);

}  // namespace raw_epoll

#endif  // RAW_EPOLL_CORE_SOCKET_ADDRESS_H_
