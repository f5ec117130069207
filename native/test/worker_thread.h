// Threads that are to the core what workers of Node are: not the main one.
#ifndef RAW_EPOLL_TEST_WORKER_THREAD_H_
#define RAW_EPOLL_TEST_WORKER_THREAD_H_

#include <doctest/doctest.h>

#include <thread>

#include "core/environment.h"
#include "test/fake_node_api.h"

namespace raw_epoll {

// Runs `body(environment)` on a thread of its own, to its end.
template <typename Body>
void OnWorker(Body body) {
  std::thread([&] {
    fake::SetStopping(false);
    const Environment environment(nullptr);
    REQUIRE_FALSE(environment.is_main_thread());
    body(environment);
  }).join();
}

}  // namespace raw_epoll

#endif  // RAW_EPOLL_TEST_WORKER_THREAD_H_
