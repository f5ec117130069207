#include "core/arguments.h"

#include <climits>
#include <cmath>

#include "core/blocking_wait.h"

namespace raw_epoll {

namespace {

constexpr double kMaxSafeInteger = 9007199254740991.0;
constexpr const char* kTypeCode = "ERR_INVALID_ARG_TYPE";
constexpr const char* kRangeCode = "ERR_OUT_OF_RANGE";
constexpr const char* kViewsExpected = "Array of TypedArray or DataView";

const char* TypeName(napi_env env, napi_value value) {
  napi_valuetype type = napi_undefined;
  napi_typeof(env, value, &type);
  switch (type) {
    case napi_undefined: return "undefined";
    case napi_null: return "null";
    case napi_boolean: return "type boolean";
    case napi_number: return "type number";
    case napi_string: return "type string";
    case napi_symbol: return "type symbol";
    case napi_function: return "type function";
    case napi_bigint: return "type bigint";
    default: return "an object";
  }
}

// The value as a message shows it; only for numbers and bigints, which run no code of the user.
std::string Shown(napi_env env, napi_value value) {
  napi_valuetype type = napi_undefined;
  napi_typeof(env, value, &type);
  if (type != napi_number && type != napi_bigint) return TypeName(env, value);
  napi_value text = nullptr;
  char buffer[64] = {0};
  if (napi_coerce_to_string(env, value, &text) != napi_ok ||
      napi_get_value_string_utf8(env, text, buffer, sizeof buffer, nullptr) != napi_ok) {
    return TypeName(env, value);
  }
  return std::string(buffer) + (type == napi_bigint ? "n" : "");
}

// Bounds are integers that an int64_t holds.
std::string Range(double lowest, double highest) {
  return "an integer >= " + std::to_string(static_cast<int64_t>(lowest)) +
         " and <= " + std::to_string(static_cast<int64_t>(highest));
}

}  // namespace

size_t Arguments::ElementSize(napi_typedarray_type type) {
  switch (type) {
    case napi_int8_array:
    case napi_uint8_array:
    case napi_uint8_clamped_array: return 1;
    case napi_int16_array:
    case napi_uint16_array: return 2;
    case napi_int32_array:
    case napi_uint32_array:
    case napi_float32_array: return 4;
    case napi_float64_array:
    case napi_bigint64_array:
    case napi_biguint64_array: return 8;
    default: return 0;
  }
}

napi_valuetype Arguments::TypeOf(napi_value value) const {
  napi_valuetype type = napi_undefined;
  napi_typeof(env_, value, &type);
  return type;
}

// napi_get_value_int32 wraps and truncates: every number is read as the double it is, and checked.
double Arguments::RefuseInteger(napi_value value, const char* name, double lowest, double highest) {
  if (failed_) return 0;
  if (TypeOf(value) == napi_number) {
    ThrowRange(name, Range(lowest, highest), value);
  } else {
    ThrowType(name, "number", value);
  }
  return 0;
}

uint32_t Arguments::Uint32(size_t index, const char* name) {
  return static_cast<uint32_t>(IntegerOf(values_[index], name, 0, UINT_MAX));
}

double Arguments::Number(size_t index, const char* name) {
  if (failed_) return 0;
  double number = 0;
  if (napi_get_value_double(env_, values_[index], &number) != napi_ok) {
    ThrowType(name, "number", values_[index]);
  } else if (std::isnan(number)) {
    ThrowRange(name, "a number", values_[index]);
  }
  return failed_ ? 0 : number;
}

uint64_t Arguments::Uint64(size_t index, const char* name) {
  if (failed_) return 0;
  const napi_value value = values_[index];
  uint64_t number = 0;
  bool lossless = false;
  switch (TypeOf(value)) {
    case napi_number: return static_cast<uint64_t>(IntegerOf(value, name, 0, kMaxSafeInteger));
    case napi_bigint: napi_get_value_bigint_uint64(env_, value, &number, &lossless); break;
    default: ThrowType(name, "number or bigint", value); return 0;
  }
  if (!lossless) ThrowRange(name, "an integer >= 0 and < 2 ** 64", value);
  return number;
}

int64_t Arguments::Int64Of(napi_value value, const char* name) {
  if (failed_) return 0;
  int64_t number = 0;
  bool lossless = false;
  switch (TypeOf(value)) {
    case napi_number:
      return static_cast<int64_t>(IntegerOf(value, name, -kMaxSafeInteger, kMaxSafeInteger));
    case napi_bigint: napi_get_value_bigint_int64(env_, value, &number, &lossless); break;
    default: ThrowType(name, "number or bigint", value); return 0;
  }
  if (!lossless) ThrowRange(name, "an integer >= -(2 ** 63) and < 2 ** 63", value);
  return number;
}

std::string Arguments::TextOf(napi_value value, const char* name) {
  if (failed_) return {};
  size_t length = 0;
  if (napi_get_value_string_utf8(env_, value, nullptr, 0, &length) != napi_ok) {
    ThrowType(name, "string", value);
    return {};
  }
  std::string text(length + 1, '\0');
  napi_get_value_string_utf8(env_, value, text.data(), text.size(), &length);
  text.resize(length);
  return text;
}

void Arguments::ObjectOf(napi_value value, const char* name) {
  if (failed_) return;
  if (TypeOf(value) != napi_object) ThrowType(name, "object", value);
}

napi_value Arguments::Function(size_t index, const char* name) {
  if (!failed_ && TypeOf(values_[index]) != napi_function) {
    ThrowType(name, "function", values_[index]);
  }
  return values_[index];
}

napi_value Arguments::PropertyOf(napi_value object, const char* property) {
  napi_value value = nullptr;
  if (failed_) return nullptr;
  if (napi_get_named_property(env_, object, property, &value) != napi_ok) Fail();
  return value;
}

bool Arguments::ReadDataView(napi_value value, Slice* slice) {
  bool is_dataview = false;
  size_t length = 0;
  size_t offset = 0;
  void* data = nullptr;
  napi_value buffer = nullptr;
  if (napi_is_dataview(env_, value, &is_dataview) != napi_ok || !is_dataview ||
      napi_get_dataview_info(env_, value, &length, &data, &buffer, &offset) != napi_ok) {
    return false;
  }
  // A DataView keeps its length when a resizable buffer shrinks below it: ask the buffer too.
  // Shared memory cannot shrink, and napi_get_arraybuffer_info refuses it on some versions.
  size_t buffer_length = 0;
  void* buffer_data = nullptr;
  if (napi_get_arraybuffer_info(env_, buffer, &buffer_data, &buffer_length) == napi_ok &&
      (offset > buffer_length || length > buffer_length - offset)) {
    length = 0;
  }
  *slice = {static_cast<uint8_t*>(data), length};
  return true;
}

Slice Arguments::TypedArrayOf(napi_value value, const char* name, napi_typedarray_type type,
                              size_t count) {
  if (failed_) return {};
  napi_typedarray_type actual = napi_uint8_array;
  size_t elements = 0;
  void* data = nullptr;
  const napi_status status =
      napi_get_typedarray_info(env_, value, &actual, &elements, &data, nullptr, nullptr);
  if (status != napi_ok || actual != type) {
    ThrowType(name, type == napi_int32_array ? "Int32Array" : "BigUint64Array", value);
  } else if (elements < count) {
    ThrowRange(name, "of at least " + std::to_string(count) + " elements", value);
  }
  if (failed_) return {};
  return {static_cast<uint8_t*>(data), elements * ElementSize(type)};
}

// Reads every element before the caller looks at one: a getter of the array may run code that
// detaches the buffer of another element, and pointers must come after all of that.
std::vector<napi_value> Arguments::Elements(napi_value array, const char* name,
                                            const char* expected, size_t most) {
  if (failed_) return {};
  bool is_array = false;
  uint32_t count = 0;
  if (napi_is_array(env_, array, &is_array) != napi_ok || !is_array) {
    ThrowType(name, expected, array);
  } else if (napi_get_array_length(env_, array, &count) != napi_ok) {
    Fail();
  } else if (count > most) {
    ThrowRange(name, "an array of at most " + std::to_string(most) + " elements", array);
  }
  if (failed_) return {};
  std::vector<napi_value> elements(count);
  for (uint32_t i = 0; i < count && !failed_; ++i) {
    if (napi_get_element(env_, array, i, &elements[i]) != napi_ok) Fail();
  }
  return elements;
}

std::vector<napi_value> Arguments::ViewElements(napi_value array, const char* name, size_t most) {
  return Elements(array, name, kViewsExpected, most);
}

std::vector<Slice> Arguments::ViewsOf(const std::vector<napi_value>& elements, const char* name) {
  std::vector<Slice> slices(elements.size());
  for (size_t i = 0; i < elements.size() && !failed_; ++i) {
    if (!ReadView(elements[i], &slices[i])) ThrowType(name, kViewsExpected, elements[i]);
  }
  return slices;
}

std::vector<int> Arguments::Ints(size_t index, const char* name, size_t most, int lowest,
                                 int highest) {
  const char* expected = "Array of number";
  const std::vector<napi_value> elements = Elements(values_[index], name, expected, most);
  std::vector<int> numbers(elements.size());
  for (size_t i = 0; i < elements.size() && !failed_; ++i) {
    double number = 0;
    if (napi_get_value_double(env_, elements[i], &number) != napi_ok) {
      ThrowType(name, expected, elements[i]);
    } else if (!IsIntegerBetween(number, lowest, highest)) {
      ThrowRange(name, Range(lowest, highest), elements[i]);
    } else {
      numbers[i] = static_cast<int>(number);
    }
  }
  return numbers;
}

napi_value Arguments::AnswerLarge(int64_t result) {
  napi_value answer = nullptr;
  if (result != kStopping) napi_create_double(env_, static_cast<double>(result), &answer);
  return answer;
}

void Arguments::ThrowType(const char* name, const char* expected, napi_value received) {
  if (failed_) return;
  Fail();
  const std::string message = std::string("The \"") + name + "\" argument must be of type " +
                              expected + ". Received " + TypeName(env_, received);
  napi_throw_type_error(env_, kTypeCode, message.c_str());
}

void Arguments::ThrowRange(const char* name, const std::string& expected, napi_value received) {
  if (failed_) return;
  Fail();
  const std::string message = std::string("The value of \"") + name +
                              "\" is out of range. It must be " + expected + ". Received " +
                              Shown(env_, received);
  napi_throw_range_error(env_, kRangeCode, message.c_str());
}

void Arguments::FailWithPending(const char* message) {
  bool pending = false;
  Fail();
  if (napi_is_exception_pending(env_, &pending) != napi_ok || pending) return;
  napi_throw_type_error(env_, kTypeCode, message);
}

napi_value NotHere(napi_env env, napi_callback_info info) {
  Arguments args(env, info, 0);
  return args.Answer(-ENOSYS);
}

}  // namespace raw_epoll
