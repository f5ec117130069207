// HTTP as cheap as it can be had: the end of each request is looked for, and the same answer sent
// for each. It is no server, but a ceiling for servers: it reads no method, no path and no field,
// has no bounds and no answer for what is wrong. Same loop as echo_server.c.
//
//   http_server [--host A] [--port N] [--body-bytes N] [--close]
//
// With `--close` a connection is closed after its answer: for clients of HTTP/1.0, which `ab` is.

#include "lib/listening.h"

#include <stdbool.h>
#include <sys/epoll.h>

enum { READ_SIZE = 64 * 1024, MAX_EVENTS = 1024, PIPELINED_MAX = 1024, UNREAD_MAX = 4096 };

// What of a request has come whose end has not.
struct connection {
  char bytes[UNREAD_MAX];
  size_t length;
};

static struct connection **connections;  // by descriptor
static int connection_capacity;
static char *answers;  // PIPELINED_MAX times the same
static size_t answer_length;
static bool closes;

static void make_answers(size_t body_bytes) {
  char head[256];
  int head_length =
      snprintf(head, sizeof head,
               "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n"
               "%s\r\n",
               body_bytes, closes ? "Connection: close\r\n" : "");
  answer_length = (size_t)head_length + body_bytes;
  answers = malloc(answer_length * PIPELINED_MAX);
  if (answers == NULL) fail("malloc");
  for (size_t i = 0; i < PIPELINED_MAX; i++) {
    char *answer = answers + i * answer_length;
    memcpy(answer, head, (size_t)head_length);
    memset(answer + head_length, 'x', body_bytes);
    if (body_bytes == 5) memcpy(answer + head_length, "Hello", 5);
  }
}

static struct connection *connection_of(int fd) {
  if (fd >= connection_capacity) {
    int capacity = 2 * fd + 64;
    connections = realloc(connections, (size_t)capacity * sizeof *connections);
    if (connections == NULL) fail("realloc");
    for (int i = connection_capacity; i < capacity; i++) connections[i] = NULL;
    connection_capacity = capacity;
  }
  return connections[fd];
}

static void close_connection(int fd) {
  free(connection_of(fd));
  connections[fd] = NULL;
  close(fd);
}

// Counts the requests that end in `bytes`; `rest` is what is left behind the last one.
static size_t requests_in(const char *bytes, size_t length, const char **rest) {
  size_t requests = 0;
  const char *from = bytes;
  for (const char *end; (end = memmem(from, length - (size_t)(from - bytes), "\r\n\r\n", 4));) {
    from = end + 4;
    requests++;
  }
  *rest = from;
  return requests;
}

// Answers are small: one that finds no room belongs to a client that does not read.
static bool answer(int fd, size_t requests) {
  while (requests > 0) {
    size_t now = requests < PIPELINED_MAX ? requests : PIPELINED_MAX;
    size_t length = now * answer_length;
    if (send(fd, answers, length, MSG_NOSIGNAL) != (ssize_t)length) return false;
    requests -= now;
  }
  return !closes;
}

static bool keep(int fd, const char *rest, size_t length) {
  if (length == 0) return true;
  if (length > UNREAD_MAX) return false;
  struct connection *connection = connection_of(fd);
  if (connection == NULL) connection = connections[fd] = malloc(sizeof *connection);
  if (connection == NULL) fail("malloc");
  memmove(connection->bytes, rest, length);
  connection->length = length;
  return true;
}

static void serve(int fd) {
  static char buffer[UNREAD_MAX + READ_SIZE];
  struct connection *connection = connection_of(fd);
  size_t unread = connection == NULL ? 0 : connection->length;
  if (unread > 0) memcpy(buffer, connection->bytes, unread);
  ssize_t received = recv(fd, buffer + unread, READ_SIZE, 0);
  if (received < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (received <= 0) {
    close_connection(fd);
    return;
  }
  const char *rest;
  size_t length = unread + (size_t)received;
  size_t requests = requests_in(buffer, length, &rest);
  if (connection != NULL) connection->length = 0;
  bool stays = requests == 0 || answer(fd, requests);
  if (!stays || !keep(fd, rest, length - (size_t)(rest - buffer))) close_connection(fd);
}

static void watch(int epoll, int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data = {.fd = fd}};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
}

static void run(int epoll, int listener, const struct place *place) {
  struct epoll_event events[MAX_EVENTS];
  for (;;) {
    int ready = epoll_wait(epoll, events, MAX_EVENTS, -1);
    if (ready < 0 && errno != EINTR) fail("epoll_wait");
    for (int i = 0; i < ready; i++) {
      int fd = events[i].data.fd;
      if (fd != listener) {
        serve(fd);
        continue;
      }
      while ((fd = accept_next(listener, place)) >= 0) watch(epoll, fd);
    }
  }
}

int main(int argc, char **argv) {
  closes = take_flag(&argc, argv, "--close");
  make_answers((size_t)take_number(&argc, argv, "--body-bytes", 5));
  struct place place = parse_place(argc, argv);
  raise_descriptor_limit();
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) fail("epoll_create1");
  int listener = listen_at(&place);
  watch(epoll, listener);
  run(epoll, listener, &place);
}
