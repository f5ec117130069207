// The yardstick: a single-threaded, level-triggered epoll echo server in C, of the shape that
// epoll(7) shows and that the examples of this library have. It is meant to be an ordinary good
// loop, not a record: whatever is done here is done there, so that a difference between the two is
// the price of the binding.
//
//   echo_server [--host A] [--port N] [--path FILE] [--spin-us N] [--idle-thread]
//
// Two variants say what no loop in Node can beat. With `--spin-us` a wait asks again and again for
// that long before it blocks, as `spinUs` does; one that never blocked would take the core of all
// servers also while others are measured. `--idle-thread` has a second thread that sleeps, as every
// Node process has several: the kernel then counts references on each descriptor that a call names.

#include "lib/listening.h"
// after it: what it defines has a say in all system headers
#include "lib/idle_thread.h"

#include <sys/epoll.h>
#include <time.h>

enum { READ_SIZE = 64 * 1024, MAX_EVENTS = 1024 };

// What a connection has taken in and not yet given back. The table is indexed by descriptor.
struct connection {
  char *pending;  // NULL while everything has been sent
  size_t length;
  size_t offset;
};

struct server {
  struct place place;
  int epoll;
  int listener;
  struct connection *connections;
  size_t capacity;
  int64_t spin_ns;  // for how long a wait asks before it blocks
};

static char read_buffer[READ_SIZE];

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
  for (int fd; (fd = accept_next(server->listener, &server->place)) >= 0;) {
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

static int64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int wait_for(const struct server *server, struct epoll_event *events) {
  if (server->spin_ns > 0) {
    int64_t until_ns = now_ns() + server->spin_ns;
    do {
      int ready = epoll_wait(server->epoll, events, MAX_EVENTS, 0);
      if (ready != 0) return ready;
    } while (now_ns() < until_ns);
  }
  return epoll_wait(server->epoll, events, MAX_EVENTS, -1);
}

static void run(struct server *server) {
  struct epoll_event events[MAX_EVENTS];
  for (;;) {
    int ready = wait_for(server, events);
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

int main(int argc, char **argv) {
  raise_descriptor_limit();
  if (take_flag(&argc, argv, "--idle-thread")) start_idle_thread();
  struct server server = {.spin_ns = 1000 * (int64_t)take_number(&argc, argv, "--spin-us", 0),
                          .epoll = epoll_create1(EPOLL_CLOEXEC)};
  server.place = parse_place(argc, argv);
  if (server.epoll < 0) fail("epoll_create1");
  server.listener = listen_at(&server.place);
  set_interest(&server, EPOLL_CTL_ADD, server.listener, EPOLLIN);
  run(&server);
}
