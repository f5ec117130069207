/* What a kernel answers and an emulator of system calls may not, each asked in as few calls as can be:
 * prints the name of each answer that is not the kernel's, a line each. On a kernel: nothing.
 * test/support/emulator.ts has the names too, with what they mean. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif

static void expect(const char* name, bool answer_is_the_kernels) {
  if (!answer_is_the_kernels) puts(name);
}

static bool knows(int fd, int level, int option, const void* value, socklen_t length) {
  return setsockopt(fd, level, option, value, length) == 0 || errno != ENOPROTOOPT;
}

static int open_descriptors(void) {
  int count = 0;
  for (int fd = 0; fd < 100; fd++) count += fcntl(fd, F_GETFD) != -1;
  return count;
}

/* Four descriptors come with a message, and there is room for one: three are closed, and it is said. */
static bool cuts_control_data(void) {
  int pair[2];
  char byte = 'x', sent[CMSG_SPACE(4 * sizeof(int))], room[CMSG_LEN(sizeof(int))];
  struct iovec part = {&byte, 1};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = sent};
  message.msg_controllen = sizeof sent;
  memset(sent, 0, sizeof sent); /* four times descriptor 0 */
  struct cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(4 * sizeof(int));
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) return false;
  if (sendmsg(pair[0], &message, 0) != 1) return false;
  message.msg_control = room;
  message.msg_controllen = sizeof room;
  const int before = open_descriptors();
  if (recvmsg(pair[1], &message, 0) != 1) return false;
  return (message.msg_flags & MSG_CTRUNC) != 0 && open_descriptors() == before + 1;
}

/* The number behind a key of a file that is made of such lines; 0 if it is not there. */
static unsigned long long number_in(const char* name, const char* key, const char* format) {
  char line[200];
  unsigned long long number = 0;
  FILE* file = fopen(name, "r");
  if (file == NULL) return 0;
  while (fgets(line, sizeof line, file) != NULL) {
    if (strncmp(line, key, strlen(key)) == 0) sscanf(line + strlen(key), format, &number);
  }
  fclose(file);
  return number;
}

static bool shows_flags(int fd) {
  char name[40];
  snprintf(name, sizeof name, "/proc/self/fdinfo/%d", fd);
  return (number_in(name, "flags:", "%llo") & O_DIRECT) != 0;
}

/* Nothing waits: a message without buffers would, like any other. */
static bool receives_into_nothing(void) {
  int pair[2];
  struct msghdr message = {0};
  if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair) != 0) return false;
  return recvmsg(pair[1], &message, 0) == -1 && errno == EAGAIN;
}

/* Two messages wait, and there is room for both, but no time for the second. */
static bool keeps_time_between_messages(void) {
  int pair[2];
  char bytes[2];
  struct iovec parts[2] = {{&bytes[0], 1}, {&bytes[1], 1}};
  struct mmsghdr messages[2];
  struct timespec none = {0, 0};
  memset(messages, 0, sizeof messages);
  for (int i = 0; i < 2; i++) {
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) != 0) return false;
  if (send(pair[0], "a", 1, 0) != 1 || send(pair[0], "b", 1, 0) != 1) return false;
  return recvmmsg(pair[1], messages, 2, 0, &none) == 1;
}

static bool leaves_empty_memory_alone(int fd) {
  unsigned char byte = 77;
  socklen_t length = 0;
  return getsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &byte, &length) == 0 && byte == 77;
}

int main(void) {
  const int on = 1;
  const int tcp = socket(AF_INET, SOCK_STREAM, 0);
  const int udp = socket(AF_INET, SOCK_DGRAM, 0);
  const int udp6 = socket(AF_INET6, SOCK_DGRAM, 0);

  struct epoll_event event;
  const struct timespec now = {0, 0};
  const int set = epoll_create1(0);
  expect("epoll_pwait2", syscall(SYS_epoll_pwait2, set, &event, 1, &now, NULL, 8) == 0);

  char byte;
  struct iovec part = {&byte, 1};
  /* Not through libc, which has something in its place. */
  expect("preadv2", syscall(SYS_preadv2, set, &part, 1, -1L, -1L, 0) == -1 && errno != ENOSYS);

  struct tcp_info info;
  socklen_t length = sizeof info;
  expect("TCP_INFO", getsockopt(tcp, IPPROTO_TCP, TCP_INFO, &info, &length) == 0 && length > 100);
  expect("SO_BUSY_POLL", knows(tcp, SOL_SOCKET, SO_BUSY_POLL, &on, sizeof on));

  const struct ip_mreqn by_loopback = {.imr_ifindex = 1};
  expect("multicast",
         knows(udp, IPPROTO_IP, IP_MULTICAST_IF, &by_loopback, sizeof by_loopback));
  /* 33: IPV6_FLOWINFO_SEND of <linux/in6.h>, which does not go with <netinet/in.h>. */
  expect("flowinfo", udp6 < 0 || knows(udp6, IPPROTO_IPV6, 33, &on, sizeof on));

  expect("empty memory", leaves_empty_memory_alone(tcp));
  expect("timeout of recvmmsg", keeps_time_between_messages());
  expect("message without buffers", receives_into_nothing());
  expect("cut control data", cuts_control_data());

  int ends[2];
  expect("flags in /proc", pipe2(ends, O_DIRECT) == 0 && shows_flags(ends[1]));
  expect("handlers in /proc", number_in("/proc/self/status", "SigCgt:", "%llx") == 0);

  errno = 0;
  expect("socket types", socket(AF_UNIX, SOCK_STREAM | 0x10000, 0) == -1 && errno == EINVAL);
  return 0;
}
