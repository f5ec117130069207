// sendmsg(2), recvmsg(2): several buffers, an address, and what travels beside the bytes.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <vector>

#include "core/arguments.h"
#include "core/blocking_call.h"
#include "core/errno_result.h"
#include "core/filler.h"
#include "core/new_descriptor.h"
#include "core/socket_address.h"
#include "sys/functions.h"

#ifndef MSG_CMSG_CLOEXEC
#include <fcntl.h>
#endif

namespace raw_epoll {

namespace {

constexpr size_t kIovMax = 1024;  // UIO_MAXIOV of every kernel here
// SCM_MAX_FD of Linux. One more than that is as good as any number above: the kernel refuses it.
constexpr size_t kMostRights = 253;

struct Credentials {
  bool present = false;
  int64_t pid = -1;
  int64_t uid = -1;
  int64_t gid = -1;
};

// The kernel's struct of SCM_CREDENTIALS; systems without it never see one.
#ifdef SCM_CREDENTIALS
using KernelCredentials = ucred;
constexpr int kCredentialsType = SCM_CREDENTIALS;
#else
struct KernelCredentials {
  pid_t pid;
  uid_t uid;
  gid_t gid;
};
constexpr int kCredentialsType = -1;
#endif

// A message as JavaScript gave it, as far as reading it may run code of the user. Pointers into
// memory are taken afterwards. A part that was left out is nullptr.
struct Parts {
  std::vector<napi_value> iov;
  napi_value name = nullptr;
  napi_value rights = nullptr;
  napi_value credentials = nullptr;
};

napi_value OptionalOf(Arguments& args, napi_value object, const char* property) {
  const napi_value value = args.PropertyOf(object, property);
  return args.failed() || args.IsUndefinedOrNull(value) ? nullptr : value;
}

napi_value OptionalObject(Arguments& args, napi_value object, const char* property,
                          const char* name) {
  const napi_value value = OptionalOf(args, object, property);
  if (value != nullptr) args.ObjectOf(value, name);
  return value;
}

Parts ReadParts(Arguments& args, size_t index) {
  Parts parts;
  args.Object(index, "msg");
  const napi_value message = args.value(index);
  parts.iov = args.ViewElements(args.PropertyOf(message, "iov"), "msg.iov", kIovMax);
  parts.name = OptionalObject(args, message, "name", "msg.name");
  const napi_value control = OptionalObject(args, message, "control", "msg.control");
  if (control == nullptr) return parts;
  parts.rights = OptionalOf(args, control, "rights");
  parts.credentials = OptionalObject(args, control, "credentials", "control.credentials");
  return parts;
}

std::vector<iovec> Iovecs(Arguments& args, const Parts& parts) {
  std::vector<iovec> iovecs;
  for (const Slice& slice : args.ViewsOf(parts.iov, "msg.iov")) {
    iovecs.push_back({slice.data, slice.length});
  }
  return iovecs;
}

Slice Rights(Arguments& args, const Parts& parts) {
  if (parts.rights == nullptr) return {};
  return args.TypedArrayOf(parts.rights, "control.rights", napi_int32_array, 0);
}

msghdr MessageOf(std::vector<iovec>& iov, SocketAddress* address) {
  msghdr message{};
  message.msg_iov = iov.data();
  message.msg_iovlen = static_cast<decltype(message.msg_iovlen)>(iov.size());
  if (address != nullptr) {
    message.msg_name = address->get();
    message.msg_namelen = address->length;
  }
  return message;
}

// Memory for control messages: both kinds, with a few descriptors more than can be.
class ControlBuffer {
 public:
  void Append(int type, const void* data, size_t length) {
    cmsghdr header{};
    header.cmsg_level = SOL_SOCKET;
    header.cmsg_type = type;
    header.cmsg_len = static_cast<decltype(header.cmsg_len)>(CMSG_LEN(length));
    std::memcpy(bytes_.data() + used_, &header, sizeof header);
    std::memcpy(bytes_.data() + used_ + CMSG_LEN(0), data, length);
    used_ += CMSG_SPACE(length);
  }

  // Room for so many descriptors, and no more than alignment adds to that.
  void Reserve(size_t rights) {
    used_ = CMSG_SPACE(sizeof(KernelCredentials));
    if (rights != 0) used_ += CMSG_LEN(rights * sizeof(int));
  }

  void GiveTo(msghdr* message) {
    if (used_ == 0) return;
    message->msg_control = bytes_.data();
    message->msg_controllen = static_cast<decltype(message->msg_controllen)>(used_);
  }

 private:
  static constexpr size_t kMost =
      CMSG_SPACE(sizeof(KernelCredentials)) + CMSG_SPACE((kMostRights + 1) * sizeof(int));
  alignas(cmsghdr) std::array<uint8_t, kMost> bytes_{};
  size_t used_ = 0;
};

// --- sendmsg ----------------------------------------------------------------------------------

constexpr double kUint32Max = 4294967295.0;

Credentials ReadCredentials(Arguments& args, napi_value object) {
  Credentials credentials;
  if (object == nullptr || args.failed()) return credentials;
  const napi_value pid = args.PropertyOf(object, "pid");
  const napi_value uid = args.PropertyOf(object, "uid");
  const napi_value gid = args.PropertyOf(object, "gid");
  credentials.present = true;
  credentials.pid = static_cast<int64_t>(args.IntegerOf(pid, "credentials.pid", INT_MIN, INT_MAX));
  credentials.uid = static_cast<int64_t>(args.IntegerOf(uid, "credentials.uid", 0, kUint32Max));
  credentials.gid = static_cast<int64_t>(args.IntegerOf(gid, "credentials.gid", 0, kUint32Max));
  return credentials;
}

void AppendControl(ControlBuffer* control, const Credentials& credentials, const Slice& rights) {
  if (credentials.present) {
    KernelCredentials sent{};
    sent.pid = static_cast<pid_t>(credentials.pid);
    sent.uid = static_cast<uid_t>(credentials.uid);
    sent.gid = static_cast<gid_t>(credentials.gid);
    control->Append(kCredentialsType, &sent, sizeof sent);
  }
  const size_t count = std::min(rights.length / sizeof(int), kMostRights + 1);
  if (count != 0) control->Append(SCM_RIGHTS, rights.data, count * sizeof(int));
}

napi_value Sendmsg(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 3);
  const int fd = args.Int(0, "fd");
  const int flags = args.Int(2, "flags");
  const Parts parts = ReadParts(args, 1);
  SocketAddress address;
  const bool known =
      args.failed() || parts.name == nullptr || ReadSocketAddress(args, parts.name, &address);
  const Credentials credentials = ReadCredentials(args, parts.credentials);
  // No code of the user runs from here on.
  std::vector<iovec> iov = Iovecs(args, parts);
  const Slice rights = Rights(args, parts);
  if (args.failed()) return nullptr;
  if (!known) return args.Answer(-EAFNOSUPPORT);
  if (credentials.present && kCredentialsType < 0) return args.Answer(-ENOSYS);
  ControlBuffer control;
  AppendControl(&control, credentials, rights);
  msghdr message = MessageOf(iov, parts.name == nullptr ? nullptr : &address);
  control.GiveTo(&message);
  return args.Answer(MoveBytes(args.environment(), fd, flags, POLLOUT, [&](int how) {
    return ResultOrErrno(::sendmsg(fd, &message, how));
  }));
}

// --- recvmsg ----------------------------------------------------------------------------------

// Descriptors that have come. Those that find no room with the caller are closed at once.
template <Ownership kOwnership>
class ReceivedRights {
 public:
  ReceivedRights(Environment& environment, const Slice& out)
      : environment_(environment), out_(out), room_(out.length / sizeof(int)) {
    if (out.data != nullptr) std::memset(out.data, -1, room_ * sizeof(int));
  }

  void Take(int fd) {
    if (fds_.size() == room_) {
      ::close(fd);
      surplus_ = true;
      return;
    }
#ifndef MSG_CMSG_CLOEXEC
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
#endif
    std::memcpy(out_.data + fds_.size() * sizeof fd, &fd, sizeof fd);
    fds_.push_back(static_cast<int>(NewDescriptor<kOwnership>(environment_, fd)));
  }

  // Nobody is going to know the numbers.
  void CloseAll() {
    for (const int fd : fds_) {
      environment_.Disown(fd);
      ::close(fd);
    }
  }

  bool surplus() const { return surplus_; }

 private:
  Environment& environment_;
  Slice out_;
  size_t room_;
  std::vector<int> fds_;
  bool surplus_ = false;
};

[[maybe_unused]] constexpr int kScmPidfd = 4;  // Of newer headers. It carries one descriptor.

template <typename Rights>
void TakeControl(msghdr* message, Credentials* credentials, Rights* rights) {
  for (cmsghdr* header = CMSG_FIRSTHDR(message); header != nullptr;
       header = CMSG_NXTHDR(message, header)) {
    const auto* end = static_cast<uint8_t*>(message->msg_control) + message->msg_controllen;
    const uint8_t* data = CMSG_DATA(header);
    const size_t length =
        std::min<size_t>(header->cmsg_len - CMSG_LEN(0), static_cast<size_t>(end - data));
    if (header->cmsg_level != SOL_SOCKET) continue;
    if (header->cmsg_type == SCM_RIGHTS) {
      for (size_t at = 0; at + sizeof(int) <= length; at += sizeof(int)) {
        int fd = -1;
        std::memcpy(&fd, data + at, sizeof fd);
        rights->Take(fd);
      }
    } else if (header->cmsg_type == kCredentialsType && length >= sizeof(KernelCredentials)) {
      KernelCredentials came{};
      std::memcpy(&came, data, sizeof came);
      *credentials = {true, came.pid, came.uid, came.gid};
    }
#ifdef __linux__
    else if (header->cmsg_type == kScmPidfd && length >= sizeof(int)) {
      int fd = -1;
      std::memcpy(&fd, data, sizeof fd);
      if (fd >= 0) ::close(fd);
    }
#endif
  }
}

#ifdef MSG_CMSG_CLOEXEC
constexpr int kAlways = MSG_CMSG_CLOEXEC;
#else
constexpr int kAlways = 0;
#endif

// Setters may throw: false, with the exception pending.
bool FillMessage(Arguments& args, const Parts& parts, const SocketAddress& address,
                 const Credentials& credentials, int flags) {
  if (parts.name != nullptr && !FillSocketAddress(args, parts.name, address)) return false;
  bool filled = true;
  if (parts.credentials != nullptr) {
    filled = Filler(args.env(), parts.credentials)
                 .Set("pid", static_cast<double>(credentials.pid))
                 .Set("uid", static_cast<double>(credentials.uid))
                 .Set("gid", static_cast<double>(credentials.gid))
                 .ok();
  }
  if (filled) filled = Filler(args.env(), args.value(1)).Set("flags", flags).ok();
  if (!filled) args.FailWithPending("msg cannot be filled in");
  return filled;
}

template <Ownership kOwnership>
napi_value Recvmsg(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 3);
  const int fd = args.Int(0, "fd");
  const int flags = args.Int(2, "flags");
  const Parts parts = ReadParts(args, 1);
  // No code of the user runs from here on until the message is there.
  std::vector<iovec> iov = Iovecs(args, parts);
  const Slice out = Rights(args, parts);
  if (args.failed()) return nullptr;
  SocketAddress address;
  msghdr message = MessageOf(iov, parts.name == nullptr ? nullptr : &address);
  ControlBuffer control;
  if (parts.rights != nullptr || parts.credentials != nullptr) {
    control.Reserve(std::min(out.length / sizeof(int), kMostRights));
    control.GiveTo(&message);
  }
  const msghdr blank = message;
  const int64_t received = MoveBytes(args.environment(), fd, flags | kAlways, POLLIN, [&](int how) {
    message = blank;
    return ResultOrErrno(::recvmsg(fd, &message, how));
  });
  if (received < 0) return args.Answer(received);
  ReceivedRights<kOwnership> rights(args.environment(), out);
  Credentials credentials;
  TakeControl(&message, &credentials, &rights);
  address.length = message.msg_namelen;
  const int told = (message.msg_flags & ~(kAlways & ~flags)) | (rights.surplus() ? MSG_CTRUNC : 0);
  if (FillMessage(args, parts, address, credentials, told)) return args.Answer(received);
  rights.CloseAll();
  return nullptr;
}

}  // namespace

FunctionList MessageFunctions() {
  return {{"sendmsg", Sendmsg}, {"recvmsg", Recvmsg<Ownership::kNobody>}};
}

FunctionList OwnedMessageFunctions() { return {{"recvmsg", Recvmsg<Ownership::kOwned>}}; }

}  // namespace raw_epoll
