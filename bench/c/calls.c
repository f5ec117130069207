// What a system call costs when C makes it: nanoseconds for one pass of a tight loop, the least of
// several repetitions. `bench/probes/calls.ts` does the same passes through the addon, under the
// same names and with the same number of iterations; keep the two files in step.
//
//   calls [--iterations N] [--repetitions N] [--idle-thread]
//
// With `--idle-thread` a second thread sleeps beside the loop. The kernel then counts references on
// every descriptor it looks up, and the C library prepares every call for cancellation: a price
// that each call in a Node process pays (it has many threads), whoever makes it.
//
// Prints {"name": ns, ...}. Every answer of the kernel is checked, also inside the loops: on both
// sides, so that both pay the same.

#define _GNU_SOURCE
#include "lib/idle_thread.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_EVENTS = 16, MESSAGE = 64 };

// The descriptors that the passes use.
struct fixture {
  int epoll_idle;   // an empty eventfd is registered: nothing is ever ready
  int idle;         // that eventfd
  int epoll_ready;  // an eventfd with a count is registered: one level-triggered event, always
  int listener;     // non-blocking, nobody connects
  int client;       // one end of a TCP connection over loopback, blocking
  int server;       // the other end
  int quiet;        // the server end of another connection, non-blocking, nothing ever arrives
  int pipe_read;
  int pipe_write;
};

static char buffer[MESSAGE];

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void check(bool right, const char *what) {
  if (!right) fail(what);
}

// ---- the passes ------------------------------------------------------------------------------

static void wait_none(const struct fixture *f, int iterations) {
  struct epoll_event events[MAX_EVENTS];
  for (int i = 0; i < iterations; i++) {
    check(epoll_wait(f->epoll_idle, events, MAX_EVENTS, 0) == 0, "epoll_wait");
  }
}

static void wait_one(const struct fixture *f, int iterations) {
  struct epoll_event events[MAX_EVENTS];
  for (int i = 0; i < iterations; i++) {
    check(epoll_wait(f->epoll_ready, events, MAX_EVENTS, 0) == 1, "epoll_wait");
  }
}

static void ctl_modify(const struct fixture *f, int iterations) {
  for (int i = 0; i < iterations; i++) {
    struct epoll_event event = {.events = EPOLLIN, .data = {.fd = f->idle}};
    check(epoll_ctl(f->epoll_idle, EPOLL_CTL_MOD, f->idle, &event) == 0, "epoll_ctl");
  }
}

static void recv_nothing(const struct fixture *f, int iterations) {
  for (int i = 0; i < iterations; i++) {
    check(recv(f->quiet, buffer, MESSAGE, 0) == -1 && errno == EAGAIN, "recv");
  }
}

static void accept_nobody(const struct fixture *f, int iterations) {
  for (int i = 0; i < iterations; i++) {
    check(accept4(f->listener, NULL, NULL, SOCK_CLOEXEC) == -1 && errno == EAGAIN, "accept4");
  }
}

static void send_and_recv(const struct fixture *f, int iterations) {
  for (int i = 0; i < iterations; i++) {
    check(send(f->client, buffer, MESSAGE, MSG_NOSIGNAL) == MESSAGE, "send");
    check(recv(f->server, buffer, MESSAGE, 0) == MESSAGE, "recv");
  }
}

static void write_and_read(const struct fixture *f, int iterations) {
  for (int i = 0; i < iterations; i++) {
    check(write(f->pipe_write, buffer, 1) == 1, "write");
    check(read(f->pipe_read, buffer, 1) == 1, "read");
  }
}

static const struct {
  const char *name;
  void (*run)(const struct fixture *fixture, int iterations);
} passes[] = {
    {"epoll_wait(0), none ready", wait_none},
    {"epoll_wait(0), one ready", wait_one},
    {"epoll_ctl MOD", ctl_modify},
    {"recv -> EAGAIN", recv_nothing},
    {"accept4 -> EAGAIN", accept_nobody},
    {"send 64 + recv 64, TCP", send_and_recv},
    {"write 1 + read 1, pipe", write_and_read},
};

enum { PASSES = sizeof passes / sizeof passes[0] };

// ---- the fixture -----------------------------------------------------------------------------

static int watching(int fd) {
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) fail("epoll_create1");
  struct epoll_event event = {.events = EPOLLIN, .data = {.fd = fd}};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
  return epoll;
}

static int listen_on_loopback(struct sockaddr_in *address) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket");
  *address =
      (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
  socklen_t length = sizeof *address;
  if (bind(fd, (struct sockaddr *)address, length) != 0) fail("bind");
  if (listen(fd, 16) != 0) fail("listen");
  if (getsockname(fd, (struct sockaddr *)address, &length) != 0) fail("getsockname");
  return fd;
}

// Makes one connection to the listener; the accepted end gets `accept_flags`.
static void connect_pair(int listener, const struct sockaddr_in *address, int accept_flags,
                         int *client, int *server) {
  *client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (*client < 0) fail("socket");
  if (connect(*client, (const struct sockaddr *)address, sizeof *address) != 0) fail("connect");
  int on = 1;
  if (setsockopt(*client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) fail("setsockopt");
  *server = accept4(listener, NULL, NULL, SOCK_CLOEXEC | accept_flags);
  if (*server < 0) fail("accept4");
}

static struct fixture open_fixture(void) {
  struct fixture f = {0};
  f.idle = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  int full = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
  if (f.idle < 0 || full < 0) fail("eventfd");
  f.epoll_idle = watching(f.idle);
  f.epoll_ready = watching(full);
  struct sockaddr_in address;
  f.listener = listen_on_loopback(&address);
  connect_pair(f.listener, &address, 0, &f.client, &f.server);
  int other;
  connect_pair(f.listener, &address, SOCK_NONBLOCK, &other, &f.quiet);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) fail("pipe2");
  f.pipe_read = ends[0];
  f.pipe_write = ends[1];
  return f;
}

// ---- the run ---------------------------------------------------------------------------------

// Processor time: what else runs on the core is not in it.
static double now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

int main(int argc, char **argv) {
  static const struct option known[] = {{"iterations", required_argument, NULL, 'i'},
                                        {"repetitions", required_argument, NULL, 'r'},
                                        {"idle-thread", no_argument, NULL, 't'},
                                        {0}};
  int iterations = 20000;
  int repetitions = 15;
  for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
    if (option == '?') return 2;
    if (option == 'i') iterations = atoi(optarg);
    if (option == 'r') repetitions = atoi(optarg);
    if (option == 't') start_idle_thread();
  }
  if (iterations < 1 || repetitions < 1) {
    fprintf(stderr, "calls: both numbers must be at least 1\n");
    return 2;
  }
  struct fixture fixture = open_fixture();
  double least[PASSES] = {0};
  for (int repetition = 0; repetition < repetitions; repetition++) {
    for (size_t i = 0; i < PASSES; i++) {
      double start = now_ns();
      passes[i].run(&fixture, iterations);
      double each = (now_ns() - start) / iterations;
      if (repetition == 0 || each < least[i]) least[i] = each;
    }
  }
  for (size_t i = 0; i < PASSES; i++) {
    printf("%s\"%s\":%.1f", i == 0 ? "{" : ",", passes[i].name, least[i]);
  }
  printf("}\n");
  return 0;
}
