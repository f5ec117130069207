// Latencies in log-linear buckets: below 2^(SUB_BITS+1) exact, above that 2^SUB_BITS buckets for
// each doubling, so a value is reported with an error under 0.2 %.

#include <inttypes.h>
#include <stdio.h>

#include "load.h"

enum { SUB_BITS = 8, SUB_COUNT = 1 << SUB_BITS, BUCKETS = (64 - SUB_BITS) * SUB_COUNT };

static uint64_t histogram[BUCKETS];

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

void record_latency(int64_t ns, size_t count) { histogram[bucket_of((uint64_t)ns)] += count; }

// [[nanoseconds,count],…]
void print_latencies(void) {
  printf("[");
  const char *separator = "";
  for (size_t bucket = 0; bucket < BUCKETS; bucket++) {
    if (histogram[bucket] == 0) continue;
    printf("%s[%" PRIu64 ",%" PRIu64 "]", separator, value_of(bucket), histogram[bucket]);
    separator = ",";
  }
  printf("]");
}
