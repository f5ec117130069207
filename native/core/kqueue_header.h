// <sys/event.h> where the system has kqueue. On Linux only if asked for: RAW_EPOLL_KQUEUE is set by
// builds with the shim of the tests or with libkqueue, whose header may be there all the same.
#ifndef RAW_EPOLL_CORE_KQUEUE_HEADER_H_
#define RAW_EPOLL_CORE_KQUEUE_HEADER_H_

#if defined(RAW_EPOLL_KQUEUE) || (!defined(__linux__) && __has_include(<sys/event.h>))
#define RAW_EPOLL_HAS_KQUEUE 1

#include <sys/event.h>
#include <sys/time.h>
#include <sys/types.h>

#include <cstdint>

namespace raw_epoll {

// The event of the user that wakes a set of level 2. Above all that such a set takes as ident.
constexpr uintptr_t kWakeIdent = UINTPTR_MAX;

}  // namespace raw_epoll

#endif

#endif  // RAW_EPOLL_CORE_KQUEUE_HEADER_H_
