// Where the kernel keeps the fields of its structs, for the arrays of TypeScript.
#ifndef RAW_EPOLL_SYS_LAYOUT_H_
#define RAW_EPOLL_SYS_LAYOUT_H_

#include <node_api.h>

namespace raw_epoll {

// An object of numbers. What the platform lacks is absent.
napi_value MakeLayout(napi_env env);

}  // namespace raw_epoll

#endif  // RAW_EPOLL_SYS_LAYOUT_H_
