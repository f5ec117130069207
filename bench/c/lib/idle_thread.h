// A second thread that sleeps. The kernel then counts references on every descriptor that a call
// names: a price that each call in a Node process pays, which has many threads, whoever makes it.
#pragma once

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void *sleep_forever(void *unused) {
  for (;;) pause();
  return unused;
}

static inline void start_idle_thread(void) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, sleep_forever, NULL) == 0) return;
  fprintf(stderr, "pthread_create failed\n");
  exit(1);
}
