// What the servers in C have in common: their command line, and how they come to listen.
//
//   <program> [--host A] [--port N] [--path FILE]      port 0: the kernel chooses
//
// Each prints `listening on …` when it is ready. SIGTERM ends it (default action).
#pragma once

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 4096 };

struct place {
  const char *host;
  const char *path;  // a Unix socket; NULL: none
  uint16_t port;
};

static void fail(const char *what) {
  perror(what);
  exit(1);
}

// Whether an option of one program alone is there; takes it out of the command line.
static inline bool take_flag(int *argc, char **argv, const char *flag) {
  int kept = 1;
  for (int i = 1; i < *argc; i++) {
    if (strcmp(argv[i], flag) != 0) argv[kept++] = argv[i];
  }
  bool found = kept < *argc;
  *argc = kept;
  return found;
}

// The number behind an option of one program alone, or what is to be without it; takes both words
// out of the command line.
static inline long take_number(int *argc, char **argv, const char *option, long otherwise) {
  int kept = 1;
  for (int i = 1; i < *argc; i++) {
    if (strcmp(argv[i], option) == 0 && i + 1 < *argc) {
      otherwise = strtol(argv[++i], NULL, 10);
    } else {
      argv[kept++] = argv[i];
    }
  }
  *argc = kept;
  return otherwise;
}

static inline struct place parse_place(int argc, char **argv) {
  static const struct option known[] = {{"host", required_argument, NULL, 'h'},
                                        {"port", required_argument, NULL, 'p'},
                                        {"path", required_argument, NULL, 'u'},
                                        {0}};
  struct place place = {.host = "127.0.0.1"};
  long port = 0;
  for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
    if (option == '?') exit(2);
    if (option == 'h') place.host = optarg;
    if (option == 'p') port = strtol(optarg, NULL, 10);
    if (option == 'u') place.path = optarg;
  }
  if (port < 0 || port > UINT16_MAX) {
    fprintf(stderr, "port must be 0..65535\n");
    exit(2);
  }
  place.port = (uint16_t)port;
  return place;
}

// Node raises its own soft limit of descriptors to the hard one; so do these programs.
static inline void raise_descriptor_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

static inline void announce_port(int fd, const char *host) {
  struct sockaddr_in address;
  socklen_t length = sizeof address;
  if (getsockname(fd, (struct sockaddr *)&address, &length) != 0) fail("getsockname");
  printf("listening on %s:%u\n", host, ntohs(address.sin_port));
  fflush(stdout);
}

static inline int bound_to_port(const struct place *place, int type) {
  int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket");
  int on = 1;
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) fail("setsockopt");
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(place->port)};
  if (inet_pton(AF_INET, place->host, &address.sin_addr) != 1) {
    fprintf(stderr, "not an IPv4 address: %s\n", place->host);
    exit(2);
  }
  if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0) fail("bind");
  return fd;
}

static inline int bound_to_path(const char *path) {
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket");
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) {
    fprintf(stderr, "the path is too long: %s\n", path);
    exit(2);
  }
  strcpy(address.sun_path, path);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0) fail("bind");
  return fd;
}

// A stream socket that listens, announced.
static inline int listen_at(const struct place *place) {
  int fd = place->path == NULL ? bound_to_port(place, SOCK_STREAM) : bound_to_path(place->path);
  if (listen(fd, BACKLOG) != 0) fail("listen");
  if (place->path == NULL) {
    announce_port(fd, place->host);
  } else {
    printf("listening on %s\n", place->path);
    fflush(stdout);
  }
  return fd;
}

// The next connection, without Nagle's delay where it is TCP; -1: nobody waits.
static inline int accept_next(int listener, const struct place *place) {
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EAGAIN) return -1;
      if (errno == EINTR || errno == ECONNABORTED) continue;
      fail("accept4");
    }
    int on = 1;
    if (place->path == NULL && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) {
      fail("setsockopt");
    }
    return fd;
  }
}
