#include "core/ready_flag.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#ifdef __linux__
#include <sys/eventfd.h>
#endif

namespace raw_epoll {

namespace {

#ifdef __linux__

int OpenEventfd() {
  const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return fd < 0 ? -errno : fd;
}

int OpenPipe(int* ends) { return ::pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0 ? -errno : 0; }

#else

int OpenEventfd() { return -ENOSYS; }

// macOS has no pipe2.
int OpenPipe(int* ends) {
  if (::pipe(ends) < 0) return -errno;
  for (int i = 0; i < 2; ++i) {
    ::fcntl(ends[i], F_SETFD, FD_CLOEXEC);
    ::fcntl(ends[i], F_SETFL, O_NONBLOCK);
  }
  return 0;
}

#endif

}  // namespace

ReadyFlag::~ReadyFlag() {
  if (reader_ >= 0) ::close(reader_);
  if (writer_ >= 0 && writer_ != reader_) ::close(writer_);
}

int ReadyFlag::Open(bool with_pipe) {
  const int fd = with_pipe ? -ENOSYS : OpenEventfd();
  if (fd >= 0) {
    reader_ = writer_ = fd;
    return 0;
  }
  if (fd != -ENOSYS) return fd;
  int ends[2] = {-1, -1};
  const int error = OpenPipe(ends);
  reader_ = ends[0];
  writer_ = ends[1];
  return error;
}

void ReadyFlag::Raise() {
  if (is_raised_) return;
  is_raised_ = true;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(writer_, &one, sizeof one);
}

void ReadyFlag::Lower() {
  if (!is_raised_) return;
  is_raised_ = false;
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t taken = ::read(reader_, &count, sizeof count);
}

}  // namespace raw_epoll
