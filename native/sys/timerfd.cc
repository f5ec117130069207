// timerfd_create(2), timerfd_settime(2), timerfd_gettime(2).
#include <cerrno>
#include <cstdint>

#include "core/arguments.h"
#include "core/blocking_wait.h"
#include "core/errno_result.h"
#include "core/new_descriptor.h"
#include "sys/functions.h"

#ifdef __linux__
#include <sys/timerfd.h>
#endif

namespace raw_epoll {

namespace {

#ifdef __linux__

timespec SplitNs(int64_t ns) {
  timespec time{};
  time.tv_sec = static_cast<time_t>(ns / kNanosecondsPerSecond);
  time.tv_nsec = static_cast<long>(ns % kNanosecondsPerSecond);
  return time;
}

// A struct timespec holds more than 64 bits of nanoseconds do.
int64_t JoinNs(const timespec& time) {
  constexpr int64_t kMostSeconds = INT64_MAX / kNanosecondsPerSecond;
  constexpr int64_t kRest = INT64_MAX % kNanosecondsPerSecond;
  if (time.tv_sec > kMostSeconds || (time.tv_sec == kMostSeconds && time.tv_nsec > kRest)) {
    return INT64_MAX;
  }
  return int64_t{time.tv_sec} * kNanosecondsPerSecond + int64_t{time.tv_nsec};
}

// {valueNs, intervalNs}: number or bigint; an interval left out is 0, a timer that fires once.
itimerspec ReadTimer(Arguments& args, size_t index, const char* name) {
  itimerspec timer{};
  args.Object(index, name);
  const napi_value value = args.Property(index, "valueNs");
  const napi_value interval = args.Property(index, "intervalNs");
  if (args.failed()) return timer;
  timer.it_value = SplitNs(args.Int64Of(value, "valueNs"));
  if (!args.IsUndefined(interval)) {
    timer.it_interval = SplitNs(args.Int64Of(interval, "intervalNs"));
  }
  return timer;
}

void SetNs(Arguments& args, size_t index, const char* property, const timespec& time) {
  napi_value value = nullptr;
  if (args.failed()) return;
  if (napi_create_bigint_int64(args.env(), JoinNs(time), &value) != napi_ok ||
      napi_set_named_property(args.env(), args.value(index), property, value) != napi_ok) {
    args.FailWithPending("the timer value cannot be filled in");
  }
}

void FillTimer(Arguments& args, size_t index, const itimerspec& timer) {
  SetNs(args, index, "valueNs", timer.it_value);
  SetNs(args, index, "intervalNs", timer.it_interval);
}

template <Ownership kOwnership>
napi_value TimerfdCreate(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 2);
  const int clockid = args.Int(0, "clockid");
  const int flags = args.Int(1, "flags");
  if (args.failed()) return nullptr;
  const int64_t fd = ResultOrErrno(::timerfd_create(clockid, flags));
  return args.Answer(NewDescriptor<kOwnership>(args.environment(), fd));
}

napi_value TimerfdSettime(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 4);
  const int fd = args.Int(0, "fd");
  const int flags = args.Int(1, "flags");
  const itimerspec new_value = ReadTimer(args, 2, "newValue");
  const bool wants_old = !args.failed() && !args.IsMissingOrNull(3);
  if (wants_old) args.Object(3, "oldValue");
  if (args.failed()) return nullptr;
  itimerspec old_value{};
  const int64_t result = ResultOrErrno(::timerfd_settime(fd, flags, &new_value, &old_value));
  if (result == 0 && wants_old) FillTimer(args, 3, old_value);
  return args.failed() ? nullptr : args.Answer(result);
}

napi_value TimerfdGettime(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 2);
  const int fd = args.Int(0, "fd");
  args.Object(1, "value");
  if (args.failed()) return nullptr;
  itimerspec value{};
  const int64_t result = ResultOrErrno(::timerfd_gettime(fd, &value));
  if (result == 0) FillTimer(args, 1, value);
  return args.failed() ? nullptr : args.Answer(result);
}

#else

template <Ownership kOwnership>
constexpr napi_callback TimerfdCreate = NotHere;
constexpr napi_callback TimerfdSettime = NotHere;
constexpr napi_callback TimerfdGettime = NotHere;

#endif

}  // namespace

FunctionList TimerfdFunctions() {
  return {{"timerfd_create", TimerfdCreate<Ownership::kNobody>},
          {"timerfd_settime", TimerfdSettime},
          {"timerfd_gettime", TimerfdGettime}};
}

FunctionList OwnedTimerfdFunctions() {
  return {{"timerfd_create", TimerfdCreate<Ownership::kOwned>}};
}

}  // namespace raw_epoll
