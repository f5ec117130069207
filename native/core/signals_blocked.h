// Blocks every signal on the calling thread for as long as the object lives.
#ifndef RAW_EPOLL_CORE_SIGNALS_BLOCKED_H_
#define RAW_EPOLL_CORE_SIGNALS_BLOCKED_H_

#include <pthread.h>
#include <signal.h>

namespace raw_epoll {

class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace raw_epoll

#endif  // RAW_EPOLL_CORE_SIGNALS_BLOCKED_H_
