// How late a wait with a time limit ends in C: epoll_pwait2(2), with nothing in the set.
// `bench/probes/timer-accuracy.ts` asks the same of this library and of Node.
//
//   timer_accuracy [--timers N]
//
// Prints {"p50": us, "p99": us, "early": count}.

#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

static const int delays_ms[] = {1, 2, 5, 10};

static int64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int compare(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a;
  int64_t y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  int timers = 200;
  if (argc == 3 && strcmp(argv[1], "--timers") == 0) timers = atoi(argv[2]);
  if (timers < 1) return 2;
  int set = epoll_create1(EPOLL_CLOEXEC);
  int64_t *late = malloc((size_t)timers * sizeof *late);
  if (set < 0 || late == NULL) return 1;
  int early = 0;
  for (int i = 0; i < timers; i++) {
    int64_t delay_ns = delays_ms[i % 4] * 1000000;
    struct timespec limit = {.tv_nsec = delay_ns};
    struct epoll_event event;
    int64_t start = now_ns();
    if (epoll_pwait2(set, &event, 1, &limit, NULL) != 0) {
      perror("epoll_pwait2");
      return 1;
    }
    late[i] = now_ns() - start - delay_ns;
    if (late[i] < 0) early++;
  }
  qsort(late, (size_t)timers, sizeof *late, compare);
  double p50 = (double)late[timers / 2] / 1e3;
  double p99 = (double)late[(int)(timers * 0.99)] / 1e3;
  printf("{\"p50\":%.1f,\"p99\":%.1f,\"early\":%d}\n", p50, p99, early);
}
