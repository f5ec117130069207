{
  "variables": {
    # node-gyp rebuild --sanitize=address,undefined | thread
    "sanitize%": "",
    # node-gyp rebuild --werror=1: what CI builds with
    "werror%": "0"
  },
  "targets": [
    {
      "target_name": "raw_epoll",
      "sources": [
        "native/addon.cc",
        "native/core/arguments.cc",
        "native/core/blocking_call.cc",
        "native/core/blocking_wait.cc",
        "native/core/channel.cc",
        "native/core/channel_shares.cc",
        "native/core/environment.cc",
        "native/core/errno_names.cc",
        "native/core/message_queue.cc",
        "native/core/ready_flag.cc",
        "native/core/set_wait.cc",
        "native/core/signal_pipe.cc",
        "native/core/socket_address.cc",
        "native/core/wait_arguments.cc",
        "native/core/wake_registry.cc",
        "native/sys/channel.cc",
        "native/sys/constants.cc",
        "native/sys/descriptor.cc",
        "native/sys/epoll.cc",
        "native/sys/errno.cc",
        "native/sys/eventfd.cc",
        "native/sys/frame.cc",
        "native/sys/functions.cc",
        "native/sys/kqueue.cc",
        "native/sys/layout.cc",
        "native/sys/poll.cc",
        "native/sys/poller.cc",
        "native/sys/poller_kqueue.cc",
        "native/sys/message.cc",
        "native/sys/mmsg.cc",
        "native/sys/multicast.cc",
        "native/sys/notify.cc",
        "native/sys/signal.cc",
        "native/sys/socket.cc",
        "native/sys/timerfd.cc",
        "native/sys/transfer.cc",
        "native/sys/wake.cc",
        "native/uv/functions.cc",
        "native/uv/host_callback.cc",
        "native/uv/host_watch.cc",
        "native/uv/libuv.cc",
        "native/uv/thread_watch.cc",
        "native/uv/uv_watch.cc"
      ],
      "include_dirs": ["native", "<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=8", "NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS"],
      "cflags": ["-Wall", "-Wextra", "-Wconversion"],
      "cflags_cc": ["-std=c++17", "-fvisibility=hidden"],
      "conditions": [
        # The library must stay mapped: loaded only in a worker it would be unmapped at
        # the worker's end, under any signal handler or thread of ours.
        ["OS=='linux'", { "ldflags": ["-Wl,-z,nodelete"] }],
        ["OS=='mac'", {
          "xcode_settings": {
            "CLANG_CXX_LANGUAGE_STANDARD": "c++17",
            "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
            "MACOSX_DEPLOYMENT_TARGET": "11.0"
          }
        }],
        ["werror==1", { "cflags": ["-Werror"] }],
        ["sanitize!=''", {
          "cflags": ["-fsanitize=<(sanitize)", "-fno-omit-frame-pointer", "-g", "-O1"],
          "ldflags": ["-fsanitize=<(sanitize)"]
        }]
      ]
    }
  ]
}
