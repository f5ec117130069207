#include "core/errno_names.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <string>

namespace raw_epoll {

TEST_SUITE("errno_names") {
  TEST_CASE("an errno has its name") {
    CHECK(std::string(ErrnoName(EPERM)) == "EPERM");
    CHECK(std::string(ErrnoName(ENOSYS)) == "ENOSYS");
  }

  TEST_CASE("a number with two names has the one of the man pages") {
    CHECK(std::string(ErrnoName(EWOULDBLOCK)) == "EAGAIN");
#ifdef __linux__
    CHECK(std::string(ErrnoName(ENOTSUP)) == "EOPNOTSUPP");
#endif
  }

  TEST_CASE("what is no errno has no name") {
    CHECK(ErrnoName(0) == nullptr);
    CHECK(ErrnoName(-1) == nullptr);
    CHECK(ErrnoName(99'999) == nullptr);
  }
}

}  // namespace raw_epoll
