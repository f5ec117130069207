// What an MmsgArray keeps of each message beside its bytes. A layout of our own, with the
// kernel's form of an address in it.
#ifndef RAW_EPOLL_SYS_MMSG_SLOT_H_
#define RAW_EPOLL_SYS_MMSG_SLOT_H_

#include <sys/socket.h>

#include <cstdint>

namespace raw_epoll {

struct MmsgSlot {
  uint32_t length;       // msg_len: bytes received or sent; before sending, bytes to send
  uint32_t flags;        // msg_flags
  uint32_t name_length;  // msg_namelen; 0 for a message without an address
  uint32_t unused;
  sockaddr_storage name;
};

}  // namespace raw_epoll

#endif  // RAW_EPOLL_SYS_MMSG_SLOT_H_
