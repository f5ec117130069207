#include "uv/host_watch.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace raw_epoll {

PrivateDescriptor::PrivateDescriptor(int fd) : fd_(::fcntl(fd, F_DUPFD_CLOEXEC, 0)) {
  if (fd_ < 0) fd_ = -errno;
}

void PrivateDescriptor::Close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -EBADF;
}

}  // namespace raw_epoll
