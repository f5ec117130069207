// What one epoll_wait(2) costs in C, with one descriptor ready beside ever more that are idle:
// `bench/probes/wait-cost.ts` in the same way, with the same sets. One descriptor may be in many
// sets: so all of them exist at once, and are measured in turn.
//
//   wait_cost [--rounds N]
//
// Prints {"<idle>": ns, …}, of each the median of the rounds.

#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>

enum { SIZES = 5, ROUNDS_MAX = 101, ROUND_NS = 20 * 1000 * 1000, MAX_EVENTS = 8 };

static const int idle[SIZES] = {10, 100, 1000, 10000, 19900};

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static int64_t clock_ns(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void raise_descriptor_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

static void add(int set, int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data = {.fd = fd}};
  if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
}

// The cost is processor time: no wait blocks, and what else runs on the core is not in it. Whether
// the round is over is asked of a clock that costs next to nothing.
static double one_round(int set) {
  struct epoll_event events[MAX_EVENTS];
  int64_t start = clock_ns(CLOCK_MONOTONIC);
  int64_t cpu_start = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
  int64_t waits = 0;
  do {
    for (int i = 0; i < 8; i++) {
      if (epoll_wait(set, events, MAX_EVENTS, -1) != 1) fail("epoll_wait");
    }
    waits += 8;
  } while (clock_ns(CLOCK_MONOTONIC) - start < ROUND_NS);
  return (double)(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_start) / (double)waits;
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a;
  double y = *(const double *)b;
  return (x > y) - (x < y);
}

// How many of the sizes the limit of descriptors has room for.
static int fill(int *sets) {
  int ready = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
  if (ready < 0) fail("eventfd");
  for (int i = 0; i < SIZES; i++) {
    sets[i] = epoll_create1(EPOLL_CLOEXEC);
    if (sets[i] < 0) fail("epoll_create1");
    add(sets[i], ready);
  }
  for (int count = 0; count < idle[SIZES - 1]; count++) {
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd < 0 && errno != EMFILE) fail("eventfd");
    int fitting = 0;
    while (fitting < SIZES && idle[fitting] <= count) fitting++;
    if (fd < 0) return fitting;
    for (int i = fitting; i < SIZES; i++) add(sets[i], fd);
  }
  return SIZES;
}

int main(int argc, char **argv) {
  int rounds = 15;
  if (argc == 3 && strcmp(argv[1], "--rounds") == 0) rounds = atoi(argv[2]);
  if (rounds < 1 || rounds > ROUNDS_MAX) return 2;
  raise_descriptor_limit();
  int sets[SIZES];
  int sizes = fill(sets);
  static double costs[SIZES][ROUNDS_MAX];
  for (int i = 0; i < sizes; i++) one_round(sets[i]);
  for (int round = 0; round < rounds; round++) {
    for (int i = 0; i < sizes; i++) costs[i][round] = one_round(sets[i]);
  }
  printf("{");
  for (int i = 0; i < sizes; i++) {
    qsort(costs[i], (size_t)rounds, sizeof(double), compare);
    printf("%s\"%d\":%.1f", i > 0 ? "," : "", idle[i], costs[i][rounds / 2]);
  }
  printf("}\n");
}
