// The yardstick: a single-threaded, level-triggered epoll echo server in C, of the shape that
// epoll(7) shows and that the examples of this library have. It is meant to be an ordinary good
// loop, not a record: whatever is done here is done there, so that a difference between the two is
// the price of the binding.
//
//   echo_server [--host A] [--port N]      port 0: the kernel chooses
//
// Prints `listening on A:PORT` when it is ready. SIGTERM ends it (default action).

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_SIZE = 64 * 1024, MAX_EVENTS = 1024, BACKLOG = 4096 };

// What a connection has taken in and not yet given back. The table is indexed by descriptor.
struct connection {
  char *pending;  // NULL while everything has been sent
  size_t length;
  size_t offset;
};

struct server {
  int epoll;
  int listener;
  struct connection *connections;
  size_t capacity;
};

static char read_buffer[READ_SIZE];

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void set_interest(struct server *server, int operation, int fd, uint32_t events) {
  struct epoll_event event = {.events = events, .data = {.fd = fd}};
  if (epoll_ctl(server->epoll, operation, fd, &event) != 0) fail("epoll_ctl");
}

static void make_room_for(struct server *server, int fd) {
  size_t needed = (size_t)fd + 1;
  if (needed <= server->capacity) return;
  size_t capacity = server->capacity * 2 > needed ? server->capacity * 2 : needed;
  struct connection *grown = realloc(server->connections, capacity * sizeof *grown);
  if (grown == NULL) fail("realloc");
  memset(grown + server->capacity, 0, (capacity - server->capacity) * sizeof *grown);
  server->connections = grown;
  server->capacity = capacity;
}

static void accept_all(struct server *server) {
  for (;;) {
    int fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EAGAIN) return;
      if (errno == EINTR || errno == ECONNABORTED) continue;
      fail("accept4");
    }
    int on = 1;
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) fail("setsockopt");
    make_room_for(server, fd);
    set_interest(server, EPOLL_CTL_ADD, fd, EPOLLIN);
  }
}

static void close_connection(struct server *server, int fd) {
  struct connection *connection = &server->connections[fd];
  free(connection->pending);
  *connection = (struct connection){0};
  close(fd);  // the only descriptor of this socket, so closing it also takes it out of the set
}

// Keeps what the kernel did not take, and stops reading until it is gone: back pressure.
static void keep_pending(struct server *server, int fd, const char *rest, size_t length) {
  struct connection *connection = &server->connections[fd];
  connection->pending = malloc(length);
  if (connection->pending == NULL) fail("malloc");
  memcpy(connection->pending, rest, length);
  connection->length = length;
  connection->offset = 0;
  set_interest(server, EPOLL_CTL_MOD, fd, EPOLLOUT);
}

// True for an answer that says "later". Everything else ends the connection.
static int is_transient(void) { return errno == EAGAIN || errno == EINTR; }

// One recv and one send for each event: level-triggered readiness reports what is left.
static void echo(struct server *server, int fd) {
  ssize_t received = recv(fd, read_buffer, sizeof read_buffer, 0);
  if (received <= 0) {
    if (received == 0 || !is_transient()) close_connection(server, fd);
    return;
  }
  ssize_t sent = send(fd, read_buffer, (size_t)received, MSG_NOSIGNAL);
  if (sent < 0) {
    if (!is_transient()) {
      close_connection(server, fd);
      return;
    }
    sent = 0;
  }
  if (sent < received) keep_pending(server, fd, read_buffer + sent, (size_t)(received - sent));
}

static void flush_pending(struct server *server, int fd) {
  struct connection *connection = &server->connections[fd];
  size_t left = connection->length - connection->offset;
  ssize_t sent = send(fd, connection->pending + connection->offset, left, MSG_NOSIGNAL);
  if (sent < 0) {
    if (!is_transient()) close_connection(server, fd);
    return;
  }
  connection->offset += (size_t)sent;
  if (connection->offset < connection->length) return;
  free(connection->pending);
  *connection = (struct connection){0};
  set_interest(server, EPOLL_CTL_MOD, fd, EPOLLIN);
}

static void run(struct server *server) {
  struct epoll_event events[MAX_EVENTS];
  for (;;) {
    int ready = epoll_wait(server->epoll, events, MAX_EVENTS, -1);
    if (ready < 0) {
      if (errno == EINTR) continue;
      fail("epoll_wait");
    }
    for (int i = 0; i < ready; i++) {
      int fd = events[i].data.fd;
      if (fd == server->listener) {
        accept_all(server);
      } else if (server->connections[fd].pending != NULL) {
        flush_pending(server, fd);
      } else {
        echo(server, fd);
      }
    }
  }
}

static int listen_on(const char *host, uint16_t port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket");
  int on = 1;
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) fail("setsockopt");
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  if (inet_pton(AF_INET, host, &address.sin_addr) != 1) {
    fprintf(stderr, "echo_server: not an IPv4 address: %s\n", host);
    exit(2);
  }
  if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0) fail("bind");
  if (listen(fd, BACKLOG) != 0) fail("listen");
  socklen_t length = sizeof address;
  if (getsockname(fd, (struct sockaddr *)&address, &length) != 0) fail("getsockname");
  printf("listening on %s:%u\n", host, ntohs(address.sin_port));
  fflush(stdout);
  return fd;
}

// Node raises its own soft limit of descriptors to the hard one; so does this program.
static void raise_descriptor_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv) {
  static const struct option known[] = {
      {"host", required_argument, NULL, 'h'}, {"port", required_argument, NULL, 'p'}, {0}};
  const char *host = "127.0.0.1";
  long port = 0;
  for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
    if (option == '?') return 2;
    if (option == 'h') host = optarg;
    if (option == 'p') port = strtol(optarg, NULL, 10);
  }
  if (port < 0 || port > UINT16_MAX) {
    fprintf(stderr, "echo_server: port must be 0..65535\n");
    return 2;
  }
  raise_descriptor_limit();
  struct server server = {.epoll = epoll_create1(EPOLL_CLOEXEC)};
  if (server.epoll < 0) fail("epoll_create1");
  server.listener = listen_on(host, (uint16_t)port);
  set_interest(&server, EPOLL_CTL_ADD, server.listener, EPOLLIN);
  run(&server);
}
