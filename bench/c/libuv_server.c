// Echo on libuv, the library under Node, as its guide does it, with the two savings that it offers:
// one read buffer for all, and uv_try_write before a write that has to be kept. Nothing is read
// while something waits to be written.
//
//   libuv_server [--host A] [--port N] [--path FILE]

#include "lib/listening.h"

#include <uv.h>

enum { READ_SIZE = 64 * 1024 };

static char buffer[READ_SIZE];

struct pending {
  uv_write_t request;
  char bytes[];
};

static void check_uv(int answer, const char *what) {
  if (answer >= 0) return;
  fprintf(stderr, "%s: %s\n", what, uv_strerror(answer));
  exit(1);
}

static void on_closed(uv_handle_t *handle) { free(handle); }

static void give_buffer(uv_handle_t *handle, size_t wanted, uv_buf_t *given) {
  (void)handle;
  (void)wanted;
  *given = uv_buf_init(buffer, sizeof buffer);
}

static void on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *read);

static void on_written(uv_write_t *request, int status) {
  uv_stream_t *stream = request->handle;
  free(request);
  if (status == 0) {
    uv_read_start(stream, give_buffer, on_read);
  } else if (!uv_is_closing((uv_handle_t *)stream)) {
    uv_close((uv_handle_t *)stream, on_closed);
  }
}

static void write_later(uv_stream_t *stream, const char *rest, size_t length) {
  struct pending *pending = malloc(sizeof *pending + length);
  if (pending == NULL) fail("malloc");
  memcpy(pending->bytes, rest, length);
  uv_buf_t bytes = uv_buf_init(pending->bytes, (unsigned)length);
  uv_read_stop(stream);
  check_uv(uv_write(&pending->request, stream, &bytes, 1, on_written), "uv_write");
}

static void on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *read) {
  if (length < 0) {
    uv_close((uv_handle_t *)stream, on_closed);
    return;
  }
  if (length == 0) return;
  uv_buf_t bytes = uv_buf_init(read->base, (unsigned)length);
  int sent = uv_try_write(stream, &bytes, 1);
  if (sent == UV_EAGAIN) sent = 0;
  if (sent < 0) {
    uv_close((uv_handle_t *)stream, on_closed);
  } else if (sent < length) {
    write_later(stream, read->base + sent, (size_t)(length - sent));
  }
}

static void on_tcp_connection(uv_stream_t *server, int status) {
  check_uv(status, "connection");
  uv_tcp_t *client = malloc(sizeof *client);
  if (client == NULL) fail("malloc");
  uv_tcp_init(server->loop, client);
  check_uv(uv_accept(server, (uv_stream_t *)client), "uv_accept");
  uv_tcp_nodelay(client, 1);
  uv_read_start((uv_stream_t *)client, give_buffer, on_read);
}

static void on_pipe_connection(uv_stream_t *server, int status) {
  check_uv(status, "connection");
  uv_pipe_t *client = malloc(sizeof *client);
  if (client == NULL) fail("malloc");
  uv_pipe_init(server->loop, client, 0);
  check_uv(uv_accept(server, (uv_stream_t *)client), "uv_accept");
  uv_read_start((uv_stream_t *)client, give_buffer, on_read);
}

static void listen_on_port(uv_loop_t *loop, const struct place *place) {
  static uv_tcp_t server;
  struct sockaddr_in address;
  int fd;
  uv_tcp_init(loop, &server);
  check_uv(uv_ip4_addr(place->host, place->port, &address), "address");
  check_uv(uv_tcp_bind(&server, (const struct sockaddr *)&address, 0), "uv_tcp_bind");
  check_uv(uv_listen((uv_stream_t *)&server, BACKLOG, on_tcp_connection), "uv_listen");
  check_uv(uv_fileno((uv_handle_t *)&server, &fd), "uv_fileno");
  announce_port(fd, place->host);
}

static void listen_on_path(uv_loop_t *loop, const char *path) {
  static uv_pipe_t server;
  uv_pipe_init(loop, &server, 0);
  check_uv(uv_pipe_bind(&server, path), "uv_pipe_bind");
  check_uv(uv_listen((uv_stream_t *)&server, BACKLOG, on_pipe_connection), "uv_listen");
  printf("listening on %s\n", path);
  fflush(stdout);
}

int main(int argc, char **argv) {
  struct place place = parse_place(argc, argv);
  raise_descriptor_limit();
  uv_loop_t *loop = uv_default_loop();
  if (place.path == NULL) {
    listen_on_port(loop, &place);
  } else {
    listen_on_path(loop, place.path);
  }
  return uv_run(loop, UV_RUN_DEFAULT);
}
