// inotify_init1(2), inotify_add_watch(2), inotify_rm_watch(2), pidfd_open(2): what happens to files
// and processes, as descriptors.
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>

#include "core/arguments.h"
#include "core/errno_result.h"
#include "core/new_descriptor.h"
#include "sys/functions.h"

#ifdef __linux__
#include <sys/inotify.h>
#include <sys/syscall.h>
#endif

namespace raw_epoll {

namespace {

#ifdef __linux__

// ts/descriptor/inotify-events.ts reads it so.
static_assert(offsetof(inotify_event, wd) == 0 && offsetof(inotify_event, mask) == 4 &&
              offsetof(inotify_event, cookie) == 8 && offsetof(inotify_event, len) == 12 &&
              sizeof(inotify_event) == 16);

template <Ownership kOwnership>
napi_value InotifyInit1(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 1);
  const int flags = args.Int(0, "flags");
  if (args.failed()) return nullptr;
  const int64_t fd = ResultOrErrno(::inotify_init1(flags));
  return args.Answer(NewDescriptor<kOwnership>(args.environment(), fd));
}

napi_value InotifyAddWatch(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 3);
  const int fd = args.Int(0, "fd");
  const std::string path = args.TextOf(args.value(1), "path");
  const uint32_t mask = args.Mask(2, "mask");
  if (!args.failed() && path.find('\0') != std::string::npos) {
    args.ThrowRange("path", "without a zero byte", args.value(1));
  }
  if (args.failed()) return nullptr;
  return args.Answer(ResultOrErrno(::inotify_add_watch(fd, path.c_str(), mask)));
}

napi_value InotifyRmWatch(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 2);
  const int fd = args.Int(0, "fd");
  const int wd = args.Int(1, "wd");
  if (args.failed()) return nullptr;
  return args.Answer(ResultOrErrno(::inotify_rm_watch(fd, wd)));
}

#ifdef SYS_pidfd_open
int64_t OpenPidfd(int pid, uint32_t flags) {
  return ResultOrErrno(::syscall(SYS_pidfd_open, pid, flags));
}
#else
int64_t OpenPidfd(int, uint32_t) { return -ENOSYS; }
#endif

template <Ownership kOwnership>
napi_value PidfdOpen(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 2);
  const int pid = args.Int(0, "pid");
  const uint32_t flags = args.Mask(1, "flags");
  if (args.failed()) return nullptr;
  return args.Answer(NewDescriptor<kOwnership>(args.environment(), OpenPidfd(pid, flags)));
}

#else

template <Ownership kOwnership>
constexpr napi_callback InotifyInit1 = NotHere;
constexpr napi_callback InotifyAddWatch = NotHere;
constexpr napi_callback InotifyRmWatch = NotHere;
template <Ownership kOwnership>
constexpr napi_callback PidfdOpen = NotHere;

#endif

}  // namespace

FunctionList NotifyFunctions() {
  return {{"inotify_init1", InotifyInit1<Ownership::kNobody>},
          {"inotify_add_watch", InotifyAddWatch},
          {"inotify_rm_watch", InotifyRmWatch},
          {"pidfd_open", PidfdOpen<Ownership::kNobody>}};
}

FunctionList OwnedNotifyFunctions() {
  return {{"inotify_init1", InotifyInit1<Ownership::kOwned>},
          {"pidfd_open", PidfdOpen<Ownership::kOwned>}};
}

}  // namespace raw_epoll
