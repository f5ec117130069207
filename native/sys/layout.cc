#include "sys/layout.h"

#include <node_api.h>
#include <sys/select.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "core/kqueue_header.h"
#include "sys/mmsg_slot.h"

#ifdef __linux__
#include <linux/tcp.h>  // That of <netinet/tcp.h> ends at tcpi_total_retrans.
#include <sys/epoll.h>
#endif

namespace raw_epoll {

namespace {

// A worker can be terminated during its import: what is refused is left out, unseen.
void Set(napi_env env, napi_value layout, const char* name, size_t number) {
  napi_value value = nullptr;
  if (napi_create_uint32(env, static_cast<uint32_t>(number), &value) == napi_ok) {
    napi_set_named_property(env, layout, name, value);
  }
}

bool IsLittleEndian() {
  const uint16_t probe = 1;
  return *reinterpret_cast<const uint8_t*>(&probe) == 1;
}

// In 32-bit words. The low word of the 64-bit data comes second on big-endian machines.
void AddEpollEvent(napi_env env, napi_value layout) {
#ifdef __linux__
  const size_t data_word = offsetof(epoll_event, data) / sizeof(uint32_t);
  Set(env, layout, "epollEventWords", sizeof(epoll_event) / sizeof(uint32_t));
  Set(env, layout, "epollDataLow", data_word + (IsLittleEndian() ? 0 : 1));
  Set(env, layout, "epollDataHigh", data_word + (IsLittleEndian() ? 1 : 0));
#else
  static_cast<void>(env);
  static_cast<void>(layout);
#endif
}

// A set is an array of words. Which byte of the first word descriptor 0 is in says which way
// round its bytes are: the byte of any descriptor is `fd >> 3 ^ fdSetFirstByte`.
void AddFdSet(napi_env env, napi_value layout) {
  fd_set probe;
  FD_ZERO(&probe);
  FD_SET(0, &probe);
  const auto* bytes = reinterpret_cast<const uint8_t*>(&probe);
  size_t first = 0;
  while (bytes[first] == 0) ++first;
  Set(env, layout, "fdSetBytes", sizeof(fd_set));
  Set(env, layout, "fdSetFirstByte", first);
}

// In 32-bit words.
void AddMmsgSlot(napi_env env, napi_value layout) {
  Set(env, layout, "mmsgSlotWords", sizeof(MmsgSlot) / sizeof(uint32_t));
  Set(env, layout, "mmsgLength", offsetof(MmsgSlot, length) / sizeof(uint32_t));
  Set(env, layout, "mmsgFlags", offsetof(MmsgSlot, flags) / sizeof(uint32_t));
}

// In bytes, for each field where it is and how long.
#define FIELD(type, prefix, name, field)                \
  Set(env, layout, prefix name, offsetof(type, field)); \
  Set(env, layout, prefix name "_bytes", sizeof(type::field))

void AddLinger(napi_env env, napi_value layout) {
  Set(env, layout, "linger_size", sizeof(linger));
  FIELD(linger, "linger_", "onoff", l_onoff);
  FIELD(linger, "linger_", "linger", l_linger);
}

void AddUcred(napi_env env, napi_value layout) {
#ifdef __linux__
  Set(env, layout, "ucred_size", sizeof(ucred));
  FIELD(ucred, "ucred_", "pid", pid);
  FIELD(ucred, "ucred_", "uid", uid);
  FIELD(ucred, "ucred_", "gid", gid);
#else
  static_cast<void>(env);
  static_cast<void>(layout);
#endif
}

// The fields that Linux 4.10 has, and every header since. Those that are bits have no address.
void AddTcpInfo(napi_env env, napi_value layout) {
#ifdef __linux__
#define TCP_INFO_FIELD(name) FIELD(tcp_info, "tcp_info_", #name, tcpi_##name)
  Set(env, layout, "tcp_info_size", sizeof(tcp_info));
  TCP_INFO_FIELD(state);
  TCP_INFO_FIELD(ca_state);
  TCP_INFO_FIELD(retransmits);
  TCP_INFO_FIELD(probes);
  TCP_INFO_FIELD(backoff);
  TCP_INFO_FIELD(rto);
  TCP_INFO_FIELD(ato);
  TCP_INFO_FIELD(snd_mss);
  TCP_INFO_FIELD(rcv_mss);
  TCP_INFO_FIELD(unacked);
  TCP_INFO_FIELD(sacked);
  TCP_INFO_FIELD(lost);
  TCP_INFO_FIELD(retrans);
  TCP_INFO_FIELD(last_data_sent);
  TCP_INFO_FIELD(last_data_recv);
  TCP_INFO_FIELD(last_ack_recv);
  TCP_INFO_FIELD(pmtu);
  TCP_INFO_FIELD(rcv_ssthresh);
  TCP_INFO_FIELD(rtt);
  TCP_INFO_FIELD(rttvar);
  TCP_INFO_FIELD(snd_ssthresh);
  TCP_INFO_FIELD(snd_cwnd);
  TCP_INFO_FIELD(advmss);
  TCP_INFO_FIELD(reordering);
  TCP_INFO_FIELD(rcv_rtt);
  TCP_INFO_FIELD(rcv_space);
  TCP_INFO_FIELD(total_retrans);
  TCP_INFO_FIELD(bytes_acked);
  TCP_INFO_FIELD(bytes_received);
  TCP_INFO_FIELD(segs_out);
  TCP_INFO_FIELD(segs_in);
  TCP_INFO_FIELD(notsent_bytes);
  TCP_INFO_FIELD(min_rtt);
  TCP_INFO_FIELD(data_segs_in);
  TCP_INFO_FIELD(data_segs_out);
  TCP_INFO_FIELD(delivery_rate);
  TCP_INFO_FIELD(busy_time);
  TCP_INFO_FIELD(rwnd_limited);
  TCP_INFO_FIELD(sndbuf_limited);
#undef TCP_INFO_FIELD
#else
  static_cast<void>(env);
  static_cast<void>(layout);
#endif
}

// In bytes, for each field where it is and how long: the types differ between the systems.
void AddKevent(napi_env env, napi_value layout) {
#ifdef RAW_EPOLL_HAS_KQUEUE
  using Event = struct kevent;
#define KEVENT_FIELD(name) FIELD(Event, "kevent_", #name, name)
  Set(env, layout, "kevent_bytes", sizeof(Event));
  KEVENT_FIELD(ident);
  KEVENT_FIELD(filter);
  KEVENT_FIELD(flags);
  KEVENT_FIELD(fflags);
  KEVENT_FIELD(data);
  KEVENT_FIELD(udata);
#undef KEVENT_FIELD
  Set(env, layout, "kevent_filter_is_signed", std::is_signed_v<decltype(Event::filter)>);
  Set(env, layout, "kevent_is_little_endian", IsLittleEndian());
#else
  static_cast<void>(env);
  static_cast<void>(layout);
#endif
}

#undef FIELD

}  // namespace

napi_value MakeLayout(napi_env env) {
  napi_value layout = nullptr;
  if (napi_create_object(env, &layout) != napi_ok) return nullptr;
  AddEpollEvent(env, layout);
  AddFdSet(env, layout);
  AddMmsgSlot(env, layout);
  AddLinger(env, layout);
  AddUcred(env, layout);
  AddTcpInfo(env, layout);
  AddKevent(env, layout);
  return layout;
}

}  // namespace raw_epoll
