// recvmmsg(2), sendmmsg(2), and the memory of MmsgArray (ts/sys/mmsg-array.ts).
//
// An array has two pieces of memory: the bytes of all messages, `size` for each, and a Slot for
// each with what goes in and comes out beside the bytes. The kernel's struct mmsghdr is pointers
// for the most part: it is made here for one call, and JavaScript never sees it.
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string>

#include "core/arguments.h"
#include "core/blocking_call.h"
#include "core/errno_result.h"
#include "core/socket_address.h"
#include "sys/functions.h"
#include "sys/mmsg_slot.h"

namespace raw_epoll {

namespace {

// Room for `count` elements from `offset` on, in memory that has so many.
[[maybe_unused]] bool CheckRange(Arguments& args, size_t index, size_t offset, size_t count,
                                 size_t capacity) {
  if (args.failed() || (offset <= capacity && count <= capacity - offset)) return !args.failed();
  args.ThrowRange(
      "vlen", "such that offset + vlen <= " + std::to_string(capacity) + ", the capacity of msgvec",
      args.value(index));
  return false;
}

MmsgSlot* SlotAt(Arguments& args) {
  const Slice memory = args.View(0, "msgvec");
  const size_t count = memory.length / sizeof(MmsgSlot);
  const double index = args.IntegerOf(args.value(1), "i", 0, static_cast<double>(count) - 1);
  if (args.failed()) return nullptr;
  return reinterpret_cast<MmsgSlot*>(memory.data) + static_cast<size_t>(index);
}

// setName(slots, i, addr | null)
napi_value SetName(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 3);
  SocketAddress address;
  address.length = 0;
  if (!args.IsMissingOrNull(2) && !ReadSocketAddress(args, args.value(2), &address)) {
    args.ThrowRange("addr.family", "AF_INET, AF_INET6 or AF_UNIX", args.value(2));
  }
  MmsgSlot* slot = SlotAt(args);
  if (args.failed()) return nullptr;
  slot->name = address.storage;
  slot->name_length = address.length;
  return nullptr;
}

// getName(slots, i, addr)
napi_value GetName(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 3);
  args.Object(2, "addr");
  const MmsgSlot* slot = SlotAt(args);
  if (args.failed()) return nullptr;
  SocketAddress address;
  address.storage = slot->name;
  address.length = slot->name_length;
  FillSocketAddress(args, args.value(2), address);
  return nullptr;
}

#ifdef __linux__

constexpr size_t kMostMessages = 1024;  // UIO_MAXIOV: the kernel cuts to this

// The arguments that both calls have: fd, slots, bytes, size, offset, vlen, flags.
struct Batch {
  int fd = -1;
  int flags = 0;
  size_t size = 0;
  size_t count = 0;
  MmsgSlot* slots = nullptr;
  uint8_t* bytes = nullptr;
  std::array<mmsghdr, kMostMessages> headers;
  std::array<iovec, kMostMessages> parts;
};

void ReadBatch(Arguments& args, Batch* batch) {
  batch->fd = args.Int(0, "fd");
  batch->size = args.Uint32(3, "size");
  const size_t offset = args.Uint32(4, "offset");
  batch->count = args.Uint32(5, "vlen");
  batch->flags = args.Int(6, "flags");
  const Slice slots = args.View(1, "msgvec");
  const Slice bytes = args.View(2, "msgvec.buffer");
  if (!CheckRange(args, 5, offset, batch->count, slots.length / sizeof(MmsgSlot))) return;
  if (bytes.length < (offset + batch->count) * batch->size) {
    args.ThrowRange("msgvec.buffer", "as long as it was", args.value(2));
    return;
  }
  batch->count = std::min(batch->count, kMostMessages);
  batch->slots = reinterpret_cast<MmsgSlot*>(slots.data) + offset;
  batch->bytes = bytes.data + offset * batch->size;
}

// Points the header of message `i` to its memory.
void Aim(Batch* batch, size_t i, size_t length, socklen_t name_length) {
  MmsgSlot& slot = batch->slots[i];
  batch->parts[i] = {batch->bytes + i * batch->size, length};
  mmsghdr& header = batch->headers[i];
  header = {};
  header.msg_hdr.msg_iov = &batch->parts[i];
  header.msg_hdr.msg_iovlen = 1;
  header.msg_hdr.msg_name = name_length == 0 ? nullptr : &slot.name;
  header.msg_hdr.msg_namelen = name_length;
}

napi_value Recvmmsg(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 8);
  Batch batch;
  const bool forever = !args.IsMissing(7) && args.IsMissingOrNull(7);
  const int64_t timeout_ns = forever ? 0 : args.Int64(7, "timeoutNs");
  ReadBatch(args, &batch);
  if (args.failed()) return nullptr;
  if (timeout_ns < 0) return args.Answer(-EINVAL);  // A negative struct timespec.
  const int64_t received =
      MoveBytes(args.environment(), batch.fd, batch.flags, POLLIN, [&](int how) {
        for (size_t i = 0; i < batch.count; ++i) {
          Aim(&batch, i, batch.size, sizeof(sockaddr_storage));
        }
        timespec timeout{static_cast<time_t>(timeout_ns / kNanosecondsPerSecond),
                         static_cast<long>(timeout_ns % kNanosecondsPerSecond)};
        return ResultOrErrno(::recvmmsg(batch.fd, batch.headers.data(),
                                        static_cast<unsigned>(batch.count), how,
                                        forever ? nullptr : &timeout));
      });
  for (int64_t i = 0; i < received; ++i) {
    const mmsghdr& header = batch.headers[static_cast<size_t>(i)];
    MmsgSlot& slot = batch.slots[i];
    slot.length = header.msg_len;
    slot.flags = static_cast<uint32_t>(header.msg_hdr.msg_flags);
    slot.name_length = header.msg_hdr.msg_namelen;
  }
  return args.Answer(received);
}

napi_value Sendmmsg(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 7);
  Batch batch;
  ReadBatch(args, &batch);
  for (size_t i = 0; i < batch.count && !args.failed(); ++i) {
    const MmsgSlot& slot = batch.slots[i];
    if (slot.length > batch.size) {
      args.ThrowRange("msgvec", "without messages that are longer than its size", args.value(1));
    }
    Aim(&batch, i, slot.length, std::min<socklen_t>(slot.name_length, sizeof slot.name));
  }
  if (args.failed()) return nullptr;
  const int64_t sent = MoveBytes(args.environment(), batch.fd, batch.flags, POLLOUT, [&](int how) {
    return ResultOrErrno(
        ::sendmmsg(batch.fd, batch.headers.data(), static_cast<unsigned>(batch.count), how));
  });
  for (int64_t i = 0; i < sent; ++i) {
    batch.slots[i].length = batch.headers[static_cast<size_t>(i)].msg_len;
  }
  return args.Answer(sent);
}

#else

constexpr napi_callback Recvmmsg = NotHere;
constexpr napi_callback Sendmmsg = NotHere;

#endif

}  // namespace

FunctionList MmsgFunctions() { return {{"recvmmsg", Recvmmsg}, {"sendmmsg", Sendmmsg}}; }

FunctionList MmsgNameFunctions() { return {{"setName", SetName}, {"getName", GetName}}; }

}  // namespace raw_epoll
