// Fills properties of the caller's object in. Setters may run any code of the user.
#ifndef RAW_EPOLL_CORE_FILLER_H_
#define RAW_EPOLL_CORE_FILLER_H_

#include <node_api.h>

#include <string>

namespace raw_epoll {

class Filler {
 public:
  Filler(napi_env env, napi_value object) : env_(env), object_(object) {}

  Filler& Set(const char* name, double number) {
    napi_value value = nullptr;
    if (ok_) ok_ = napi_create_double(env_, number, &value) == napi_ok && Put(name, value);
    return *this;
  }

  Filler& Set(const char* name, const std::string& text) {
    napi_value value = nullptr;
    if (ok_) {
      ok_ = napi_create_string_utf8(env_, text.data(), text.size(), &value) == napi_ok &&
            Put(name, value);
    }
    return *this;
  }

  // False if a setter threw: what comes after it is left alone.
  bool ok() const { return ok_; }

 private:
  bool Put(const char* name, napi_value value) {
    return napi_set_named_property(env_, object_, name, value) == napi_ok;
  }

  napi_env env_;
  napi_value object_;
  bool ok_ = true;
};

}  // namespace raw_epoll

#endif  // RAW_EPOLL_CORE_FILLER_H_
