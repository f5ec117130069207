#include "core/socket_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>

#include "core/filler.h"

namespace raw_epoll {

namespace {

constexpr double kPortMax = 65535;
constexpr double kUint32Max = 4294967295.0;

template <typename Sockaddr>
Sockaddr* As(SocketAddress* address, int family) {
  auto* out = reinterpret_cast<Sockaddr*>(&address->storage);
  address->storage.ss_family = static_cast<sa_family_t>(family);
  address->length = sizeof(Sockaddr);
  return out;
}

double PortOf(Arguments& args, napi_value object) {
  return args.IntegerOf(args.PropertyOf(object, "port"), "addr.port", 0, kPortMax);
}

double OptionalUint32(Arguments& args, napi_value object, const char* property, const char* name) {
  const napi_value value = args.PropertyOf(object, property);
  if (args.failed() || args.IsUndefined(value)) return 0;
  return args.IntegerOf(value, name, 0, kUint32Max);
}

// Reads `address` into the kernel's form.
void ReadInetText(Arguments& args, napi_value object, int family, void* out, const char* expected) {
  const napi_value value = args.PropertyOf(object, "address");
  const std::string text = args.TextOf(value, "addr.address");
  const bool whole = text.find('\0') == std::string::npos;  // inet_pton would stop there
  if (args.failed() || (whole && inet_pton(family, text.c_str(), out) == 1)) return;
  args.ThrowRange("addr.address", expected, value);
}

void ReadInet(Arguments& args, napi_value object, SocketAddress* address) {
  auto* inet = As<sockaddr_in>(address, AF_INET);
  ReadInetText(args, object, AF_INET, &inet->sin_addr, "an IPv4 address such as '127.0.0.1'");
  inet->sin_port = htons(static_cast<uint16_t>(PortOf(args, object)));
}

void ReadInet6(Arguments& args, napi_value object, SocketAddress* address) {
  auto* inet6 = As<sockaddr_in6>(address, AF_INET6);
  ReadInetText(args, object, AF_INET6, &inet6->sin6_addr, "an IPv6 address such as '::1'");
  inet6->sin6_port = htons(static_cast<uint16_t>(PortOf(args, object)));
  const double flowinfo = OptionalUint32(args, object, "flowinfo", "addr.flowinfo");
  inet6->sin6_flowinfo = htonl(static_cast<uint32_t>(flowinfo));
  const double scope_id = OptionalUint32(args, object, "scopeId", "addr.scopeId");
  inet6->sin6_scope_id = static_cast<uint32_t>(scope_id);
}

void ReadUnix(Arguments& args, napi_value object, SocketAddress* address) {
  auto* local = As<sockaddr_un>(address, AF_UNIX);
  const napi_value value = args.PropertyOf(object, "path");
  const std::string path = args.TextOf(value, "addr.path");
  if (args.failed()) return;
  const bool is_abstract = !path.empty() && path.front() == '\0';
  // A path ends with a zero byte of its own; an abstract name is as long as it is.
  const size_t room = sizeof local->sun_path - (is_abstract ? 0 : 1);
  if (path.size() > room) {
    args.ThrowRange("addr.path", "at most " + std::to_string(room) + " bytes long", value);
  } else if (!is_abstract && path.find('\0') != std::string::npos) {
    args.ThrowRange("addr.path", "without a zero byte, which only begins abstract names", value);
  } else {
    std::memcpy(local->sun_path, path.data(), path.size());
    const size_t used = path.empty() || is_abstract ? path.size() : path.size() + 1;
    address->length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + used);
  }
}

std::string TextOfUnix(const SocketAddress& address) {
  const auto* local = reinterpret_cast<const sockaddr_un*>(&address.storage);
  const size_t header = offsetof(sockaddr_un, sun_path);
  if (address.length <= header) return {};
  const size_t length = std::min<size_t>(address.length - header, sizeof local->sun_path);
  if (local->sun_path[0] == '\0') return std::string(local->sun_path, length);
  return std::string(local->sun_path, strnlen(local->sun_path, length));
}

std::string TextOfInet(int family, const void* bytes) {
  char text[INET6_ADDRSTRLEN] = {0};
  inet_ntop(family, bytes, text, sizeof text);
  return text;
}

}  // namespace

bool ReadSocketAddress(Arguments& args, napi_value object, SocketAddress* address) {
  args.ObjectOf(object, "addr");
  const napi_value value = args.PropertyOf(object, "family");
  const auto family = static_cast<int>(args.IntegerOf(value, "addr.family", 0, kPortMax));
  if (args.failed()) return true;
  switch (family) {
    case AF_INET: ReadInet(args, object, address); return true;
    case AF_INET6: ReadInet6(args, object, address); return true;
    case AF_UNIX: ReadUnix(args, object, address); return true;
    case AF_UNSPEC: As<sockaddr>(address, AF_UNSPEC); return true;  // connect: dissolve
    default: return false;
  }
}

bool FillSocketAddress(Arguments& args, napi_value object, const SocketAddress& address) {
  Filler filler(args.env(), object);
  const int family = address.length < sizeof(sa_family_t) ? AF_UNSPEC : address.storage.ss_family;
  filler.Set("family", family);
  if (family == AF_INET) {
    const auto* inet = reinterpret_cast<const sockaddr_in*>(&address.storage);
    filler.Set("address", TextOfInet(AF_INET, &inet->sin_addr)).Set("port", ntohs(inet->sin_port));
  } else if (family == AF_INET6) {
    const auto* inet6 = reinterpret_cast<const sockaddr_in6*>(&address.storage);
    filler.Set("address", TextOfInet(AF_INET6, &inet6->sin6_addr))
        .Set("port", ntohs(inet6->sin6_port))
        .Set("flowinfo", ntohl(inet6->sin6_flowinfo))
        .Set("scopeId", inet6->sin6_scope_id);
  } else if (family == AF_UNIX) {
    filler.Set("path", TextOfUnix(address));
  }
  if (!filler.ok()) args.FailWithPending("addr cannot be filled in");
  return filler.ok();
}

}  // namespace raw_epoll
