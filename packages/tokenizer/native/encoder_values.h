// encoder_values.h -- the definition of an encoder from arguments of a call from Node.
#pragma once
#include "core/encode_core.h"
#include "node_values.h"

namespace espalier {

// From tokens: Uint8Array, offsets: Uint32Array, classes: Uint8Array, pattern: number. Null, or what is wrong with them.
inline const char* definition_of(napi_env env, const napi_value* values, EncoderDefinition& definition) {
  Array<std::uint8_t> tokens, classes;
  Array<std::uint32_t> offsets;
  std::int32_t pattern = 0;
  if (!array_of(env, values[0], napi_uint8_array, tokens) || !array_of(env, values[1], napi_uint32_array, offsets) ||
      !array_of(env, values[2], napi_uint8_array, classes) || napi_get_value_int32(env, values[3], &pattern) != napi_ok ||
      offsets.length == 0 || offsets.data[offsets.length - 1] > tokens.length || classes.length != kNumCodePoints) {
    return "tokenizer: an encoder takes tokens, offsets, classes and a pattern";
  }
  for (std::size_t i = 0; i + 1 < offsets.length; ++i) {
    if (offsets.data[i] > offsets.data[i + 1]) return "tokenizer: offsets fall";
  }
  definition = {tokens.data, offsets.data, std::uint32_t(offsets.length - 1), classes.data, Pattern(pattern)};
  return nullptr;
}

}  // namespace espalier
