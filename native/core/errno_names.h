// The names of the errno numbers of this platform.
#ifndef RAW_EPOLL_CORE_ERRNO_NAMES_H_
#define RAW_EPOLL_CORE_ERRNO_NAMES_H_

namespace raw_epoll {

// The canonical name of a positive errno, "EAGAIN" for 11 on Linux; nullptr if it has none here.
const char* ErrnoName(int error_number);

}  // namespace raw_epoll

#endif  // RAW_EPOLL_CORE_ERRNO_NAMES_H_
