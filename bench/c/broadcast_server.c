// What one client sends, every client gets. A new client is greeted with one byte, so that it knows
// when it belongs to them; one that does not read is dropped rather than waited for.
//
//   broadcast_server [--host A] [--port N] [--path FILE]

#include "lib/listening.h"

#include <sys/epoll.h>

enum { READ_SIZE = 64 * 1024, MAX_EVENTS = 1024 };

static int *clients;  // descriptors, without gaps
static size_t client_count;
static size_t client_capacity;
static char buffer[READ_SIZE];

static void add_client(int epoll, int fd) {
  if (client_count == client_capacity) {
    client_capacity = 2 * client_capacity + 64;
    clients = realloc(clients, client_capacity * sizeof *clients);
    if (clients == NULL) fail("realloc");
  }
  clients[client_count++] = fd;
  struct epoll_event event = {.events = EPOLLIN, .data = {.fd = fd}};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
  if (send(fd, "+", 1, MSG_NOSIGNAL) != 1) fail("send");
}

// One that was dropped earlier in the same batch of events is not among them any more.
static void drop_client(int fd) {
  size_t at = 0;
  while (at < client_count && clients[at] != fd) at++;
  if (at == client_count) return;
  clients[at] = clients[--client_count];
  close(fd);
}

static void broadcast(size_t length) {
  for (size_t i = client_count; i-- > 0;) {
    int fd = clients[i];
    if (send(fd, buffer, length, MSG_NOSIGNAL) != (ssize_t)length) drop_client(fd);
  }
}

static void receive(int fd) {
  ssize_t length = recv(fd, buffer, sizeof buffer, 0);
  if (length > 0) {
    broadcast((size_t)length);
  } else if (length == 0 || (errno != EAGAIN && errno != EINTR)) {
    drop_client(fd);
  }
}

int main(int argc, char **argv) {
  struct place place = parse_place(argc, argv);
  raise_descriptor_limit();
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) fail("epoll_create1");
  int listener = listen_at(&place);
  struct epoll_event event = {.events = EPOLLIN, .data = {.fd = listener}};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) != 0) fail("epoll_ctl");
  struct epoll_event events[MAX_EVENTS];
  for (;;) {
    int ready = epoll_wait(epoll, events, MAX_EVENTS, -1);
    if (ready < 0 && errno != EINTR) fail("epoll_wait");
    for (int i = 0; i < ready; i++) {
      int fd = events[i].data.fd;
      if (fd == listener) {
        while ((fd = accept_next(listener, &place)) >= 0) add_client(epoll, fd);
      } else {
        receive(fd);
      }
    }
  }
}
