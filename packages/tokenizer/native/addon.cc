// addon.cc -- Node's side of core/encode_core.h: unpack arguments, own the memory, call. Nothing is computed here.
//
//   instructionSets(): string[]                                    those of this build that this processor runs
//   create(tokens: Uint8Array, offsets: Uint32Array, classes: Uint8Array, pattern: number, set?: string): encoder
//       undefined when the vocabulary is not usable: the TypeScript path says what is wrong with it
//   encode(encoder, text: Uint8Array, out: Uint32Array): number    ids written
//   encodeDocuments(encoder, texts: Uint8Array, ends: Uint32Array, separator: number, out: Uint32Array, idEnds: Uint32Array): number
//       texts end to end, the id `separator` behind each unless it is negative; ids written, and where those of each text end
//
// BPE over characters is in characters_addon.cc, what trains in train/train_addon.cc, what reads JSON lines in
// lines/lines_addon.cc, what digests bytes in digest/digest_addon.cc, the threads of the pipeline in pool/pool_addon.cc.
#include <node_api.h>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <new>

#include "characters_addon.h"
#include "digest/digest_addon.h"
#include "encoder_values.h"
#include "inflate/gunzip_addon.h"
#include "instruction_set.h"
#include "lines/lines_addon.h"
#include "node_values.h"
#include "owned_encoder.h"
#include "pool/pool_addon.h"
#include "train/train_addon.h"

namespace {

using espalier::Arguments;
using espalier::arguments_of;
using espalier::Array;
using espalier::array_of;
using espalier::EncodeCore;
using espalier::fail;
using espalier::OwnedEncoder;

void release(napi_env env, void* data, void*) {
  auto* encoder = static_cast<OwnedEncoder*>(data);
  std::int64_t total;
  napi_adjust_external_memory(env, -encoder->held_bytes(), &total);
  delete encoder;
}

napi_value instruction_sets(napi_env env, napi_callback_info) {
  napi_value list;
  napi_create_array(env, &list);
  std::uint32_t count = 0;
  for (const char* name : {"portable", "avx2", "avx512"}) {
    if (!espalier::find_encode_core(name)) continue;
    napi_value text;
    napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &text);
    napi_set_element(env, list, count++, text);
  }
  return list;
}

napi_value create(napi_env env, napi_callback_info info) {
  const Arguments arguments = arguments_of(env, info);
  espalier::EncoderDefinition definition{};
  if (const char* problem = espalier::definition_of(env, arguments.values, definition)) return fail(env, problem);
  char name[16] = "";
  if (arguments.count > 4) napi_get_value_string_utf8(env, arguments.values[4], name, sizeof name, nullptr);
  const EncodeCore* core = espalier::find_encode_core(*name ? name : nullptr);
  if (!core) return fail(env, "tokenizer: this processor lacks the instruction set");

  std::unique_ptr<OwnedEncoder> encoder;
  try {
    encoder = OwnedEncoder::create(*core, definition);
  } catch (const std::bad_alloc&) {
    return fail(env, "tokenizer: out of memory");
  }
  if (!encoder) return nullptr;
  napi_value external;
  if (napi_create_external(env, encoder.get(), release, nullptr, &external) != napi_ok) return fail(env, "tokenizer: no handle");
  std::int64_t total;
  napi_adjust_external_memory(env, encoder.release()->held_bytes(), &total);
  return external;
}

OwnedEncoder* encoder_of(napi_env env, napi_value value) {
  void* data = nullptr;
  return napi_get_value_external(env, value, &data) == napi_ok ? static_cast<OwnedEncoder*>(data) : nullptr;
}

napi_value uint32_of(napi_env env, std::size_t number) {
  napi_value value;
  napi_create_uint32(env, std::uint32_t(number), &value);
  return value;
}

napi_value encode(napi_env env, napi_callback_info info) {
  const Arguments arguments = arguments_of(env, info);
  OwnedEncoder* const encoder = encoder_of(env, arguments.values[0]);
  Array<std::uint8_t> text;
  Array<std::uint32_t> out;
  if (!encoder || !array_of(env, arguments.values[1], napi_uint8_array, text) || !array_of(env, arguments.values[2], napi_uint32_array, out)) {
    return fail(env, "tokenizer: encode takes an encoder, bytes and room for ids");
  }
  std::size_t written = 0;
  const char* const problem = encoder->encode(text.data, text.length, out.data, out.length, written);
  return problem ? fail(env, problem) : uint32_of(env, written);
}

napi_value encode_documents(napi_env env, napi_callback_info info) {
  const Arguments arguments = arguments_of(env, info);
  OwnedEncoder* const encoder = encoder_of(env, arguments.values[0]);
  Array<std::uint8_t> texts;
  Array<std::uint32_t> ends, out, id_ends;
  double separator = -1;
  if (!encoder || !array_of(env, arguments.values[1], napi_uint8_array, texts) || !array_of(env, arguments.values[2], napi_uint32_array, ends) ||
      napi_get_value_double(env, arguments.values[3], &separator) != napi_ok || !array_of(env, arguments.values[4], napi_uint32_array, out) ||
      !array_of(env, arguments.values[5], napi_uint32_array, id_ends) || id_ends.length < ends.length) {
    return fail(env, "tokenizer: encodeDocuments takes an encoder, texts, their ends, a separator, and room for ids and their ends");
  }
  std::size_t written = 0;
  const char* const problem =
      encoder->encode_documents(texts.data, texts.length, ends.data, ends.length, separator, out.data, out.length, id_ends.data, written);
  return problem ? fail(env, problem) : uint32_of(env, written);
}

napi_value initialize(napi_env env, napi_value exports) {
  const napi_property_descriptor properties[] = {
      {"instructionSets", nullptr, instruction_sets, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"create", nullptr, create, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"encode", nullptr, encode, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"encodeDocuments", nullptr, encode_documents, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
  };
  napi_define_properties(env, exports, sizeof properties / sizeof *properties, properties);
  espalier::add_characters(env, exports);
  espalier::add_lines(env, exports);
  espalier::add_digest(env, exports);
  espalier::add_gunzip(env, exports);
  espalier::add_pool(env, exports);
  espalier::add_training(env, exports);
  return exports;
}

}  // namespace

NAPI_MODULE(espalier_tokenizer, initialize)
