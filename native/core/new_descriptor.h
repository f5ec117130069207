// Where calls that make descriptors end: the number goes to JavaScript, and with Ownership::kOwned
// to the environment in the same step.
#ifndef RAW_EPOLL_CORE_NEW_DESCRIPTOR_H_
#define RAW_EPOLL_CORE_NEW_DESCRIPTOR_H_

#include <cstdint>

#include "core/environment.h"

namespace raw_epoll {

enum class Ownership { kNobody, kOwned };

template <Ownership kOwnership>
int64_t NewDescriptor(Environment& environment, int64_t fd_or_error) {
  if (kOwnership == Ownership::kOwned && fd_or_error >= 0) {
    environment.Own(static_cast<int>(fd_or_error));
  }
  return fd_or_error;
}

}  // namespace raw_epoll

#endif  // RAW_EPOLL_CORE_NEW_DESCRIPTOR_H_
