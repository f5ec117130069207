// The numbers behind the kernel's names, as this machine's headers give them.
#ifndef RAW_EPOLL_SYS_CONSTANTS_H_
#define RAW_EPOLL_SYS_CONSTANTS_H_

#include <node_api.h>

namespace raw_epoll {

// A new plain object, name -> number, of the constants that this platform's headers define; nullptr
// if Node-API refuses a call. What they mean: see ts/sys/constants.ts.
napi_value MakeConstants(napi_env env);

}  // namespace raw_epoll

#endif  // RAW_EPOLL_SYS_CONSTANTS_H_
