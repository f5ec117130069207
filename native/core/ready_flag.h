// A condition as a descriptor: readable while the flag is raised. An eventfd, or a pipe where there
// is none.
#ifndef RAW_EPOLL_CORE_READY_FLAG_H_
#define RAW_EPOLL_CORE_READY_FLAG_H_

namespace raw_epoll {

// Remembers what the descriptor shows, so that raising it again is no system call. Not guarded:
// its owner has a lock. Nobody else reads or writes the descriptor.
class ReadyFlag {
 public:
  ReadyFlag() = default;
  ~ReadyFlag();
  ReadyFlag(const ReadyFlag&) = delete;
  ReadyFlag& operator=(const ReadyFlag&) = delete;

  // 0, or a negated errno.
  int Open(bool with_pipe);

  // To be watched for reading; -1 if it was not opened.
  int fd() const { return reader_; }

  // Neither can fail: there is always room for one, and always one to take.
  void Raise();
  void Lower();

 private:
  int reader_ = -1;
  int writer_ = -1;  // The same for an eventfd.
  bool is_raised_ = false;
};

}  // namespace raw_epoll

#endif  // RAW_EPOLL_CORE_READY_FLAG_H_
