// node_values.h -- reading arguments of a call from Node, and making values for it.
#pragma once
#include <node_api.h>

#include <cstddef>
#include <cstring>
#include <new>
#include <vector>

namespace espalier {

constexpr std::size_t kMaxArguments = 8;

struct Arguments {
  napi_value values[kMaxArguments] = {};
  std::size_t count = kMaxArguments;
};

inline Arguments arguments_of(napi_env env, napi_callback_info info) {
  Arguments arguments;
  napi_get_cb_info(env, info, &arguments.count, arguments.values, nullptr, nullptr);
  return arguments;
}

template <class T>
struct Array {
  T* data = nullptr;
  std::size_t length = 0;
};

template <class T>
inline bool array_of(napi_env env, napi_value value, napi_typedarray_type wanted, Array<T>& array) {
  napi_typedarray_type type;
  void* data = nullptr;
  const bool ok = napi_get_typedarray_info(env, value, &type, &array.length, &data, nullptr, nullptr) == napi_ok && type == wanted;
  array.data = static_cast<T*>(data);
  return ok;
}

// An array of its own with these values; throws std::bad_alloc.
template <class T>
inline napi_value array_from(napi_env env, napi_typedarray_type type, const std::vector<T>& values) {
  void* data = nullptr;
  napi_value buffer, array;
  if (napi_create_arraybuffer(env, values.size() * sizeof(T), &data, &buffer) != napi_ok) throw std::bad_alloc();
  if (!values.empty()) std::memcpy(data, values.data(), values.size() * sizeof(T));
  napi_create_typedarray(env, type, values.size(), buffer, 0, &array);
  return array;
}

inline napi_value fail(napi_env env, const char* message) {
  napi_throw_error(env, nullptr, message);
  return nullptr;
}

}  // namespace espalier
