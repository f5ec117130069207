// Requests of HTTP/1.1 on connections that persist, as many in a row as `--depth` says. The answer
// has to be 200, with a body of the length that it announces, and every body of a run has to be the
// first one again, byte for byte.

#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "load.h"

enum { HEAD_MAX = 16 * 1024 };

// An answer whose head was read with care: the next one most likely has the same form, since
// nothing but the date in it changes. Then a look at a few places tells as much as reading it.
static struct {
  size_t head;  // bytes up to and with the empty line; 0: none yet
  size_t body;
} usual;

static char *expected_body;
static size_t expected_length;

static void prepare(void) {
  static const char form[] = "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
  char request[1024];
  int length = snprintf(request, sizeof request, form, options.target);
  if (length < 0 || (size_t)length >= sizeof request) fail("--target is too long");
  batch_size = (size_t)length * (size_t)options.depth;
  batch = malloc(batch_size);
  if (batch == NULL) fail("out of memory");
  for (int64_t i = 0; i < options.depth; i++) memcpy(batch + i * length, request, (size_t)length);
}

static void stamp(const struct connection *connection) { (void)connection; }

// Whether a head is there that looks like the usual one.
static bool is_usual(const char *bytes, size_t length) {
  return usual.head > 0 && length >= usual.head && memcmp(bytes, "HTTP/1.1 200 ", 13) == 0 &&
         memcmp(bytes + usual.head - 4, "\r\n\r\n", 4) == 0;
}

// The value of a field in a head that ends with a zero byte; NULL: there is none.
static const char *field(const char *head, const char *name) {
  const char *line = strcasestr(head, name);
  return line == NULL ? NULL : line + strlen(name);
}

// Reads a head. False: its end has not come yet.
static bool read_head(const char *bytes, size_t length) {
  const char *end = memmem(bytes, length, "\r\n\r\n", 4);
  if (end == NULL) {
    if (length > HEAD_MAX) fail("the head of an answer has no end");
    return false;
  }
  char head[HEAD_MAX];
  usual.head = (size_t)(end - bytes) + 4;
  if (usual.head >= sizeof head) fail("the head of an answer is too long");
  memcpy(head, bytes, usual.head);
  head[usual.head] = '\0';
  if (strncmp(head, "HTTP/1.1 200 ", 13) != 0) fail("not a good answer:\n%s", head);
  const char *announced = field(head, "\r\nContent-Length:");
  if (announced == NULL) fail("an answer without Content-Length:\n%s", head);
  usual.body = strtoul(announced, NULL, 10);
  return true;
}

static void check_body(const struct connection *connection, const char *body, size_t length) {
  if (expected_body == NULL) {
    expected_body = malloc(length + 1);
    if (expected_body == NULL) fail("out of memory");
    memcpy(expected_body, body, length);
    expected_length = length;
  }
  if (length != expected_length || memcmp(body, expected_body, length) != 0) {
    fail("connection %u: the body differs from the first one", connection->index);
  }
}

// The length of the answer that begins here; 0: it is not complete.
static size_t answer_length(const struct connection *connection, const char *bytes, size_t length) {
  if (!is_usual(bytes, length) && !read_head(bytes, length)) return 0;
  size_t whole = usual.head + usual.body;
  if (length < whole) return 0;
  check_body(connection, bytes + usual.head, usual.body);
  return whole;
}

static void keep(struct connection *connection, const char *rest, size_t length) {
  if (length == 0) return;
  char *partial = realloc(connection->partial, connection->partial_length + length);
  if (partial == NULL) fail("out of memory");
  memcpy(partial + connection->partial_length, rest, length);
  connection->partial = partial;
  connection->partial_length += length;
}

static size_t take_answers(struct connection *connection, const char *bytes, size_t length,
                           size_t *used) {
  size_t answers = 0;
  *used = 0;
  for (size_t step; (step = answer_length(connection, bytes + *used, length - *used)) > 0;) {
    *used += step;
    answers++;
  }
  if (connection->answered + answers > (size_t)options.depth) {
    fail("connection %u: more answers than requests", connection->index);
  }
  return answers;
}

static size_t take(struct connection *connection, const char *bytes, size_t length) {
  size_t used;
  connection->received += length;
  if (connection->partial_length == 0) {
    size_t answers = take_answers(connection, bytes, length, &used);
    keep(connection, bytes + used, length - used);
    return answers;
  }
  keep(connection, bytes, length);
  size_t answers = take_answers(connection, connection->partial, connection->partial_length, &used);
  connection->partial_length -= used;
  memmove(connection->partial, connection->partial + used, connection->partial_length);
  return answers;
}

const struct traffic http_traffic = {
    .name = "http", .socket_type = SOCK_STREAM, .prepare = prepare, .stamp = stamp, .take = take};
