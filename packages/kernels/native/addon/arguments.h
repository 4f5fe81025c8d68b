// arguments.h -- what JavaScript passes to the addon, as C++ values, and errors the other way.
#pragma once
#include <node_api.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "executor/api.h"

namespace espalier {
namespace addon {

struct Environment;  // addon/handles.h

constexpr std::size_t kMaxArguments = 4;

struct Arguments {
  napi_value values[kMaxArguments];
  Environment* environment;
};

Arguments arguments_of(napi_env env, napi_callback_info info);

napi_value error_of(napi_env env, int32_t status, const char* message, int64_t instruction);

// Throws the last error when `status` is one; true when it did.
bool threw(napi_env env, const Api& api, int32_t status);

// What an external points at; null, with an exception pending, when `value` is none.
void* external_of(napi_env env, napi_value value);

template <class Handle>
Handle* handle_of(napi_env env, napi_value value) {
  return static_cast<Handle*>(external_of(env, value));
}

int64_t integer_of(napi_env env, napi_value value);

std::string text_of(napi_env env, napi_value value);

struct Bytes {
  char* data;
  int64_t length;
};

// Of a typed array; {null, 0} when `value` is none.
Bytes bytes_of(napi_env env, napi_value value);

// A Float64Array of whole numbers; exact up to 2^53.
std::vector<int64_t> integers_of(napi_env env, napi_value value);

napi_value undefined(napi_env env);

napi_value property(napi_env env, napi_value object, const char* name);

}  // namespace addon
}  // namespace espalier
