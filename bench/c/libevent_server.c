// Echo on libevent: an event for each descriptor, and reads and writes of our own in its callback,
// which is the faster of the two ways that libevent has (the other: bufferevents). Nothing is read
// while something waits to be written.
//
//   libevent_server [--host A] [--port N] [--path FILE]

#include "lib/listening.h"

#include <event2/event.h>

enum { READ_SIZE = 64 * 1024 };

static char buffer[READ_SIZE];
static struct place place;

struct connection {
  struct event *reading;
  struct event *writing;  // there while something is kept
  char *pending;
  size_t length;
  size_t offset;
};

static void close_connection(struct connection *connection, int fd) {
  event_free(connection->reading);
  if (connection->writing != NULL) event_free(connection->writing);
  free(connection->pending);
  free(connection);
  close(fd);
}

static int is_transient(void) { return errno == EAGAIN || errno == EINTR; }

static void on_writable(evutil_socket_t fd, short what, void *data) {
  (void)what;
  struct connection *connection = data;
  size_t left = connection->length - connection->offset;
  ssize_t sent = send(fd, connection->pending + connection->offset, left, MSG_NOSIGNAL);
  if (sent < 0) {
    if (!is_transient()) close_connection(connection, fd);
    return;
  }
  connection->offset += (size_t)sent;
  if (connection->offset < connection->length) return;
  event_free(connection->writing);
  free(connection->pending);
  connection->writing = NULL;
  connection->pending = NULL;
  event_add(connection->reading, NULL);
}

static void keep(struct connection *connection, int fd, const char *rest, size_t length) {
  connection->pending = malloc(length);
  if (connection->pending == NULL) fail("malloc");
  memcpy(connection->pending, rest, length);
  connection->length = length;
  connection->offset = 0;
  event_del(connection->reading);
  struct event_base *base = event_get_base(connection->reading);
  connection->writing = event_new(base, fd, EV_WRITE | EV_PERSIST, on_writable, connection);
  event_add(connection->writing, NULL);
}

static void on_readable(evutil_socket_t fd, short what, void *data) {
  (void)what;
  struct connection *connection = data;
  ssize_t received = recv(fd, buffer, sizeof buffer, 0);
  if (received <= 0) {
    if (received == 0 || !is_transient()) close_connection(connection, fd);
    return;
  }
  ssize_t sent = send(fd, buffer, (size_t)received, MSG_NOSIGNAL);
  if (sent < 0 && !is_transient()) {
    close_connection(connection, fd);
    return;
  }
  if (sent < 0) sent = 0;
  if (sent < received) keep(connection, fd, buffer + sent, (size_t)(received - sent));
}

static void on_connection(evutil_socket_t listener, short what, void *data) {
  (void)what;
  struct event_base *base = data;
  for (int fd; (fd = accept_next(listener, &place)) >= 0;) {
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL) fail("calloc");
    connection->reading = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, connection);
    event_add(connection->reading, NULL);
  }
}

int main(int argc, char **argv) {
  place = parse_place(argc, argv);
  raise_descriptor_limit();
  struct event_base *base = event_base_new();
  if (base == NULL) fail("event_base_new");
  int listener = listen_at(&place);
  struct event *accepting = event_new(base, listener, EV_READ | EV_PERSIST, on_connection, base);
  event_add(accepting, NULL);
  return event_base_dispatch(base);
}
