// The answer of a system call as JavaScript sees it: a count or descriptor, or the negated errno.
#ifndef RAW_EPOLL_CORE_ERRNO_RESULT_H_
#define RAW_EPOLL_CORE_ERRNO_RESULT_H_

#include <cerrno>
#include <cstdint>

namespace raw_epoll {

// Wrap the call itself, `ResultOrErrno(::recv(…))`, so that nothing comes between it and errno.
inline int64_t ResultOrErrno(int64_t result) { return result < 0 ? -errno : result; }

}  // namespace raw_epoll

#endif  // RAW_EPOLL_CORE_ERRNO_RESULT_H_
