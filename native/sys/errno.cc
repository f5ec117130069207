// errnoName and strerror: what a negative answer means.
#include <cstdlib>
#include <cstring>

#include "core/arguments.h"
#include "core/errno_names.h"
#include "sys/functions.h"

namespace raw_epoll {

namespace {

napi_value Text(napi_env env, const char* text) {
  napi_value answer = nullptr;
  napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &answer);
  return answer;
}

// Both take 11 and -11.
int ErrorNumber(Arguments& args) {
  const int error_number = args.Int(0, "errno");
  return error_number < 0 && error_number != INT32_MIN ? -error_number : error_number;
}

napi_value ErrnoNameOf(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 1);
  const int error_number = ErrorNumber(args);
  if (args.failed()) return nullptr;
  const char* name = ErrnoName(error_number);
  return Text(env, name != nullptr ? name : "UNKNOWN");
}

// strerror_r comes in two forms: glibc's answers the text, the standard one fills the buffer.
[[maybe_unused]] const char* Message(const char* text, const char*) { return text; }
[[maybe_unused]] const char* Message(int, const char* buffer) { return buffer; }

napi_value Strerror(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 1);
  const int error_number = ErrorNumber(args);
  if (args.failed()) return nullptr;
  char buffer[128] = {0};
  return Text(env, Message(strerror_r(error_number, buffer, sizeof buffer), buffer));
}

}  // namespace

FunctionList ErrnoFunctions() { return {{"errnoName", ErrnoNameOf}, {"strerror", Strerror}}; }

}  // namespace raw_epoll
