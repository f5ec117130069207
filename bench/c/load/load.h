// The load generator: what its files share. main.c says what it does.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { MAX_BATCH = 64 * 1024 * 1024, READ_SIZE = 256 * 1024 };

struct connection {
  int fd;
  bool wants_write;
  bool ended;  // everything was answered and we have sent our end; the server's is awaited
  uint32_t index;
  uint64_t sequence;  // number of the batch that is under way
  size_t sent;        // bytes of the batch
  size_t received;    // bytes of the answers to it
  size_t answered;    // messages of the batch whose answer is complete
  int64_t started_ns;
  char *partial;  // HTTP: the beginning of an answer whose end has not come yet
  size_t partial_length;
};

// What goes over the connections: how a batch is made, and how its answers are checked.
struct traffic {
  const char *name;
  int socket_type;
  // The server says hello with one byte, so that nobody is connected before it knows.
  bool greeted;
  // One batch for all: the first connection sends, and every connection gets the answer.
  bool together;
  void (*prepare)(void);
  void (*stamp)(const struct connection *connection);
  // Checks bytes that have come, and says how many messages are complete with them.
  size_t (*take)(struct connection *connection, const char *bytes, size_t length);
};

extern const struct traffic echo_traffic, datagram_traffic, http_traffic, broadcast_traffic;

struct options {
  const struct traffic *traffic;
  const char *path;        // a Unix socket; NULL: TCP or UDP
  const char *target;      // HTTP: what is asked for
  const char *server_log;  // NULL: none
  int64_t port, connections, size, depth, warmup_ms, measure_ms, messages, server_pid;
  bool reconnect;  // a connection for each batch
  bool hold;       // one batch on each connection, then nothing until SIGTERM
  bool sample;     // no load, only what a server has cost so far
};

extern struct options options;

// What every connection sends; the stamps are written before each send. `prepare` makes it.
extern char *batch;
extern size_t batch_size;

// ---- run.c: connections and the course of a run
// Everything that is read at the start and at the end of the measured slice.
struct sample {
  int64_t now_ns;
  int64_t messages;
  int64_t server_cpu_ns;       // all threads of the server, living and ended
  int64_t server_helper_ns;    // the part of threads other than the first, living and ended
  int64_t server_wait_ns;      // the first thread: ready to run, but not running
  int64_t server_switches;     // of all threads: it had to wait for something
  int64_t server_preemptions;  // of all threads: something else was to run
  int64_t server_resident_bytes;
  int64_t load_cpu_ns;
  int64_t load_wait_ns;
  int64_t log_bytes;
};

// Runs to the end of the slice. `total` is all messages from the first to the last.
void run(struct sample *start, struct sample *end, int64_t *total);

// ---- sample.c
struct sample take_sample(int64_t messages);

// ---- histogram.c
void record_latency(int64_t ns, size_t count);
void print_latencies(void);

// ---- main.c
__attribute__((noreturn, format(printf, 1, 2))) void fail(const char *format, ...);
int64_t clock_ns(int clock);
