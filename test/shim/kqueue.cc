// A small kqueue on Linux, so that our own kqueue code runs in every test run. It stands in for a
// BSD kernel and proves nothing about one: docs/backends.md.
//
// A kqueue is an epoll set, so that its number can be polled and watched as on a BSD. In it are an
// inner set of EVFILT_READ knotes, another of EVFILT_WRITE knotes (each knote has a mode of its
// own, and epoll keeps one mode for a descriptor), a timerfd for each EVFILT_TIMER knote, and an
// eventfd that is up while an EVFILT_USER knote is triggered.
//
// close, dup, dup2 and dup3 are taken from the linker (--wrap): a descriptor that goes takes its
// knotes with it, as on a BSD. That sees the calls of the addon, not those of Node itself.
//
// Where systems differ it does the harsher thing: adding a knote again neither changes its mode nor
// enables it; the flags of an answer keep those of the change beside EV_ERROR.
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/event.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

extern "C" {
int __real_close(int fd);
int __real_dup(int oldfd);
int __real_dup2(int oldfd, int newfd);
int __real_dup3(int oldfd, int newfd, int flags);
}

namespace {

using Event = struct kevent;

constexpr int kBatch = 64;
constexpr int64_t kNanosecondsPerSecond = 1'000'000'000;

// A descriptor that closes itself.
class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() {
    if (fd_ >= 0) __real_close(fd_);
  }
  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

// Filter and ident: what names a knote.
using Key = std::pair<int16_t, uintptr_t>;

struct Knote {
  uint32_t generation = 0;  // Tells an event of epoll for this knote from one for its predecessor.
  uint16_t mode = 0;        // EV_CLEAR, EV_ONESHOT, EV_DISPATCH.
  bool disabled = false;
  bool triggered = false;  // EVFILT_USER.
  uint32_t fflags = 0;     // EVFILT_USER.
  void* udata = nullptr;
  bool was_connecting = false;  // Sockets: says which error a reset is.
  Fd timer;                     // EVFILT_TIMER.
};

bool IsDescriptorFilter(int16_t filter) { return filter == EVFILT_READ || filter == EVFILT_WRITE; }

// --- What a descriptor says about itself ----------------------------------------------------

int SocketOption(int fd, int option) {
  int value = -1;
  socklen_t length = sizeof value;
  return getsockopt(fd, SOL_SOCKET, option, &value, &length) == 0 ? value : -1;
}

bool IsSocket(int fd) { return SocketOption(fd, SO_TYPE) >= 0; }
bool IsDatagram(int fd) { return SocketOption(fd, SO_TYPE) == SOCK_DGRAM; }
bool IsListener(int fd) { return SocketOption(fd, SO_ACCEPTCONN) == 1; }

// False for what is no TCP socket.
bool TcpInfo(int fd, tcp_info* info) {
  socklen_t length = sizeof *info;
  return getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &length) == 0;
}

bool IsConnecting(int fd) {
  tcp_info info{};
  return TcpInfo(fd, &info) && info.tcpi_state == TCP_SYN_SENT;
}

// Connections that wait, or bytes. What cannot be asked has one.
intptr_t Readable(int fd) {
  if (IsListener(fd)) {
    tcp_info info{};
    return TcpInfo(fd, &info) ? static_cast<intptr_t>(info.tcpi_unacked) : 1;
  }
  int bytes = 0;
  return ioctl(fd, FIONREAD, &bytes) == 0 ? bytes : 1;
}

// Bytes of room.
intptr_t Writable(int fd) {
  int used = 0;
  if (IsSocket(fd)) {
    if (ioctl(fd, SIOCOUTQ, &used) != 0) return 1;
    return std::max(0, SocketOption(fd, SO_SNDBUF) - used);
  }
  const int size = fcntl(fd, F_GETPIPE_SZ);
  if (size < 0 || ioctl(fd, FIONREAD, &used) != 0) return 1;
  return std::max(0, size - used);
}

// The error of a socket. SO_ERROR would take it away, which a BSD does not: so it is told from the
// way the connection took.
uint32_t SocketError(int fd, const Knote& knote) {
  if (!IsSocket(fd)) return 0;
  return knote.was_connecting ? ECONNREFUSED : ECONNRESET;
}

// --- One kqueue -----------------------------------------------------------------------------

class Kqueue {
 public:
  // The number for the caller; -1 with errno set if there is no descriptor left.
  int Open();
  // The epoll set, by a number of our own: those of the caller come and go.
  int outer() const { return outer_.get(); }

  // 0 or an errno.
  int Change(const Event& change);
  // Up to `count` events that are there now.
  int Collect(Event* events, int count);
  // The descriptor is about to be closed.
  void Forget(int fd);

 private:
  using Knotes = std::map<Key, Knote>;

  int Add(const Event& change);
  int Update(const Event& change, Knotes::iterator found);
  int StartTimer(const Event& change, Knote* knote);
  void Touch(const Event& change, Knote* knote);
  int Arm(const Key& key, Knote* knote, bool is_new);
  void Disarm(const Key& key, Knote* knote);
  void Remove(Knotes::iterator found);
  void UpdateUserFd();

  int CollectUsers(Event* events, int count);
  int CollectSet(int16_t filter, Event* events, int count);
  int CollectTimer(uint64_t data, Event* event);
  // Fills an event in, and does what the knote's mode says comes after.
  void Deliver(Knotes::iterator found, Event* event, intptr_t data, uint32_t fflags,
               uint16_t flags);
  void DeliverDescriptor(Knotes::iterator found, uint32_t conditions, Event* event);
  int SetOf(int16_t filter) const {
    if (filter == EVFILT_READ) return read_.get();
    return filter == EVFILT_WRITE ? write_.get() : outer();
  }

  Fd outer_;
  Fd read_;
  Fd write_;
  Fd user_;
  bool user_is_up_ = false;
  Knotes knotes_;
  uint32_t generation_ = 0;
  unsigned turn_ = 0;
};

// Data in the outer set; above them that of timers, which have a generation.
constexpr uint64_t kReadSet = 0;
constexpr uint64_t kWriteSet = 1;
constexpr uint64_t kUserFd = 2;

uint64_t TimerData(const Knote& knote) { return uint64_t{knote.generation} << 32; }

bool Watch(int set, int op, int fd, uint32_t events, uint64_t data) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = data;
  return epoll_ctl(set, op, fd, &event) == 0;
}

int Kqueue::Open() {
  Fd number(epoll_create1(EPOLL_CLOEXEC));
  outer_ = Fd(fcntl(number.get(), F_DUPFD_CLOEXEC, 0));
  read_ = Fd(epoll_create1(EPOLL_CLOEXEC));
  write_ = Fd(epoll_create1(EPOLL_CLOEXEC));
  user_ = Fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (outer() < 0 || read_.get() < 0 || write_.get() < 0 || user_.get() < 0 ||
      !Watch(outer(), EPOLL_CTL_ADD, read_.get(), EPOLLIN, kReadSet) ||
      !Watch(outer(), EPOLL_CTL_ADD, write_.get(), EPOLLIN, kWriteSet) ||
      !Watch(outer(), EPOLL_CTL_ADD, user_.get(), EPOLLIN, kUserFd)) {
    return -1;
  }
  return number.Release();
}

int Kqueue::Change(const Event& change) {
  const auto found = knotes_.find({change.filter, change.ident});
  if ((change.flags & EV_DELETE) != 0) {
    if (found == knotes_.end()) return ENOENT;
    // Somebody else may have closed the descriptor: then there is no knote any more either.
    const bool is_there = !IsDescriptorFilter(change.filter) || found->second.disabled ||
                          Arm(found->first, &found->second, false) == 0;
    Remove(found);
    return is_there ? 0 : ENOENT;
  }
  if (found != knotes_.end()) return Update(change, found);
  return (change.flags & EV_ADD) != 0 ? Add(change) : ENOENT;
}

int Kqueue::Add(const Event& change) {
  const Key key{change.filter, change.ident};
  Knote knote;
  knote.generation = ++generation_;
  knote.mode = change.flags & (EV_CLEAR | EV_ONESHOT | EV_DISPATCH);
  knote.udata = change.udata;
  knote.disabled = (change.flags & EV_DISABLE) != 0;
  int error = 0;
  switch (change.filter) {
    case EVFILT_READ:
    case EVFILT_WRITE:
      if (change.ident > INT32_MAX) return EBADF;
      // Also when it is to be disabled: what cannot be watched is told now.
      error = Arm(key, &knote, true);
      if (error == 0 && knote.disabled) Disarm(key, &knote);
      break;
    case EVFILT_TIMER: error = StartTimer(change, &knote); break;
    case EVFILT_USER: Touch(change, &knote); break;
    default: return EINVAL;
  }
  if (error != 0) return error;
  knotes_.emplace(key, std::move(knote));
  UpdateUserFd();
  return 0;
}

int Kqueue::Update(const Event& change, Knotes::iterator found) {
  Knote& knote = found->second;
  knote.udata = change.udata;
  if (change.filter == EVFILT_USER) Touch(change, &knote);
  if (change.filter == EVFILT_TIMER && (change.flags & EV_ADD) != 0) {
    const int error = StartTimer(change, &knote);
    if (error != 0) return error;
  }
  const bool was_disabled = knote.disabled;
  if ((change.flags & EV_ENABLE) != 0) knote.disabled = false;
  if ((change.flags & EV_DISABLE) != 0) knote.disabled = true;
  int error = 0;
  if (!knote.disabled) {
    error = Arm(found->first, &knote, was_disabled);
    // Somebody else closed the descriptor, and opened it anew or not.
    if (error == ENOENT && (change.flags & EV_ADD) != 0) {
      knotes_.erase(found);
      return Add(change);
    }
    if (error != 0) knotes_.erase(found);
  } else if (!was_disabled) {
    Disarm(found->first, &knote);
  }
  UpdateUserFd();
  return error;
}

// Also sets one anew that is running.
int Kqueue::StartTimer(const Event& change, Knote* knote) {
  int64_t unit_ns = 1'000'000;
  if ((change.fflags & NOTE_SECONDS) != 0) unit_ns = kNanosecondsPerSecond;
  if ((change.fflags & NOTE_USECONDS) != 0) unit_ns = 1'000;
  if ((change.fflags & NOTE_NSECONDS) != 0) unit_ns = 1;
  if (change.data < 0 || change.data > INT64_MAX / unit_ns) return EINVAL;
  // A timerfd takes 0 as "stop".
  const int64_t ns = std::max<int64_t>(change.data * unit_ns, 1);
  const timespec time{ns / kNanosecondsPerSecond, ns % kNanosecondsPerSecond};
  const bool once = (knote->mode & EV_ONESHOT) != 0;
  const itimerspec spec{once ? timespec{} : time, time};
  if (knote->timer.get() < 0) {
    knote->timer = Fd(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    if (knote->timer.get() < 0) return errno;
    const uint32_t events = knote->disabled ? 0U : EPOLLIN;
    if (!Watch(outer(), EPOLL_CTL_ADD, knote->timer.get(), events, TimerData(*knote))) return errno;
  }
  return timerfd_settime(knote->timer.get(), 0, &spec, nullptr) == 0 ? 0 : errno;
}

// EVFILT_USER: what a change says to the knote.
void Kqueue::Touch(const Event& change, Knote* knote) {
  const uint32_t bits = change.fflags & NOTE_FFLAGSMASK;
  switch (change.fflags & NOTE_FFCTRLMASK) {
    case NOTE_FFAND: knote->fflags &= bits; break;
    case NOTE_FFOR: knote->fflags |= bits; break;
    case NOTE_FFCOPY: knote->fflags = bits; break;
    default: break;
  }
  if ((change.fflags & NOTE_TRIGGER) != 0) knote->triggered = true;
}

// Asks epoll for events of a knote, anew if it has asked before. 0 or an errno.
int Kqueue::Arm(const Key& key, Knote* knote, bool is_new) {
  const auto [filter, ident] = key;
  if (filter == EVFILT_TIMER) {
    const uint64_t data = TimerData(*knote);
    return Watch(outer(), EPOLL_CTL_MOD, knote->timer.get(), EPOLLIN, data) ? 0 : errno;
  }
  if (filter == EVFILT_USER) return 0;
  const int fd = static_cast<int>(ident);
  knote->was_connecting = IsConnecting(fd);
  uint32_t events = filter == EVFILT_READ ? EPOLLIN | EPOLLRDHUP : EPOLLOUT;
  if ((knote->mode & EV_CLEAR) != 0) events |= EPOLLET;
  const uint64_t data = uint64_t{knote->generation} << 32 | static_cast<uint32_t>(fd);
  return Watch(SetOf(filter), is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, events, data) ? 0 : errno;
}

// epoll reports EPOLLERR and EPOLLHUP of all that is in a set: what is disabled is not in it.
void Kqueue::Disarm(const Key& key, Knote* knote) {
  const auto [filter, ident] = key;
  if (filter == EVFILT_TIMER) Watch(outer(), EPOLL_CTL_MOD, knote->timer.get(), 0, 0);
  if (IsDescriptorFilter(filter)) {
    Watch(SetOf(filter), EPOLL_CTL_DEL, static_cast<int>(ident), 0, 0);
  }
}

void Kqueue::Remove(Knotes::iterator found) {
  if (!found->second.disabled) Disarm(found->first, &found->second);
  knotes_.erase(found);
  UpdateUserFd();
}

void Kqueue::Forget(int fd) {
  for (const int16_t filter : {int16_t{EVFILT_READ}, int16_t{EVFILT_WRITE}}) {
    const auto found = knotes_.find({filter, static_cast<uintptr_t>(fd)});
    if (found != knotes_.end()) Remove(found);
  }
}

// The eventfd is up while a knote is triggered: it wakes waiters, and makes the kqueue readable.
void Kqueue::UpdateUserFd() {
  bool up = false;
  auto user = knotes_.lower_bound({EVFILT_USER, 0});
  for (; !up && user != knotes_.end() && user->first.first == EVFILT_USER; ++user) {
    up = user->second.triggered && !user->second.disabled;
  }
  if (up == user_is_up_) return;
  user_is_up_ = up;
  uint64_t count = 1;
  const ssize_t done =
      up ? write(user_.get(), &count, sizeof count) : read(user_.get(), &count, sizeof count);
  static_cast<void>(done);
}

int Kqueue::Collect(Event* events, int count) {
  epoll_event ready[kBatch];
  const int found = epoll_wait(outer(), ready, kBatch, 0);
  int filled = 0;
  ++turn_;  // Where there is little room, each comes first once.
  for (int i = 0; i < found && filled < count; ++i) {
    const uint64_t data = ready[(turn_ + static_cast<unsigned>(i)) % found].data.u64;
    Event* next = events + filled;
    const int room = count - filled;
    switch (data) {
      case kReadSet: filled += CollectSet(EVFILT_READ, next, room); break;
      case kWriteSet: filled += CollectSet(EVFILT_WRITE, next, room); break;
      case kUserFd: filled += CollectUsers(next, room); break;
      default: filled += CollectTimer(data, next);
    }
  }
  UpdateUserFd();
  return filled;
}

int Kqueue::CollectUsers(Event* events, int count) {
  int filled = 0;
  auto next = knotes_.lower_bound({EVFILT_USER, 0});
  while (next != knotes_.end() && next->first.first == EVFILT_USER && filled < count) {
    const auto found = next++;
    Knote& knote = found->second;
    if (!knote.triggered || knote.disabled) continue;
    const uint32_t fflags = knote.fflags;
    if ((knote.mode & EV_CLEAR) != 0) {
      knote.triggered = false;
      knote.fflags = 0;
    }
    Deliver(found, &events[filled++], 0, fflags, 0);
  }
  return filled;
}

int Kqueue::CollectTimer(uint64_t data, Event* event) {
  const auto found = std::find_if(knotes_.begin(), knotes_.end(), [data](const auto& entry) {
    return entry.first.first == EVFILT_TIMER && TimerData(entry.second) == data;
  });
  uint64_t expirations = 0;
  if (found == knotes_.end() ||
      read(found->second.timer.get(), &expirations, sizeof expirations) <= 0) {
    return 0;
  }
  Deliver(found, event, static_cast<intptr_t>(expirations), 0, EV_CLEAR);
  return 1;
}

int Kqueue::CollectSet(int16_t filter, Event* events, int count) {
  epoll_event ready[kBatch];
  const int found = epoll_wait(SetOf(filter), ready, std::min(count, kBatch), 0);
  int filled = 0;
  for (int i = 0; i < found; ++i) {
    const auto fd = static_cast<uint32_t>(ready[i].data.u64);
    const auto generation = static_cast<uint32_t>(ready[i].data.u64 >> 32);
    const auto knote = knotes_.find({filter, fd});
    if (knote == knotes_.end() || knote->second.generation != generation) continue;
    DeliverDescriptor(knote, ready[i].events, &events[filled++]);
  }
  return filled;
}

void Kqueue::DeliverDescriptor(Knotes::iterator found, uint32_t conditions, Event* event) {
  const int fd = static_cast<int>(found->first.second);
  const bool reads = found->first.first == EVFILT_READ;
  const bool hung_up = (conditions & (EPOLLHUP | EPOLLERR)) != 0;
  const bool ended = !IsDatagram(fd) && (hung_up || (reads && (conditions & EPOLLRDHUP) != 0));
  const uint32_t error = (conditions & EPOLLERR) != 0 ? SocketError(fd, found->second) : 0;
  found->second.was_connecting = IsConnecting(fd);
  Deliver(found, event, reads ? Readable(fd) : Writable(fd), error, ended ? EV_EOF : 0);
}

void Kqueue::Deliver(Knotes::iterator found, Event* event, intptr_t data, uint32_t fflags,
                     uint16_t flags) {
  Knote& knote = found->second;
  flags |= knote.mode | EV_ADD;
  EV_SET(event, found->first.second, found->first.first, flags, fflags, data, knote.udata);
  if ((knote.mode & EV_ONESHOT) != 0) {
    Remove(found);
  } else if ((knote.mode & EV_DISPATCH) != 0) {
    Disarm(found->first, &knote);
    knote.disabled = true;
  }
}

// --- All kqueues ----------------------------------------------------------------------------

// One lock for all: nobody holds it while waiting.
std::mutex& Lock() {
  static auto* lock = new std::mutex;  // Never destroyed: threads may close until the very end.
  return *lock;
}

std::map<int, std::shared_ptr<Kqueue>>& Kqueues() {
  static auto* kqueues = new std::map<int, std::shared_ptr<Kqueue>>;
  return *kqueues;
}

std::shared_ptr<Kqueue> Find(int kq) {
  const auto found = Kqueues().find(kq);
  return found == Kqueues().end() ? nullptr : found->second;
}

// A number is about to be closed.
void ForgetEverywhere(int fd) {
  const std::lock_guard<std::mutex> guard(Lock());
  for (auto& [kq, kqueue] : Kqueues()) kqueue->Forget(fd);
  Kqueues().erase(fd);
}

// A duplicate of a kqueue is one too.
int Duplicate(int oldfd, int newfd) {
  const std::lock_guard<std::mutex> guard(Lock());
  const std::shared_ptr<Kqueue> kqueue = Find(oldfd);
  if (newfd >= 0 && kqueue != nullptr) Kqueues()[newfd] = kqueue;
  return newfd;
}

// Applies changes as long as there is room for what must be told about them. Answers how many
// events were filled with that, or -1.
int Apply(Kqueue* kqueue, const Event* changes, int nchanges, Event* events, int nevents) {
  int filled = 0;
  for (int i = 0; i < nchanges; ++i) {
    const int error = kqueue->Change(changes[i]);
    if (error == 0 && (changes[i].flags & EV_RECEIPT) == 0) continue;
    if (filled == nevents) {
      errno = error;
      return error == 0 ? filled : -1;
    }
    events[filled] = changes[i];
    events[filled].flags |= EV_ERROR;
    events[filled++].data = error;
  }
  return filled;
}

int64_t NowNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * kNanosecondsPerSecond + now.tv_nsec;
}

constexpr int64_t kForever = -1;

// When a timeout is over.
int64_t DeadlineNs(const timespec* timeout) {
  constexpr int64_t kMostSeconds = 4'000'000'000;
  if (timeout == nullptr || timeout->tv_sec > kMostSeconds) return kForever;
  return NowNs() + int64_t{timeout->tv_sec} * kNanosecondsPerSecond + timeout->tv_nsec;
}

// Waits until the kqueue may have something: 1, or 0 if the time has passed, or -1.
int WaitUntil(const Kqueue& kqueue, int64_t deadline_ns) {
  pollfd fd{kqueue.outer(), POLLIN, 0};
  const bool forever = deadline_ns == kForever;
  const int64_t left_ns = forever ? 0 : std::max<int64_t>(deadline_ns - NowNs(), 0);
  const timespec left{left_ns / kNanosecondsPerSecond, left_ns % kNanosecondsPerSecond};
  return ppoll(&fd, 1, forever ? nullptr : &left, nullptr);
}

}  // namespace

extern "C" int kqueue(void) {
  auto made = std::make_shared<Kqueue>();
  const int kq = made->Open();
  if (kq < 0) return -1;
  const std::lock_guard<std::mutex> guard(Lock());
  Kqueues()[kq] = std::move(made);
  return kq;
}

extern "C" int kevent(int kq, const Event* changes, int nchanges, Event* events, int nevents,
                      const timespec* timeout) {
  std::unique_lock<std::mutex> guard(Lock());
  const std::shared_ptr<Kqueue> kqueue = Find(kq);
  if (kqueue == nullptr) {
    errno = EBADF;
    return -1;
  }
  if (timeout != nullptr &&
      (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec >= kNanosecondsPerSecond)) {
    errno = EINVAL;
    return -1;
  }
  const int told = Apply(kqueue.get(), changes, nchanges, events, nevents);
  if (told != 0 || nevents == 0) return told;
  const int64_t deadline_ns = DeadlineNs(timeout);
  for (;;) {
    const int filled = kqueue->Collect(events, nevents);
    if (filled > 0) return filled;
    // What was ready may have been a ghost, which epoll shows again and again.
    if (deadline_ns != kForever && NowNs() >= deadline_ns) return 0;
    guard.unlock();
    const int ready = WaitUntil(*kqueue, deadline_ns);
    if (ready <= 0) return ready;
    guard.lock();
  }
}

extern "C" int __wrap_close(int fd) {
  ForgetEverywhere(fd);
  return __real_close(fd);
}

extern "C" int __wrap_dup(int oldfd) { return Duplicate(oldfd, __real_dup(oldfd)); }

extern "C" int __wrap_dup2(int oldfd, int newfd) {
  if (oldfd != newfd && fcntl(oldfd, F_GETFD) >= 0) ForgetEverywhere(newfd);
  return Duplicate(oldfd, __real_dup2(oldfd, newfd));
}

extern "C" int __wrap_dup3(int oldfd, int newfd, int flags) {
  if (oldfd != newfd && fcntl(oldfd, F_GETFD) >= 0) ForgetEverywhere(newfd);
  return Duplicate(oldfd, __real_dup3(oldfd, newfd, flags));
}
