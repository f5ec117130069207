// The load generator: one thread, one epoll set, N connections to an echo server on 127.0.0.1.
// Each connection sends a message, reads it back whole, checks it, and sends the next one. With
// `--depth D` it sends D messages in one go and waits for all of them.
//
//   load --port N [--connections N] [--size BYTES] [--depth D] [--warmup-ms T]
//        [--measure-ms T | --messages N] [--server-pid P] [--server-log FILE]
//
// The warm-up begins when every connection has had its first answer. After it comes the measured
// slice: a time, or a number of messages. The cost of the server is read here, at the very moments
// at which the slice begins and ends, so that no delay of another process is in it. `--server-log`
// is the file that the server writes to: its size at both moments is reported, which tells the
// caller what was written during the slice.
//
// Prints one line of JSON. Exit code 1: the server answered wrongly or not at all; 2: usage.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MAX_EVENTS = 1024, MAX_BATCH = 64 * 1024 * 1024, READ_SIZE = 256 * 1024 };
enum { FIRST_BATCH = 1 };
enum { GRACE_SECONDS = 20, MESSAGES_LIMIT_SECONDS = 120, TICK_MS = 50 };

struct options {
  int64_t port, connections, size, depth, warmup_ms, measure_ms, messages, server_pid;
  const char *server_log;
};

struct connection {
  int fd;
  bool wants_write;
  uint32_t index;
  uint64_t sequence;  // number of the batch that is under way
  size_t sent;
  size_t received;
  int64_t started_ns;
};

// Log-linear buckets: below 2^(SUB_BITS+1) exact, above that 2^SUB_BITS buckets for each doubling,
// so a value is reported with an error under 0.2 %.
enum { SUB_BITS = 8, SUB_COUNT = 1 << SUB_BITS, BUCKETS = (64 - SUB_BITS) * SUB_COUNT };

// Everything that is read at the start and at the end of the measured slice.
struct sample {
  int64_t now_ns;
  int64_t messages;
  int64_t server_cpu_ns;     // all threads of the server, living and ended
  int64_t server_helper_ns;  // the part of threads other than the first
  int64_t server_wait_ns;    // the first thread: ready to run, but not running
  int64_t load_cpu_ns;
  int64_t load_wait_ns;
  int64_t log_bytes;
};

enum phase { CONNECT, WARM_UP, MEASURE, DRAIN };

static struct options options = {
    .connections = 1, .size = 64, .depth = 1, .warmup_ms = 200, .measure_ms = 500};
static int epoll_fd;
static size_t batch_size;
static char *batch;  // what every connection sends; the stamps are written before each send
static char read_buffer[READ_SIZE];
static uint64_t histogram[BUCKETS];
static enum phase phase = CONNECT;
static int64_t messages;       // completed since the beginning
static size_t batches_waited;  // connections with a batch under way
static size_t unserved;        // connections that have not had an answer yet

__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("load: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  exit(1);
}

static int64_t clock_ns(clockid_t clock) {
  struct timespec time;
  if (clock_gettime(clock, &time) != 0) fail("clock_gettime: %s", strerror(errno));
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

// ---- latencies -------------------------------------------------------------------------------

static size_t bucket_of(uint64_t value) {
  if (value < 2 * SUB_COUNT) return (size_t)value;
  int shift = 63 - __builtin_clzll(value) - SUB_BITS;
  return (size_t)shift * SUB_COUNT + (size_t)(value >> shift);
}

// The middle of a bucket.
static uint64_t value_of(size_t bucket) {
  if (bucket < 2 * SUB_COUNT) return bucket;
  int shift = (int)(bucket / SUB_COUNT) - 1;
  uint64_t low = (uint64_t)(bucket - (size_t)shift * SUB_COUNT) << shift;
  return low + ((UINT64_C(1) << shift) >> 1);
}

// ---- what the server costs -------------------------------------------------------------------

// The kernel's Documentation/scheduler/sched-stats.rst: nanoseconds on the processor, nanoseconds
// waiting for it, times it ran.
static bool read_schedstat(const char *path, int64_t *cpu_ns, int64_t *wait_ns) {
  FILE *file = fopen(path, "re");
  if (file == NULL) return false;
  bool ok = fscanf(file, "%" SCNd64 " %" SCNd64, cpu_ns, wait_ns) == 2;
  fclose(file);
  return ok;
}

static void sample_threads(pid_t pid, struct sample *sample) {
  char path[64 + 256];
  snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
  DIR *tasks = opendir(path);
  if (tasks == NULL) fail("the server is gone: %s", path);
  for (struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
    if (entry->d_name[0] == '.') continue;
    int64_t cpu_ns = 0;
    int64_t wait_ns = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", (int)pid, entry->d_name);
    if (!read_schedstat(path, &cpu_ns, &wait_ns)) continue;  // a thread that has just ended
    if (atoi(entry->d_name) == (int)pid) {
      sample->server_wait_ns = wait_ns;
    } else {
      sample->server_helper_ns += cpu_ns;
    }
  }
  closedir(tasks);
}

// The processor time comes from the process's CPU clock: the same account as the sum of
// task/*/schedstat, but brought up to date for a thread that is running at this moment (the file
// lags by up to a timer tick) and including threads that have ended.
static void sample_server(struct sample *sample) {
  pid_t pid = (pid_t)options.server_pid;
  if (pid == 0) return;
  clockid_t clock;
  int error = clock_getcpuclockid(pid, &clock);
  if (error != 0) fail("the server is gone: %s", strerror(error));
  sample->server_cpu_ns = clock_ns(clock);
  sample_threads(pid, sample);
}

static struct sample take_sample(void) {
  struct sample sample = {.messages = messages};
  sample_server(&sample);
  sample.load_cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
  int64_t ignored;
  read_schedstat("/proc/self/schedstat", &ignored, &sample.load_wait_ns);
  struct stat status;
  if (options.server_log != NULL && stat(options.server_log, &status) == 0) {
    sample.log_bytes = status.st_size;
  }
  sample.now_ns = clock_ns(CLOCK_MONOTONIC);
  return sample;
}

// ---- messages --------------------------------------------------------------------------------

// First and last byte of a message differ between neighbours in time and between connections, so
// an answer that belongs to another message or another connection is noticed.
static char first_stamp(const struct connection *connection, size_t message) {
  return (char)(connection->sequence + message);
}

static char last_stamp(const struct connection *connection, size_t message) {
  return (char)(connection->index * 7 + connection->sequence + message + 1);
}

static void stamp_batch(const struct connection *connection) {
  size_t size = (size_t)options.size;
  for (size_t message = 0; message < (size_t)options.depth; message++) {
    batch[message * size] = first_stamp(connection, message);
    batch[(message + 1) * size - 1] = last_stamp(connection, message);
  }
}

// Checks the stamps that lie in `length` bytes that follow `connection->received`.
static void check_stamps(const struct connection *connection, size_t length) {
  size_t size = (size_t)options.size;
  size_t from = connection->received;
  size_t to = from + length;
  for (size_t message = from / size; message * size < to; message++) {
    size_t first = message * size;
    size_t last = first + size - 1;
    bool wrong = false;
    if (first >= from && size > 1) {
      wrong = read_buffer[first - from] != first_stamp(connection, message);
    }
    if (last >= from && last < to) {
      wrong = wrong || read_buffer[last - from] != last_stamp(connection, message);
    }
    if (wrong) fail("connection %u: answer differs from what was sent", connection->index);
  }
}

static void ask_for_write(struct connection *connection, bool wanted) {
  if (connection->wants_write == wanted) return;
  connection->wants_write = wanted;
  struct epoll_event event = {.events = EPOLLIN | (wanted ? EPOLLOUT : 0u),
                              .data = {.ptr = connection}};
  if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, connection->fd, &event) != 0) fail("epoll_ctl");
}

static void send_rest(struct connection *connection) {
  stamp_batch(connection);
  size_t left = batch_size - connection->sent;
  ssize_t sent = send(connection->fd, batch + connection->sent, left, MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN && errno != EINTR) fail("send: %s", strerror(errno));
  if (sent > 0) connection->sent += (size_t)sent;
  ask_for_write(connection, connection->sent < batch_size);
}

static void start_batch(struct connection *connection, int64_t now_ns) {
  connection->sequence++;
  connection->sent = 0;
  connection->received = 0;
  connection->started_ns = now_ns;
  send_rest(connection);
}

static void receive(struct connection *connection) {
  ssize_t length = recv(connection->fd, read_buffer, sizeof read_buffer, 0);
  if (length < 0) {
    if (errno == EAGAIN || errno == EINTR) return;
    fail("recv: %s", strerror(errno));
  }
  if (length == 0) fail("the server closed connection %u", connection->index);
  if ((size_t)length > connection->sent - connection->received) {
    fail("connection %u: more bytes came back than were sent", connection->index);
  }
  check_stamps(connection, (size_t)length);
  size_t before = connection->received / (size_t)options.size;
  connection->received += (size_t)length;
  size_t completed = connection->received / (size_t)options.size - before;
  if (completed == 0) return;
  int64_t now_ns = clock_ns(CLOCK_MONOTONIC);
  messages += (int64_t)completed;
  if (phase == MEASURE) {
    histogram[bucket_of((uint64_t)(now_ns - connection->started_ns))] += completed;
  }
  if (connection->received < batch_size) return;
  if (connection->sequence == FIRST_BATCH) unserved--;
  if (phase == DRAIN) {
    batches_waited--;
  } else {
    start_batch(connection, now_ns);
  }
}

// ---- the run ---------------------------------------------------------------------------------

static void connect_one(struct connection *connection, uint32_t index) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket: %s", strerror(errno));
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)options.port),
                                .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
  if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
    fail("connect: %s", strerror(errno));
  }
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // Ended by a reset once every answer is in: thousands of connections a minute from one address
  // would otherwise fill the table of local ports with TIME_WAIT.
  struct linger reset = {.l_onoff = 1, .l_linger = 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0) fail("fcntl: %s", strerror(errno));
  *connection = (struct connection){.fd = fd, .index = index};
  struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = connection}};
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl: %s", strerror(errno));
}

static struct connection *connect_all(void) {
  size_t count = (size_t)options.connections;
  struct connection *connections = calloc(count, sizeof *connections);
  batch_size = (size_t)(options.size * options.depth);
  batch = malloc(batch_size);
  if (connections == NULL || batch == NULL) fail("out of memory");
  memset(batch, 'x', batch_size);
  for (size_t i = 0; i < count; i++) connect_one(&connections[i], (uint32_t)i);
  return connections;
}

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

static void run(struct connection *connections, struct sample *start, struct sample *end) {
  int64_t warm_up_ns = 0;
  unserved = (size_t)options.connections;
  batches_waited = unserved;
  for (size_t i = 0; i < batches_waited; i++) {
    start_batch(&connections[i], clock_ns(CLOCK_MONOTONIC));
  }
  while (batches_waited > 0) {
    serve_events();
    int64_t now_ns = clock_ns(CLOCK_MONOTONIC);
    if (phase == CONNECT && unserved == 0) {
      warm_up_ns = now_ns;
      phase = WARM_UP;
    } else if (phase == WARM_UP && now_ns - warm_up_ns >= options.warmup_ms * 1000000) {
      *start = take_sample();
      phase = MEASURE;
    } else if (phase == MEASURE && slice_is_over(start, now_ns)) {
      *end = take_sample();
      phase = DRAIN;
    }
  }
}

static void print_report(const struct sample *start, const struct sample *end) {
  printf("{\"messages\":%" PRId64, end->messages - start->messages);
  printf(",\"ns\":%" PRId64, end->now_ns - start->now_ns);
  printf(",\"serverCpuNs\":%" PRId64, end->server_cpu_ns - start->server_cpu_ns);
  printf(",\"serverHelperNs\":%" PRId64, end->server_helper_ns - start->server_helper_ns);
  printf(",\"serverWaitNs\":%" PRId64, end->server_wait_ns - start->server_wait_ns);
  printf(",\"loadCpuNs\":%" PRId64, end->load_cpu_ns - start->load_cpu_ns);
  printf(",\"loadWaitNs\":%" PRId64, end->load_wait_ns - start->load_wait_ns);
  printf(",\"logFrom\":%" PRId64 ",\"logTo\":%" PRId64, start->log_bytes, end->log_bytes);
  printf(",\"latencies\":[");
  const char *separator = "";
  for (size_t bucket = 0; bucket < BUCKETS; bucket++) {
    if (histogram[bucket] == 0) continue;
    printf("%s[%" PRIu64 ",%" PRIu64 "]", separator, value_of(bucket), histogram[bucket]);
    separator = ",";
  }
  printf("]}\n");
}

// ---- command line ----------------------------------------------------------------------------

static int64_t number(const char *text, int64_t low, int64_t high) {
  char *end;
  errno = 0;
  int64_t value = strtoll(text, &end, 10);
  if (errno != 0 || *end != '\0' || end == text || value < low || value > high) {
    fprintf(stderr, "load: %s is not a number in %" PRId64 "..%" PRId64 "\n", text, low, high);
    exit(2);
  }
  return value;
}

static void parse(int argc, char **argv) {
  static const struct option known[] = {
      {"port", required_argument, NULL, 'p'},       {"connections", required_argument, NULL, 'c'},
      {"size", required_argument, NULL, 's'},       {"depth", required_argument, NULL, 'd'},
      {"warmup-ms", required_argument, NULL, 'w'},  {"measure-ms", required_argument, NULL, 'm'},
      {"messages", required_argument, NULL, 'n'},   {"server-pid", required_argument, NULL, 'P'},
      {"server-log", required_argument, NULL, 'l'}, {0}};
  for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
    switch (option) {
      case 'p':
        options.port = number(optarg, 1, UINT16_MAX);
        break;
      case 'c':
        options.connections = number(optarg, 1, 100000);
        break;
      case 's':
        options.size = number(optarg, 1, MAX_BATCH);
        break;
      case 'd':
        options.depth = number(optarg, 1, 1024);
        break;
      case 'w':
        options.warmup_ms = number(optarg, 0, 60000);
        break;
      case 'm':
        options.measure_ms = number(optarg, 1, 60000);
        break;
      case 'n':
        options.messages = number(optarg, 1, INT32_MAX);
        break;
      case 'P':
        options.server_pid = number(optarg, 1, INT32_MAX);
        break;
      case 'l':
        options.server_log = optarg;
        break;
      default:
        exit(2);
    }
  }
  if (options.port == 0 || options.size * options.depth > MAX_BATCH) {
    fprintf(stderr, "load: --port is needed, and size * depth may be at most %d\n", MAX_BATCH);
    exit(2);
  }
}

static void on_alarm(int signal) {
  (void)signal;
  static const char text[] = "load: the run did not end in time\n";
  if (write(STDERR_FILENO, text, sizeof text - 1) < 0) _exit(1);
  _exit(1);
}

// However the server behaves, this program ends.
static void limit_run_time(void) {
  int64_t expected_ms = options.warmup_ms + options.measure_ms;
  int64_t seconds = options.messages > 0 ? MESSAGES_LIMIT_SECONDS : expected_ms / 1000;
  signal(SIGALRM, on_alarm);
  alarm((unsigned)(seconds + GRACE_SECONDS));
}

// Node raises its own soft limit of descriptors to the hard one; so does this program.
static void raise_descriptor_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv) {
  parse(argc, argv);
  limit_run_time();
  raise_descriptor_limit();
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_fd < 0) fail("epoll_create1: %s", strerror(errno));
  struct connection *connections = connect_all();
  struct sample start = {0};
  struct sample end = {0};
  run(connections, &start, &end);
  print_report(&start, &end);
  for (size_t i = 0; i < (size_t)options.connections; i++) close(connections[i].fd);
  free(connections);
  free(batch);
  return 0;
}
