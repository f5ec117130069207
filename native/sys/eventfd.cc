// eventfd(2), and eventfd_read and eventfd_write of glibc.
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/arguments.h"
#include "core/blocking_call.h"
#include "core/errno_result.h"
#include "core/new_descriptor.h"
#include "sys/functions.h"

#ifdef __linux__
#include <sys/eventfd.h>
#endif

namespace raw_epoll {

namespace {

#ifdef __linux__
int64_t Create(uint32_t initval, int flags) { return ResultOrErrno(::eventfd(initval, flags)); }
#else
int64_t Create(uint32_t, int) { return -ENOSYS; }
#endif

template <Ownership kOwnership>
napi_value Eventfd(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 2);
  const uint32_t initval = args.Uint32(0, "initval");
  const int flags = args.Int(1, "flags");
  if (args.failed()) return nullptr;
  return args.Answer(NewDescriptor<kOwnership>(args.environment(), Create(initval, flags)));
}

// Both answer 0 like glibc's, not the eight bytes that moved. Fewer: that was no eventfd.
int64_t ZeroIfWhole(int64_t result) {
  if (result < 0) return result;
  return result == sizeof(uint64_t) ? 0 : -EINVAL;
}

napi_value EventfdRead(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 2);
  const int fd = args.Int(0, "fd");
  const Slice value = args.TypedArray(1, "value", napi_biguint64_array, 1);
  if (args.failed()) return nullptr;
  uint64_t count = 0;
  const iovec part{&count, sizeof count};
  const int64_t result = WaitsInSlices(args.environment(), fd)
                             ? ReadInSlices(args.environment(), fd, &part, 1)
                             : ResultOrErrno(::read(fd, &count, sizeof count));
  if (result == sizeof count) std::memcpy(value.data, &count, sizeof count);
  return args.Answer(ZeroIfWhole(result));
}

napi_value EventfdWrite(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 2);
  const int fd = args.Int(0, "fd");
  uint64_t value = args.Uint64(1, "value");
  if (args.failed()) return nullptr;
  const iovec part{&value, sizeof value};
  const int64_t result = WaitsInSlices(args.environment(), fd)
                             ? WriteInSlices(args.environment(), fd, &part, 1)
                             : ResultOrErrno(::write(fd, &value, sizeof value));
  return args.Answer(ZeroIfWhole(result));
}

}  // namespace

FunctionList EventfdFunctions() {
  return {{"eventfd", Eventfd<Ownership::kNobody>},
          {"eventfd_read", EventfdRead},
          {"eventfd_write", EventfdWrite}};
}

FunctionList OwnedEventfdFunctions() { return {{"eventfd", Eventfd<Ownership::kOwned>}}; }

}  // namespace raw_epoll
