// Traffic that comes back as it was sent: over a stream, as datagrams, and to everybody.

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "load.h"

// Of a message up to this length every byte is checked, always. Of longer ones every byte of the
// first batch, and then the first and the last: comparing them all would cost more than they do.
enum { CHECKED_WHOLE = 4096, FIRST_BATCH = 1 };

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

// First and last byte of a message differ between neighbours in time and between connections, so
// an answer that belongs to another message or another connection is noticed.
static char first_stamp(const struct connection *connection, size_t message) {
  return (char)(connection->sequence + message);
}

static char last_stamp(const struct connection *connection, size_t message) {
  uint32_t sender = options.traffic->together ? 0 : connection->index;
  return (char)(sender * 7 + connection->sequence + message + 1);
}

static void prepare(void) {
  size_t size = (size_t)options.size;
  batch_size = size * (size_t)options.depth;
  batch = malloc(batch_size);
  if (batch == NULL) fail("out of memory");
  for (size_t i = 0; i < batch_size; i++) batch[i] = (char)(i % size * 31 + 7);
}

static void stamp(const struct connection *connection) {
  size_t size = (size_t)options.size;
  for (size_t message = 0; message < (size_t)options.depth; message++) {
    batch[message * size] = first_stamp(connection, message);
    batch[(message + 1) * size - 1] = last_stamp(connection, message);
  }
}

// What is between the stamps is the same in all messages.
static bool is_inside_right(const char *bytes, size_t from, size_t to, size_t message) {
  size_t size = (size_t)options.size;
  size_t begin = message * size + 1;
  size_t end = (message + 1) * size - 1;
  if (begin < from) begin = from;
  end = smaller(end, to);
  return begin >= end || memcmp(bytes + (begin - from), batch + begin, end - begin) == 0;
}

// `bytes` are those of the batch in `from`…`to`; the message lies at least in part in them.
static bool is_right(const struct connection *connection, const char *bytes, size_t from, size_t to,
                     size_t message) {
  size_t size = (size_t)options.size;
  size_t first = message * size;
  size_t last = first + size - 1;
  if (first >= from && size > 1 && bytes[first - from] != first_stamp(connection, message)) {
    return false;
  }
  if (last >= from && last < to && bytes[last - from] != last_stamp(connection, message)) {
    return false;
  }
  bool whole = size <= CHECKED_WHOLE || connection->sequence == FIRST_BATCH;
  return !whole || is_inside_right(bytes, from, to, message);
}

static size_t take(struct connection *connection, const char *bytes, size_t length) {
  size_t size = (size_t)options.size;
  size_t from = connection->received;
  size_t to = from + length;
  if (to > (options.traffic->together ? batch_size : connection->sent)) {
    fail("connection %u: more bytes came than were sent", connection->index);
  }
  for (size_t message = from / size; message * size < to; message++) {
    if (!is_right(connection, bytes, from, to, message)) {
      fail("connection %u: the answer differs from what was sent", connection->index);
    }
  }
  connection->received = to;
  return to / size - from / size;
}

// A datagram is a message: one that was cut, or joined with another, is wrong.
static size_t take_datagram(struct connection *connection, const char *bytes, size_t length) {
  if (length != (size_t)options.size) {
    fail("connection %u: a datagram of %zu bytes came back", connection->index, length);
  }
  return take(connection, bytes, length);
}

const struct traffic echo_traffic = {
    .name = "echo", .socket_type = SOCK_STREAM, .prepare = prepare, .stamp = stamp, .take = take};

const struct traffic datagram_traffic = {.name = "datagrams",
                                         .socket_type = SOCK_DGRAM,
                                         .prepare = prepare,
                                         .stamp = stamp,
                                         .take = take_datagram};

const struct traffic broadcast_traffic = {.name = "broadcast",
                                          .socket_type = SOCK_STREAM,
                                          .greeted = true,
                                          .together = true,
                                          .prepare = prepare,
                                          .stamp = stamp,
                                          .take = take};
