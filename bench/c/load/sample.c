// What the server costs, as the kernel accounts for it, read at one moment.

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

// The kernel's Documentation/scheduler/sched-stats.rst: nanoseconds on the processor, nanoseconds
// waiting for it, times it ran.
static bool read_schedstat(const char *path, int64_t *cpu_ns, int64_t *wait_ns) {
  FILE *file = fopen(path, "re");
  if (file == NULL) return false;
  bool ok = fscanf(file, "%" SCNd64 " %" SCNd64, cpu_ns, wait_ns) == 2;
  fclose(file);
  return ok;
}

// proc_pid_status(5). One that has just ended has no file, and counts no more.
static void add_switches(const char *path, struct sample *sample) {
  FILE *file = fopen(path, "re");
  if (file == NULL) return;
  char line[256];
  int64_t count;
  while (fgets(line, sizeof line, file) != NULL) {
    if (sscanf(line, "voluntary_ctxt_switches: %" SCNd64, &count) == 1) {
      sample->server_switches += count;
    } else if (sscanf(line, "nonvoluntary_ctxt_switches: %" SCNd64, &count) == 1) {
      sample->server_preemptions += count;
    }
  }
  fclose(file);
}

static void sample_threads(pid_t pid, struct sample *sample) {
  char path[64 + 256];
  snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
  DIR *tasks = opendir(path);
  if (tasks == NULL) fail("the server is gone: %s", path);
  for (struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
    if (entry->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "/proc/%d/task/%s/status", (int)pid, entry->d_name);
    add_switches(path, sample);
  }
  closedir(tasks);
}

// What is not the first thread's is that of helpers, also of those that have ended.
static void sample_first_thread(pid_t pid, struct sample *sample) {
  char path[64];
  int64_t cpu_ns = 0;
  snprintf(path, sizeof path, "/proc/%d/task/%d/schedstat", (int)pid, (int)pid);
  read_schedstat(path, &cpu_ns, &sample->server_wait_ns);
  sample->server_helper_ns = sample->server_cpu_ns - cpu_ns;
}

// proc_pid_statm(5): pages; the second number is those that are resident.
static int64_t resident_bytes(pid_t pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
  FILE *file = fopen(path, "re");
  int64_t pages = 0;
  if (file == NULL || fscanf(file, "%*d %" SCNd64, &pages) != 1)
    fail("the server is gone: %s", path);
  fclose(file);
  return pages * sysconf(_SC_PAGESIZE);
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
  sample->server_resident_bytes = resident_bytes(pid);
  sample_first_thread(pid, sample);
  sample_threads(pid, sample);
}

struct sample take_sample(int64_t messages) {
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
