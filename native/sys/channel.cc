// binding.channel: ends of channels (core/channel.h) by their ids, which are of the environment.
#include "core/channel.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>

#include "core/arguments.h"
#include "core/blocking_wait.h"
#include "core/channel_shares.h"
#include "core/errno_result.h"
#include "core/set_wait.h"
#include "sys/functions.h"

namespace raw_epoll {

namespace {

constexpr double kMostCapacity = 65536;
constexpr double kMostBytes = 1 << 30;

// What JavaScript learns of a new end, in a Float64Array: its id, its descriptor, the descriptor
// of its answers or -1, and the options of the channel.
constexpr size_t kEndFields = 5;

void Describe(uint64_t id, int fd, const ChannelEnd& end, uint8_t* fields) {
  const double values[kEndFields] = {
      static_cast<double>(id), static_cast<double>(fd), static_cast<double>(end.answer_fd()),
      static_cast<double>(end.options().capacity), static_cast<double>(end.options().most_bytes)};
  std::memcpy(fields, values, sizeof values);
}

void Enter(Environment& environment, ClaimedEnd claimed, uint8_t* fields) {
  environment.Own(claimed.fd);
  const ChannelEnd& end = *claimed.end;
  Describe(environment.AddChannelEnd(std::move(claimed.end)), claimed.fd, end, fields);
}

// open(capacity, mostBytes, withPipes, sender, receiver): 0, or a negated errno. The fields of both
// ends are written.
napi_value Open(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 5);
  ChannelOptions options;
  options.capacity =
      static_cast<size_t>(args.IntegerOf(args.value(0), "capacity", 0, kMostCapacity));
  options.most_bytes =
      static_cast<size_t>(args.IntegerOf(args.value(1), "maxMessageBytes", 1, kMostBytes));
  options.with_pipes = args.Int(2, "withPipes") != 0;
  const Slice sender = args.TypedArray(3, "sender", napi_float64_array, kEndFields);
  const Slice receiver = args.TypedArray(4, "receiver", napi_float64_array, kEndFields);
  if (args.failed()) return nullptr;
  OpenedChannel opened = ChannelEnd::Open(options);
  if (opened.error != 0) return args.Answer(opened.error);
  const int sender_fd = opened.sender->DuplicateFd();
  if (sender_fd < 0) return args.Answer(sender_fd);
  const int receiver_fd = opened.receiver->DuplicateFd();
  if (receiver_fd < 0) {
    ::close(sender_fd);
    return args.Answer(receiver_fd);
  }
  Enter(args.environment(), {std::move(opened.sender), sender_fd}, sender.data);
  Enter(args.environment(), {std::move(opened.receiver), receiver_fd}, receiver.data);
  return args.Answer(0);
}

// claim(share, kind, fields): 0, or a negated errno.
napi_value Claim(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 3);
  const uint64_t share = args.Uint64(0, "share");
  const int kind = args.Int(1, "kind");
  const Slice fields = args.TypedArray(2, "fields", napi_float64_array, kEndFields);
  if (args.failed()) return nullptr;
  ClaimedEnd claimed = ChannelShares::Instance().Claim(share, kind);
  if (claimed.end == nullptr) return args.Answer(claimed.fd);
  Enter(args.environment(), std::move(claimed), fields.data);
  return args.Answer(0);
}

// share(end, kind): an id > 0, or a negated errno.
napi_value Share(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 2);
  const uint64_t id = args.Uint64(0, "end");
  const int kind = args.Int(1, "kind");
  if (args.failed()) return nullptr;
  const ChannelEnd* end = args.environment().FindChannelEnd(id);
  if (end == nullptr) return args.Answer(-EBADF);
  int error = 0;
  std::unique_ptr<ChannelEnd> another = end->Another(&error);
  if (another == nullptr) return args.Answer(error);
  return args.Answer(static_cast<int64_t>(
      ChannelShares::Instance().Add(std::move(another), kind, &args.environment())));
}

// discard(share): 0, or -ENOENT.
napi_value Discard(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 1);
  const uint64_t share = args.Uint64(0, "share");
  if (args.failed()) return nullptr;
  return args.Answer(ChannelShares::Instance().Discard(share) ? 0 : -ENOENT);
}

napi_value Close(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 1);
  const uint64_t id = args.Uint64(0, "end");
  if (args.failed()) return nullptr;
  return args.Answer(args.environment().CloseChannelEnd(id) ? 0 : -EBADF);
}

// The end that argument 0 names, if it is of that side.
ChannelEnd* EndOf(Arguments& args, ChannelSide side) {
  const uint64_t id = args.Uint64(0, "end");
  if (args.failed()) return nullptr;
  ChannelEnd* end = args.environment().FindChannelEnd(id);
  return end != nullptr && end->side() == side ? end : nullptr;
}

// (end, buffer, offset, length)
template <int64_t (ChannelEnd::*kMethod)(Bytes)>
napi_value WithBytes(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 4);
  ChannelEnd* end = EndOf(args, ChannelSide::kSender);
  const Slice slice = args.BufferSlice(1);
  if (args.failed()) return nullptr;
  return args.Answer(end == nullptr ? -EBADF : (end->*kMethod)({slice.data, slice.length}));
}

// 1: taken back; 0: it was taken.
napi_value Withdraw(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 2);
  ChannelEnd* end = EndOf(args, ChannelSide::kSender);
  const uint64_t ticket = args.Uint64(1, "ticket");
  if (args.failed()) return nullptr;
  if (end == nullptr) return args.Answer(-EBADF);
  return args.Answer(end->Withdraw(ticket) ? 1 : 0);
}

// How many are left; `-1 - count` if none of them will be taken.
napi_value CountOffers(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 1);
  ChannelEnd* end = EndOf(args, ChannelSide::kSender);
  if (args.failed()) return nullptr;
  return args.Answer(end == nullptr ? 0 : end->CountOffers());
}

// tryReceive(end, buffer, offset, length, asExpected)
napi_value TryReceive(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 5);
  ChannelEnd* end = EndOf(args, ChannelSide::kReceiver);
  const bool as_expected = args.Int(4, "asExpected") != 0;
  const Slice slice = args.BufferSlice(1);
  if (args.failed()) return nullptr;
  if (end == nullptr) return args.Answer(-EBADF);
  return args.Answer(end->TryReceive(slice.data, slice.length, as_expected));
}

napi_value NextLength(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 1);
  ChannelEnd* end = EndOf(args, ChannelSide::kReceiver);
  if (args.failed()) return nullptr;
  return args.Answer(end == nullptr ? -EBADF : end->NextLength());
}

// expect(end, count): 1, or 0 if a message has been sent for one that is to go.
napi_value Expect(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 2);
  ChannelEnd* end = EndOf(args, ChannelSide::kReceiver);
  const uint32_t count = args.Uint32(1, "count");
  if (args.failed()) return nullptr;
  if (end == nullptr) return args.Answer(-EBADF);
  return args.Answer(end->Expect(count) ? 1 : 0);
}

// wait(fd, timeoutMs): 1 once it is readable, 0 after the time, a negated errno; nothing once the
// environment is stopping.
napi_value Wait(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 2);
  const int fd = args.Int(0, "fd");
  const double timeout_ms = args.Number(1, "timeoutMs");
  if (args.failed()) return nullptr;
  const auto wait = [fd](int64_t slice_ns) -> int64_t {
    pollfd target{fd, POLLIN, 0};
    const int64_t ready = ResultOrErrno(::poll(&target, 1, MillisecondsRoundedUp(slice_ns)));
    // Closed behind the back of its end: poll calls that ready, for ever.
    return (target.revents & POLLNVAL) != 0 ? -EBADF : ready;
  };
  const int64_t result =
      BlockingWait(args.environment(), TimeoutNs(timeout_ms), OnInterrupt::kRetry, wait);
  return result == kStopping ? nullptr : args.Answer(result);
}

}  // namespace

FunctionList ChannelFunctions() {
  return {{"open", Open},
          {"share", Share},
          {"claim", Claim},
          {"discard", Discard},
          {"close", Close},
          {"trySend", WithBytes<&ChannelEnd::TrySend>},
          {"offer", WithBytes<&ChannelEnd::Offer>},
          {"withdraw", Withdraw},
          {"countOffers", CountOffers},
          {"tryReceive", TryReceive},
          {"nextLength", NextLength},
          {"expect", Expect},
          {"wait", Wait}};
}

}  // namespace raw_epoll
