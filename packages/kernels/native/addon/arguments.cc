#include "addon/arguments.h"

#include "espalier.h"

namespace espalier {
namespace addon {

Arguments arguments_of(napi_env env, napi_callback_info info) {
  Arguments arguments{};
  std::size_t count = kMaxArguments;
  void* data = nullptr;
  napi_get_cb_info(env, info, &count, arguments.values, nullptr, &data);
  arguments.environment = static_cast<Environment*>(data);
  return arguments;
}

napi_value error_of(napi_env env, int32_t status, const char* message, int64_t instruction) {
  napi_value text, error, value;
  napi_create_string_utf8(env, message, NAPI_AUTO_LENGTH, &text);
  napi_create_error(env, nullptr, text, &error);
  napi_create_int32(env, status, &value);
  napi_set_named_property(env, error, "status", value);
  napi_create_int64(env, instruction, &value);
  napi_set_named_property(env, error, "instruction", value);
  return error;
}

bool threw(napi_env env, const Api& api, int32_t status) {
  if (status == ESPALIER_OK) return false;
  napi_throw(env, error_of(env, status, api.espalier_last_error(), api.espalier_last_error_instruction()));
  return true;
}

void* external_of(napi_env env, napi_value value) {
  void* data = nullptr;
  if (napi_get_value_external(env, value, &data) != napi_ok || !data) {
    napi_throw_error(env, nullptr, "the handle is not one of this addon.");
    return nullptr;
  }
  return data;
}

int64_t integer_of(napi_env env, napi_value value) {
  int64_t number = 0;
  napi_get_value_int64(env, value, &number);
  return number;
}

std::string text_of(napi_env env, napi_value value) {
  std::size_t length = 0;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok) return "";
  std::string text(length, '\0');
  napi_get_value_string_utf8(env, value, &text[0], length + 1, &length);
  return text;
}

Bytes bytes_of(napi_env env, napi_value value) {
  napi_typedarray_type type;
  std::size_t count = 0, offset = 0;
  void* data = nullptr;
  napi_value buffer;
  if (napi_get_typedarray_info(env, value, &type, &count, &data, &buffer, &offset) != napi_ok) return {nullptr, 0};
  static const std::size_t widths[] = {1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8};  // in the order of napi_typedarray_type
  const std::size_t width = static_cast<std::size_t>(type) < sizeof(widths) / sizeof(widths[0]) ? widths[type] : 1;
  return {static_cast<char*>(data), static_cast<int64_t>(count * width)};
}

std::vector<int64_t> integers_of(napi_env env, napi_value value) {
  const Bytes bytes = bytes_of(env, value);
  const double* numbers = reinterpret_cast<const double*>(bytes.data);
  return std::vector<int64_t>(numbers, numbers + bytes.length / 8);
}

napi_value undefined(napi_env env) {
  napi_value value;
  napi_get_undefined(env, &value);
  return value;
}

napi_value property(napi_env env, napi_value object, const char* name) {
  napi_value value = nullptr;
  napi_get_named_property(env, object, name, &value);
  return value;
}

}  // namespace addon
}  // namespace espalier
