// Echo over UDP, up to 64 datagrams with each call: recvmmsg(2), sendmmsg(2), as in the example
// udp-echo. What the kernel has no room for is dropped, as UDP may.
//
//   udp_server [--host A] [--port N]

#include "lib/listening.h"

#include <sys/epoll.h>

enum { BATCH = 64, DATAGRAM_MAX = 65536 };

static char bytes[BATCH][DATAGRAM_MAX];
static struct sockaddr_in senders[BATCH];
static struct iovec vectors[BATCH];
static struct mmsghdr messages[BATCH];

static void prepare(void) {
  for (int i = 0; i < BATCH; i++) {
    vectors[i] = (struct iovec){.iov_base = bytes[i], .iov_len = DATAGRAM_MAX};
    messages[i].msg_hdr = (struct msghdr){.msg_name = &senders[i],
                                          .msg_namelen = sizeof senders[i],
                                          .msg_iov = &vectors[i],
                                          .msg_iovlen = 1};
  }
}

static void echo(int fd) {
  prepare();
  int received = recvmmsg(fd, messages, BATCH, 0, NULL);
  if (received < 0) {
    if (errno != EAGAIN && errno != EINTR) fail("recvmmsg");
    return;
  }
  for (int i = 0; i < received; i++) vectors[i].iov_len = messages[i].msg_len;
  for (int sent = 0; sent < received;) {
    int now = sendmmsg(fd, messages + sent, (unsigned)(received - sent), MSG_NOSIGNAL);
    if (now < 0 && errno == EAGAIN) return;
    sent += now > 0 ? now : 1;
  }
}

int main(int argc, char **argv) {
  struct place place = parse_place(argc, argv);
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) fail("epoll_create1");
  int fd = bound_to_port(&place, SOCK_DGRAM);
  struct epoll_event event = {.events = EPOLLIN, .data = {.fd = fd}};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
  announce_port(fd, place.host);
  for (;;) {
    int ready = epoll_wait(epoll, &event, 1, -1);
    if (ready < 0 && errno != EINTR) fail("epoll_wait");
    if (ready > 0) echo(fd);
  }
}
