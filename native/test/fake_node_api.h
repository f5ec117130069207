// The few functions of Node-API that native/core needs, without Node.
#ifndef RAW_EPOLL_TEST_FAKE_NODE_API_H_
#define RAW_EPOLL_TEST_FAKE_NODE_API_H_

namespace raw_epoll::fake {

// What the stop probe of an environment meets.
void SetStopping(bool stopping);

// How often the probe asked since the last SetStopping.
int ProbeCount();

// From now on the environment begins to stop after so many probes.
void StopAfterProbes(int probes);

}  // namespace raw_epoll::fake

#endif  // RAW_EPOLL_TEST_FAKE_NODE_API_H_
