#include "core/errno_names.h"

#include <cerrno>

namespace raw_epoll {

namespace {

struct NamedErrno {
  int number;
  const char* name;
};

constexpr NamedErrno kNamedErrnos[] = {
#define ERRNO(name) {name, #name},
#include "core/errno_list.inc"
};

}  // namespace

const char* ErrnoName(int error_number) {
  for (const NamedErrno& named : kNamedErrnos) {
    if (named.number == error_number) return named.name;
  }
  return nullptr;
}

}  // namespace raw_epoll
