// The load generator: one thread, one epoll set, N connections to a server on the loopback
// interface. Each connection sends a message, takes the whole answer, checks it, and sends the next
// one. With `--depth D` it sends D messages in one go and waits for all the answers.
//
//   load --port N | --path FILE [--traffic echo|datagrams|broadcast|http] [--target PATH]
//        [--connections N] [--size BYTES] [--depth D] [--reconnect] [--hold]
//        [--warmup-ms T] [--measure-ms T | --messages N] [--server-pid P] [--server-log FILE]
//   load --sample --server-pid P [--server-log FILE]
//
// `echo`: what was sent comes back. `datagrams`: the same over UDP. `broadcast`: the first
// connection sends, every connection gets it, and only when all have got it comes the next one; a
// message is one that was received. `http`: requests. With `--reconnect` every batch has a
// connection of its own: connect, send, take the answer, close, wait until the server has closed.
// With `--hold` each connection sends one batch; then the program prints a line and keeps them open
// until it is told to end.
//
// The warm-up begins when every connection has had its first answer. After it comes the measured
// slice: a time, or a number of messages. The cost of the server is read here, at the very moments
// at which the slice begins and ends, so that no delay of another process is in it. `--server-log`
// is the file that the server writes to: its size at both moments is reported, which tells the
// caller what was written during the slice.
//
// With `--sample` there is no load: what a server has cost so far is printed, for the sake of those who
// put it under a load of another program.
//
// Prints one line of JSON. Exit code 1: the server answered wrongly or not at all; 2: usage.

#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

enum { GRACE_SECONDS = 60, MESSAGES_LIMIT_SECONDS = 600 };

struct options options = {.traffic = &echo_traffic,
                          .target = "/",
                          .connections = 1,
                          .size = 64,
                          .depth = 1,
                          .warmup_ms = 200,
                          .measure_ms = 500};

void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("load: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  exit(1);
}

int64_t clock_ns(int clock) {
  struct timespec time;
  if (clock_gettime(clock, &time) != 0) fail("clock_gettime: %s", strerror(errno));
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

// ---- the report ------------------------------------------------------------------------------

static void print_number(const char *name, int64_t value) {
  printf("\"%s\":%" PRId64 ",", name, value);
}

static void print_report(const struct sample *start, const struct sample *end, int64_t total) {
  printf("{");
  print_number("messages", end->messages - start->messages);
  print_number("total", total);
  print_number("ns", end->now_ns - start->now_ns);
  print_number("serverCpuNs", end->server_cpu_ns - start->server_cpu_ns);
  print_number("serverHelperNs", end->server_helper_ns - start->server_helper_ns);
  print_number("serverWaitNs", end->server_wait_ns - start->server_wait_ns);
  print_number("serverSwitches", end->server_switches - start->server_switches);
  print_number("serverPreemptions", end->server_preemptions - start->server_preemptions);
  print_number("serverResidentBytes", end->server_resident_bytes);
  print_number("loadCpuNs", end->load_cpu_ns - start->load_cpu_ns);
  print_number("loadWaitNs", end->load_wait_ns - start->load_wait_ns);
  print_number("logFrom", start->log_bytes);
  print_number("logTo", end->log_bytes);
  printf("\"latencies\":");
  print_latencies();
  printf("}\n");
}

static void print_sample(const struct sample *sample) {
  printf("{");
  print_number("cpuNs", sample->server_cpu_ns);
  print_number("helperNs", sample->server_helper_ns);
  print_number("waitNs", sample->server_wait_ns);
  print_number("switches", sample->server_switches);
  print_number("preemptions", sample->server_preemptions);
  print_number("logBytes", sample->log_bytes);
  printf("\"residentBytes\":%" PRId64 "}\n", sample->server_resident_bytes);
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

static const struct traffic *traffic_named(const char *name) {
  static const struct traffic *const all[] = {&echo_traffic, &datagram_traffic, &broadcast_traffic,
                                              &http_traffic};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    if (strcmp(all[i]->name, name) == 0) return all[i];
  }
  fprintf(stderr, "load: there is no traffic %s\n", name);
  exit(2);
}

static void set(int option) {
  switch (option) {
    case 'p': options.port = number(optarg, 1, UINT16_MAX); break;
    case 'u': options.path = optarg; break;
    case 't': options.traffic = traffic_named(optarg); break;
    case 'T': options.target = optarg; break;
    case 'c': options.connections = number(optarg, 1, 100000); break;
    case 's': options.size = number(optarg, 1, MAX_BATCH); break;
    case 'd': options.depth = number(optarg, 1, 1024); break;
    case 'r': options.reconnect = true; break;
    case 'h': options.hold = true; break;
    case 'S': options.sample = true; break;
    case 'w': options.warmup_ms = number(optarg, 0, 60000); break;
    case 'm': options.measure_ms = number(optarg, 1, 60000); break;
    case 'n': options.messages = number(optarg, 1, INT32_MAX); break;
    case 'P': options.server_pid = number(optarg, 1, INT32_MAX); break;
    case 'l': options.server_log = optarg; break;
    default: exit(2);
  }
}

static void parse(int argc, char **argv) {
  static const struct option known[] = {{"port", required_argument, NULL, 'p'},
                                        {"path", required_argument, NULL, 'u'},
                                        {"traffic", required_argument, NULL, 't'},
                                        {"target", required_argument, NULL, 'T'},
                                        {"connections", required_argument, NULL, 'c'},
                                        {"size", required_argument, NULL, 's'},
                                        {"depth", required_argument, NULL, 'd'},
                                        {"reconnect", no_argument, NULL, 'r'},
                                        {"hold", no_argument, NULL, 'h'},
                                        {"sample", no_argument, NULL, 'S'},
                                        {"warmup-ms", required_argument, NULL, 'w'},
                                        {"measure-ms", required_argument, NULL, 'm'},
                                        {"messages", required_argument, NULL, 'n'},
                                        {"server-pid", required_argument, NULL, 'P'},
                                        {"server-log", required_argument, NULL, 'l'},
                                        {0}};
  for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) set(option);
  if (options.sample && options.server_pid == 0) {
    fprintf(stderr, "load: --sample needs --server-pid\n");
    exit(2);
  }
  if (!options.sample && options.port == 0 && options.path == NULL) {
    fprintf(stderr, "load: --port or --path is needed\n");
    exit(2);
  }
  if (options.size * options.depth > MAX_BATCH) {
    fprintf(stderr, "load: size * depth may be at most %d\n", MAX_BATCH);
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
  if (options.sample) {
    struct sample now = take_sample(0);
    print_sample(&now);
    return 0;
  }
  limit_run_time();
  raise_descriptor_limit();
  struct sample start = {0};
  struct sample end = {0};
  int64_t total = 0;
  run(&start, &end, &total);
  print_report(&start, &end, total);
  return 0;
}
