// The export table: every family of system calls gives its functions as a list.
#ifndef RAW_EPOLL_SYS_FUNCTIONS_H_
#define RAW_EPOLL_SYS_FUNCTIONS_H_

#include <node_api.h>

#include <initializer_list>
#include <vector>

namespace raw_epoll {

struct Function {
  const char* name;
  napi_callback callback;
};

using FunctionList = std::vector<Function>;

// An object with these functions, which get `data`; nothing if the environment stops.
napi_value NewFunctions(napi_env env, void* data, std::initializer_list<FunctionList> families);

// Level 1: the system calls. They make plain numbers that nobody owns.
FunctionList DescriptorFunctions();
FunctionList EpollFunctions();
FunctionList ErrnoFunctions();
FunctionList EventfdFunctions();
FunctionList KqueueFunctions();
FunctionList PollFunctions();
FunctionList MessageFunctions();
FunctionList MmsgFunctions();
FunctionList NotifyFunctions();
FunctionList SocketFunctions();
FunctionList TransferFunctions();
FunctionList TimerfdFunctions();

// Level 2: the same calls where they make descriptors, which then belong to the environment and
// are closed at its end. Making and owning are one step, because a worker can be terminated
// between any two steps of JavaScript.
FunctionList OwnedDescriptorFunctions();
FunctionList OwnedEpollFunctions();
FunctionList OwnedEventfdFunctions();
FunctionList OwnedMessageFunctions();
FunctionList OwnedKqueueFunctions();
FunctionList OwnedNotifyFunctions();
FunctionList OwnedSocketFunctions();
FunctionList OwnedTimerfdFunctions();

// What opens a frame, and the calls of the hot path that have one.
FunctionList FrameFunctions();
FunctionList FramedDescriptorFunctions();
FunctionList FramedEpollFunctions();
FunctionList FramedSocketFunctions();

// What MmsgArray stands on.
FunctionList MmsgNameFunctions();

// Level 2: options of sockets that take structs.
FunctionList MulticastFunctions();

// Level 2: what epoll sets need beyond the system calls.
FunctionList HostFunctions();
FunctionList SetFunctions();
FunctionList KqueueSetFunctions();
FunctionList WakeFunctions();

// Level 2: channels between threads.
FunctionList ChannelFunctions();

// Level 4: signals in a pipe.
FunctionList SignalFunctions();

// Level 3: what the backends of Poller stand on.
FunctionList PollerFunctions();
FunctionList KqueuePollerFunctions();

}  // namespace raw_epoll

#endif  // RAW_EPOLL_SYS_FUNCTIONS_H_
