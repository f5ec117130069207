// How soon one thread wakes another in C: each waits in epoll_wait(2) for an eventfd of its own,
// and writes to the other's. `bench/probes/wake.ts` does the same through this library and through
// Node.
//
//   wake [--rounds N]
//
// Prints {"p50": us, "p99": us}: half of a round trip.

#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { WARM_UP = 200 };

struct end {
  int set;
  int own;
};

static struct end ends[2];
static int total;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static int64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void open_end(struct end *end) {
  end->set = epoll_create1(EPOLL_CLOEXEC);
  end->own = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN};
  if (end->set < 0 || end->own < 0) fail("open");
  if (epoll_ctl(end->set, EPOLL_CTL_ADD, end->own, &event) != 0) fail("epoll_ctl");
}

static void wait_for_wake(const struct end *end) {
  struct epoll_event event;
  uint64_t count;
  if (epoll_wait(end->set, &event, 1, -1) != 1) fail("epoll_wait");
  if (read(end->own, &count, sizeof count) != sizeof count) fail("read");
}

static void wake(const struct end *end) {
  uint64_t one = 1;
  if (write(end->own, &one, sizeof one) != sizeof one) fail("write");
}

static void *answer(void *unused) {
  for (int i = 0; i < total; i++) {
    wait_for_wake(&ends[1]);
    wake(&ends[0]);
  }
  return unused;
}

static int compare(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a;
  int64_t y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  int rounds = 2000;
  if (argc == 3 && strcmp(argv[1], "--rounds") == 0) rounds = atoi(argv[2]);
  if (rounds < 1) return 2;
  total = rounds + WARM_UP;
  open_end(&ends[0]);
  open_end(&ends[1]);
  int64_t *halves = malloc((size_t)rounds * sizeof *halves);
  pthread_t thread;
  if (halves == NULL || pthread_create(&thread, NULL, answer, NULL) != 0) fail("start");
  for (int i = 0; i < total; i++) {
    int64_t start = now_ns();
    wake(&ends[1]);
    wait_for_wake(&ends[0]);
    if (i >= WARM_UP) halves[i - WARM_UP] = (now_ns() - start) / 2;
  }
  pthread_join(thread, NULL);
  qsort(halves, (size_t)rounds, sizeof *halves, compare);
  double p50 = (double)halves[rounds / 2] / 1e3;
  double p99 = (double)halves[(int)(rounds * 0.99)] / 1e3;
  printf("{\"p50\":%.2f,\"p99\":%.2f}\n", p50, p99);
}
