// The system calls of the hot path, without the C library around them.
//
// The library marks them as points where a thread can be cancelled, which in a program with
// threads costs 10 to 15 ns a call, a tenth of the whole; Node cancels no thread. The answer is
// the kernel's own: a count, or the negated errno.
// docs/decisions/0006-node-api.md has the numbers.
#ifndef RAW_EPOLL_CORE_KERNEL_CALL_H_
#define RAW_EPOLL_CORE_KERNEL_CALL_H_

#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

#include "core/errno_result.h"

// Sanitizers watch memory through the functions of the C library.
#if defined(__linux__) && (defined(__x86_64__) || defined(__aarch64__)) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define RAW_EPOLL_BARE_CALLS 1
#endif

#ifdef RAW_EPOLL_BARE_CALLS
#include <sys/syscall.h>
#endif
#ifdef __linux__
#include <sys/epoll.h>
#endif

namespace raw_epoll::kernel {

#ifdef RAW_EPOLL_BARE_CALLS

// What the compiler hands over as one register.
template <typename T>
inline int64_t Word(T value) {
  return static_cast<int64_t>(value);
}
template <typename T>
inline int64_t Word(T* pointer) {
  return reinterpret_cast<int64_t>(pointer);
}
inline int64_t Word(std::nullptr_t) { return 0; }

#if defined(__x86_64__)

inline int64_t Call6(int64_t number, int64_t a, int64_t b, int64_t c, int64_t d, int64_t e,
                     int64_t f) {
  int64_t result;
  register int64_t r10 __asm__("r10") = d;
  register int64_t r8 __asm__("r8") = e;
  register int64_t r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

#else

inline int64_t Call6(int64_t number, int64_t a, int64_t b, int64_t c, int64_t d, int64_t e,
                     int64_t f) {
  register int64_t x8 __asm__("x8") = number;
  register int64_t x0 __asm__("x0") = a;
  register int64_t x1 __asm__("x1") = b;
  register int64_t x2 __asm__("x2") = c;
  register int64_t x3 __asm__("x3") = d;
  register int64_t x4 __asm__("x4") = e;
  register int64_t x5 __asm__("x5") = f;
  __asm__ volatile("svc 0"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                   : "memory");
  return x0;
}

#endif

template <typename A, typename B, typename C, typename D = int, typename E = int, typename F = int>
inline int64_t Call(int64_t number, A a, B b, C c, D d = 0, E e = 0, F f = 0) {
  return Call6(number, Word(a), Word(b), Word(c), Word(d), Word(e), Word(f));
}

inline int64_t Read(int fd, void* data, size_t length) { return Call(SYS_read, fd, data, length); }

inline int64_t Write(int fd, const void* data, size_t length) {
  return Call(SYS_write, fd, data, length);
}

inline int64_t Recv(int fd, void* data, size_t length, int flags) {
  return Call(SYS_recvfrom, fd, data, length, flags, nullptr, nullptr);
}

inline int64_t Send(int fd, const void* data, size_t length, int flags) {
  return Call(SYS_sendto, fd, data, length, flags, nullptr, 0);
}

inline int64_t Accept4(int fd, sockaddr* address, socklen_t* length, int flags) {
  return Call(SYS_accept4, fd, address, length, flags);
}

inline int64_t EpollCtl(int epfd, int op, int fd, epoll_event* event) {
  return Call(SYS_epoll_ctl, epfd, op, fd, event);
}

// arm64 has no epoll_wait of its own.
inline int64_t EpollWait(int epfd, epoll_event* events, int maxevents, int timeout_ms) {
  return Call(SYS_epoll_pwait, epfd, events, maxevents, timeout_ms, nullptr, 8);
}

#else

inline int64_t Read(int fd, void* data, size_t length) {
  return ResultOrErrno(::read(fd, data, length));
}

inline int64_t Write(int fd, const void* data, size_t length) {
  return ResultOrErrno(::write(fd, data, length));
}

inline int64_t Recv(int fd, void* data, size_t length, int flags) {
  return ResultOrErrno(::recv(fd, data, length, flags));
}

inline int64_t Send(int fd, const void* data, size_t length, int flags) {
  return ResultOrErrno(::send(fd, data, length, flags));
}

inline int64_t Accept4(int fd, sockaddr* address, socklen_t* length, int flags) {
#ifdef __APPLE__
  // macOS has no accept4; flags that it could not set are refused.
  return flags != 0 ? -EINVAL : ResultOrErrno(::accept(fd, address, length));
#else
  return ResultOrErrno(::accept4(fd, address, length, flags));
#endif
}

#ifdef __linux__

inline int64_t EpollCtl(int epfd, int op, int fd, epoll_event* event) {
  return ResultOrErrno(::epoll_ctl(epfd, op, fd, event));
}

inline int64_t EpollWait(int epfd, epoll_event* events, int maxevents, int timeout_ms) {
  return ResultOrErrno(::epoll_wait(epfd, events, maxevents, timeout_ms));
}

#endif
#endif

}  // namespace raw_epoll::kernel

#endif  // RAW_EPOLL_CORE_KERNEL_CALL_H_
