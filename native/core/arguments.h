// Reads and checks the arguments of one call.
//
// Every native function has the same shape:
//
//   napi_value Listen(napi_env env, napi_callback_info info) {
//     Arguments args(env, info, 2);
//     const int fd = args.Int(0, "fd");
//     const int backlog = args.Int(1, "backlog");
//     if (args.failed()) return nullptr;
//     return args.Answer(ResultOrErrno(::listen(fd, backlog)));
//   }
//
// The first argument that does not fit throws (ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE); what is
// read after it answers zeros. Nothing is coerced, so no code of the user runs, but for the
// properties of objects and arrays. Those are read before any slice: a getter can detach or
// shrink a buffer, and a pointer is only good until JavaScript runs again.
#ifndef RAW_EPOLL_CORE_ARGUMENTS_H_
#define RAW_EPOLL_CORE_ARGUMENTS_H_

#include <node_api.h>

#include <climits>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/environment.h"

namespace raw_epoll {

// Bytes of an ArrayBufferView. Valid until JavaScript runs again.
struct Slice {
  uint8_t* data = nullptr;
  size_t length = 0;
};

class Arguments {
 public:
  Arguments(napi_env env, napi_callback_info info, size_t count) : env_(env) {
    void* data = nullptr;
    // What the caller left out arrives as undefined.
    if (napi_get_cb_info(env, info, &count, values_, nullptr, &data) != napi_ok) Fail();
    environment_ = static_cast<Environment*>(data);
  }

  bool failed() const { return failed_; }
  napi_env env() const { return env_; }
  Environment& environment() const { return *environment_; }
  napi_value value(size_t index) const { return values_[index]; }

  bool IsMissing(size_t index) const { return TypeOf(values_[index]) == napi_undefined; }
  bool IsMissingOrNull(size_t index) const { return IsUndefinedOrNull(values_[index]); }
  bool IsNumber(size_t index) const { return TypeOf(values_[index]) == napi_number; }

  int Int(size_t index, const char* name) {
    return static_cast<int>(IntegerOf(values_[index], name, INT_MIN, INT_MAX));
  }
  // A bit mask: JavaScript's `|` yields int32 (EPOLLET is bit 31), constants are uint32.
  uint32_t Mask(size_t index, const char* name) {
    return static_cast<uint32_t>(
        static_cast<int64_t>(IntegerOf(values_[index], name, INT_MIN, UINT_MAX)));
  }
  uint32_t Uint32(size_t index, const char* name);
  // Any number but NaN.
  double Number(size_t index, const char* name);
  // Full 64 bits: a bigint, or a number that is a safe integer.
  uint64_t Uint64(size_t index, const char* name);
  int64_t Int64(size_t index, const char* name) { return Int64Of(values_[index], name); }

  // A function, not called here.
  napi_value Function(size_t index, const char* name);

  // An object, and what is in it. Reading a property may run any code of the user.
  void Object(size_t index, const char* name) { ObjectOf(values_[index], name); }
  void ObjectOf(napi_value value, const char* name);
  napi_value Property(size_t index, const char* property) {
    return PropertyOf(values_[index], property);
  }
  napi_value PropertyOf(napi_value object, const char* property);
  bool IsUndefined(napi_value value) const { return TypeOf(value) == napi_undefined; }
  bool IsUndefinedOrNull(napi_value value) const {
    const napi_valuetype type = TypeOf(value);
    return type == napi_undefined || type == napi_null;
  }
  double IntegerOf(napi_value value, const char* name, double lowest, double highest) {
    double number = 0;
    if (!failed_ && napi_get_value_double(env_, value, &number) == napi_ok &&
        IsIntegerBetween(number, lowest, highest)) {
      return number;
    }
    return RefuseInteger(value, name, lowest, highest);
  }
  int64_t Int64Of(napi_value value, const char* name);
  std::string TextOf(napi_value value, const char* name);

  // A whole view.
  Slice View(size_t index, const char* name) {
    Slice slice;
    if (!failed_ && !ReadView(values_[index], &slice)) {
      ThrowType(name, "TypedArray or DataView", values_[index]);
    }
    return slice;
  }
  // `buffer, offset, length`: three arguments from `index` on; the slice lies inside the view.
  Slice BufferSlice(size_t index) {
    const Slice view = View(index, "buffer");
    const auto view_length = static_cast<double>(view.length);
    const double offset = IntegerOf(values_[index + 1], "offset", 0, view_length);
    const double length = IntegerOf(values_[index + 2], "length", 0, view_length - offset);
    if (failed_) return {};
    return {view.data + static_cast<size_t>(offset), static_cast<size_t>(length)};
  }
  // A typed array of just that type with at least `count` elements.
  Slice TypedArray(size_t index, const char* name, napi_typedarray_type type, size_t count) {
    return TypedArrayOf(values_[index], name, type, count);
  }
  Slice TypedArrayOf(napi_value value, const char* name, napi_typedarray_type type, size_t count);
  // An array of views; each lies whole in the answer.
  std::vector<Slice> Views(size_t index, const char* name, size_t most) {
    return ViewsOf(ViewElements(values_[index], name, most), name);
  }
  // The same in two steps, for a call that reads more that can run JavaScript in between.
  std::vector<napi_value> ViewElements(napi_value array, const char* name, size_t most);
  std::vector<Slice> ViewsOf(const std::vector<napi_value>& elements, const char* name);
  // Numbers of an array.
  std::vector<int> Ints(size_t index, const char* name, size_t most, int lowest, int highest);

  // kStopping answers nothing. Results are int32 almost always, and those need no heap number.
  napi_value Answer(int64_t result) {
    napi_value answer = nullptr;
    if (result >= INT_MIN && result <= INT_MAX) {
      napi_create_int32(env_, static_cast<int32_t>(result), &answer);
      return answer;
    }
    return AnswerLarge(result);
  }

  void ThrowType(const char* name, const char* expected, napi_value received);
  void ThrowRange(const char* name, const std::string& expected, napi_value received);
  // Something of JavaScript's own failed: its exception is pending, or the environment stops.
  void Fail() { failed_ = true; }
  // The same after the kernel was asked; throws `message` if nothing is pending.
  void FailWithPending(const char* message);

 private:
  static constexpr size_t kMostArguments = 8;

  // Bounds lie within the safe integers. NaN fails both comparisons.
  static bool IsIntegerBetween(double number, double lowest, double highest) {
    return number >= lowest && number <= highest &&
           static_cast<double>(static_cast<int64_t>(number)) == number;
  }
  napi_valuetype TypeOf(napi_value value) const;
  double RefuseInteger(napi_value value, const char* name, double lowest, double highest);
  napi_value AnswerLarge(int64_t result);
  std::vector<napi_value> Elements(napi_value array, const char* name, const char* expected,
                                   size_t most);
  bool ReadView(napi_value value, Slice* slice) {
    napi_typedarray_type type = napi_uint8_array;
    size_t count = 0;
    void* data = nullptr;
    // Refuses what is no typed array. A detached or out-of-bounds one has no elements.
    if (napi_get_typedarray_info(env_, value, &type, &count, &data, nullptr, nullptr) != napi_ok) {
      return ReadDataView(value, slice);
    }
    const size_t element_size = type == napi_uint8_array ? 1 : ElementSize(type);
    *slice = {static_cast<uint8_t*>(data), count * element_size};
    return element_size != 0;
  }
  bool ReadDataView(napi_value value, Slice* slice);
  static size_t ElementSize(napi_typedarray_type type);

  napi_env env_;
  Environment* environment_ = nullptr;
  bool failed_ = false;
  napi_value values_[kMostArguments];
};

// Stands for a call that this system lacks: answers as a kernel without it would.
napi_value NotHere(napi_env env, napi_callback_info info);

}  // namespace raw_epoll

#endif  // RAW_EPOLL_CORE_ARGUMENTS_H_
