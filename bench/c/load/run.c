// Connections, and the course of a run: warm-up, measured slice, the last answers.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

enum { MAX_EVENTS = 1024, TICK_MS = 50, FIRST_BATCH = 1, SOURCE_ADDRESSES = 200 };

enum phase { CONNECT, WARM_UP, MEASURE, DRAIN };

char *batch;
size_t batch_size;

static int epoll_fd;
static char read_buffer[READ_SIZE];
static enum phase phase = CONNECT;
static struct connection *connections;
static int64_t messages;       // completed since the beginning
static size_t batches_waited;  // connections with a batch under way
static size_t unserved;        // connections that have not had an answer yet
static size_t round_waited;    // traffic for all together: connections without the answer

// ---- sockets ---------------------------------------------------------------------------------

static void set_option(int fd, int level, int option, int value) {
  if (setsockopt(fd, level, option, &value, sizeof value) != 0)
    fail("setsockopt: %s", strerror(errno));
}

static socklen_t server_address(struct sockaddr_storage *storage) {
  memset(storage, 0, sizeof *storage);
  if (options.path != NULL) {
    struct sockaddr_un *address = (struct sockaddr_un *)storage;
    address->sun_family = AF_UNIX;
    if (strlen(options.path) >= sizeof address->sun_path) fail("--path is too long");
    strcpy(address->sun_path, options.path);
    return sizeof *address;
  }
  struct sockaddr_in *address = (struct sockaddr_in *)storage;
  address->sin_family = AF_INET;
  address->sin_port = htons((uint16_t)options.port);
  address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return sizeof *address;
}

// Connections that end in order leave their port in TIME_WAIT for a minute. Many addresses of the
// loopback network have many ports.
static void choose_source(int fd, uint32_t number) {
  set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  uint32_t host = INADDR_LOOPBACK + 256 + number % SOURCE_ADDRESSES;
  struct sockaddr_in source = {.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(host)}};
  if (bind(fd, (struct sockaddr *)&source, sizeof source) != 0) fail("bind: %s", strerror(errno));
}

// Connections that stay end by a reset once every answer is in, so that they leave nothing.
static void reset_on_close(int fd) {
  struct linger reset = {.l_onoff = 1, .l_linger = 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
}

static void await_greeting(int fd) {
  char hello;
  if (recv(fd, &hello, 1, 0) != 1) fail("the server did not greet: %s", strerror(errno));
}

static void watch(struct connection *connection, int operation) {
  struct epoll_event event = {.events = EPOLLIN | (connection->wants_write ? EPOLLOUT : 0u),
                              .data = {.ptr = connection}};
  if (epoll_ctl(epoll_fd, operation, connection->fd, &event) != 0) {
    fail("epoll_ctl: %s", strerror(errno));
  }
}

static void open_connection(struct connection *connection) {
  static uint32_t opened;
  struct sockaddr_storage address;
  socklen_t length = server_address(&address);
  int fd = socket(address.ss_family, options.traffic->socket_type | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket: %s", strerror(errno));
  bool tcp = options.path == NULL && options.traffic->socket_type == SOCK_STREAM;
  if (tcp && options.reconnect) choose_source(fd, opened++);
  if (connect(fd, (struct sockaddr *)&address, length) != 0) fail("connect: %s", strerror(errno));
  if (tcp) set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  if (tcp && !options.reconnect) reset_on_close(fd);
  if (options.traffic->greeted) await_greeting(fd);
  if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0) fail("fcntl: %s", strerror(errno));
  connection->fd = fd;
  connection->wants_write = false;
  connection->ended = false;
  watch(connection, EPOLL_CTL_ADD);
}

static void connect_all(void) {
  size_t count = (size_t)options.connections;
  connections = calloc(count, sizeof *connections);
  if (connections == NULL) fail("out of memory");
  for (size_t i = 0; i < count; i++) {
    connections[i].index = (uint32_t)i;
    open_connection(&connections[i]);
  }
}

static void close_all(void) {
  for (size_t i = 0; i < (size_t)options.connections; i++) {
    if (connections[i].fd >= 0) close(connections[i].fd);
    free(connections[i].partial);
  }
  free(connections);
  free(batch);
}

// ---- batches ---------------------------------------------------------------------------------

static void ask_for_write(struct connection *connection, bool wanted) {
  if (connection->wants_write == wanted) return;
  connection->wants_write = wanted;
  watch(connection, EPOLL_CTL_MOD);
}

static void send_rest(struct connection *connection) {
  options.traffic->stamp(connection);
  size_t left = batch_size - connection->sent;
  ssize_t sent = send(connection->fd, batch + connection->sent, left, MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN && errno != EINTR) fail("send: %s", strerror(errno));
  if (sent > 0) connection->sent += (size_t)sent;
  ask_for_write(connection, connection->sent < batch_size);
}

static void prepare_batch(struct connection *connection, int64_t now_ns) {
  connection->sequence++;
  connection->sent = 0;
  connection->received = 0;
  connection->answered = 0;
  connection->started_ns = now_ns;
}

static void start_batch(struct connection *connection, int64_t now_ns) {
  prepare_batch(connection, now_ns);
  send_rest(connection);
}

static void start_round(int64_t now_ns) {
  round_waited = (size_t)options.connections;
  for (size_t i = 0; i < round_waited; i++) prepare_batch(&connections[i], now_ns);
  send_rest(&connections[0]);
}

static void start_all(void) {
  int64_t now_ns = clock_ns(CLOCK_MONOTONIC);
  if (options.traffic->together) {
    start_round(now_ns);
    return;
  }
  for (size_t i = 0; i < (size_t)options.connections; i++) {
    start_batch(&connections[i], clock_ns(CLOCK_MONOTONIC));
  }
}

static void go_on(struct connection *connection, int64_t now_ns) {
  if (options.traffic->together) {
    if (--round_waited > 0) return;
    if (phase == DRAIN) {
      batches_waited = 0;
    } else {
      start_round(now_ns);
    }
  } else if (phase == DRAIN) {
    batches_waited--;
  } else {
    start_batch(connection, now_ns);
  }
}

static void count(const struct connection *connection, size_t completed, int64_t now_ns) {
  messages += (int64_t)completed;
  if (phase == MEASURE) record_latency(now_ns - connection->started_ns, completed);
}

static void end_batch(struct connection *connection, int64_t now_ns) {
  if (connection->sequence == FIRST_BATCH) unserved--;
  if (!options.reconnect) {
    go_on(connection, now_ns);
    return;
  }
  if (shutdown(connection->fd, SHUT_WR) != 0) fail("shutdown: %s", strerror(errno));
  connection->ended = true;
}

// The server has closed too: this was a whole connection. Its latency began with the connecting.
static void end_connection(struct connection *connection) {
  close(connection->fd);
  connection->fd = -1;
  int64_t now_ns = clock_ns(CLOCK_MONOTONIC);
  count(connection, connection->answered, now_ns);
  if (phase == DRAIN) {
    batches_waited--;
    return;
  }
  open_connection(connection);
  start_batch(connection, now_ns);
}

static void receive(struct connection *connection) {
  ssize_t length = recv(connection->fd, read_buffer, sizeof read_buffer, 0);
  if (length < 0) {
    if (errno == EAGAIN || errno == EINTR) return;
    fail("recv: %s", strerror(errno));
  }
  if (length == 0 && connection->ended) {
    end_connection(connection);
    return;
  }
  if (length == 0) fail("the server closed connection %u", connection->index);
  size_t completed = options.traffic->take(connection, read_buffer, (size_t)length);
  if (completed == 0) return;
  connection->answered += completed;
  int64_t now_ns = clock_ns(CLOCK_MONOTONIC);
  if (!options.reconnect) count(connection, completed, now_ns);
  if (connection->answered == (size_t)options.depth) end_batch(connection, now_ns);
}

// ---- the run ---------------------------------------------------------------------------------

// A slice goes on until there was at least one message, even if the machine stood still meanwhile:
// a cost per message needs one.
static bool slice_is_over(const struct sample *start, int64_t now_ns) {
  int64_t done = messages - start->messages;
  if (options.messages > 0) return done >= options.messages;
  return done > 0 && now_ns - start->now_ns >= options.measure_ms * 1000000;
}

static void serve_events(void) {
  struct epoll_event events[MAX_EVENTS];
  int ready = epoll_wait(epoll_fd, events, MAX_EVENTS, TICK_MS);
  if (ready < 0 && errno != EINTR) fail("epoll_wait: %s", strerror(errno));
  for (int i = 0; i < ready; i++) {
    struct connection *connection = events[i].data.ptr;
    if (connection->wants_write && (events[i].events & EPOLLOUT) != 0) send_rest(connection);
    if ((events[i].events & ~(uint32_t)EPOLLOUT) != 0) receive(connection);
  }
}

// Stays until it is told to end. Everybody who is connected has been served once.
static void hold(void) {
  alarm(0);
  printf("holding %lld connections\n", (long long)options.connections);
  fflush(stdout);
  for (;;) pause();
}

void run(struct sample *start, struct sample *end, int64_t *total) {
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_fd < 0) fail("epoll_create1: %s", strerror(errno));
  options.traffic->prepare();
  connect_all();
  int64_t warm_up_ns = 0;
  unserved = (size_t)options.connections;
  batches_waited = unserved;
  if (options.hold) phase = DRAIN;
  start_all();
  while (batches_waited > 0) {
    serve_events();
    int64_t now_ns = clock_ns(CLOCK_MONOTONIC);
    if (phase == CONNECT && unserved == 0) {
      warm_up_ns = now_ns;
      phase = WARM_UP;
    } else if (phase == WARM_UP && now_ns - warm_up_ns >= options.warmup_ms * 1000000) {
      *start = take_sample(messages);
      phase = MEASURE;
    } else if (phase == MEASURE && slice_is_over(start, now_ns)) {
      *end = take_sample(messages);
      phase = DRAIN;
    }
  }
  if (options.hold) hold();
  *total = messages;
  close_all();
}
