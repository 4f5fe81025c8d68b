// addon.cc -- Node's side of core/encode_core.h: unpack arguments, own the memory, call. Nothing is computed here.
//
//   instructionSets(): string[]                                    those of this build that this processor runs
//   create(tokens: Uint8Array, offsets: Uint32Array, classes: Uint8Array, pattern: number, set?: string): encoder
//       undefined when the vocabulary is not usable: the TypeScript path says what is wrong with it
//   encode(encoder, text: Uint8Array, out: Uint32Array): number    ids written
//   encodeDocuments(encoder, texts: Uint8Array, ends: Uint32Array, separator: number, out: Uint32Array, idEnds: Uint32Array): number
//       texts end to end, the id `separator` behind each unless it is negative; ids written, and where those of each text end
//
// What trains is in train/train_addon.cc, what reads JSON lines in lines/lines_addon.cc.
#include <node_api.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

#include "arena.h"
#include "instruction_set.h"
#include "lines/lines_addon.h"
#include "node_values.h"
#include "train/train_addon.h"

namespace {

using espalier::Arguments;
using espalier::arguments_of;
using espalier::Array;
using espalier::array_of;
using espalier::EncodeCore;
using espalier::fail;
using espalier::Status;

struct EncoderHandle {
  const EncodeCore* core;
  espalier::Arena arena;
  espalier::Encoder* encoder;
  void* scratch;
  std::size_t scratch_bytes;
  std::int64_t held_bytes;  // as told to the collector
};

void release(napi_env env, void* data, void*) {
  auto* handle = static_cast<EncoderHandle*>(data);
  std::int64_t total;
  napi_adjust_external_memory(env, -handle->held_bytes, &total);
  std::free(handle->scratch);
  free_arena(handle->arena);
  delete handle;
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
  Array<std::uint8_t> tokens, classes;
  Array<std::uint32_t> offsets;
  std::int32_t pattern = 0;
  if (!array_of(env, arguments.values[0], napi_uint8_array, tokens) || !array_of(env, arguments.values[1], napi_uint32_array, offsets) ||
      !array_of(env, arguments.values[2], napi_uint8_array, classes) || napi_get_value_int32(env, arguments.values[3], &pattern) != napi_ok ||
      offsets.length == 0 || offsets.data[offsets.length - 1] > tokens.length || classes.length != espalier::kNumCodePoints) {
    return fail(env, "tokenizer: create takes tokens, offsets, classes and a pattern");
  }
  for (std::size_t i = 0; i + 1 < offsets.length; ++i) {
    if (offsets.data[i] > offsets.data[i + 1]) return fail(env, "tokenizer: offsets fall");
  }
  char name[16] = "";
  if (arguments.count > 4) napi_get_value_string_utf8(env, arguments.values[4], name, sizeof name, nullptr);
  const EncodeCore* core = espalier::find_encode_core(*name ? name : nullptr);
  if (!core) return fail(env, "tokenizer: this processor lacks the instruction set");

  const espalier::EncoderDefinition definition{tokens.data, offsets.data, std::uint32_t(offsets.length - 1), classes.data, espalier::Pattern(pattern)};
  const std::size_t bytes = core->arena_bytes(definition);
  const espalier::Arena arena = espalier::allocate_arena(bytes);
  if (!arena.data) return fail(env, "tokenizer: out of memory");
  espalier::Encoder* encoder = nullptr;
  if (core->create(arena.data, bytes, definition, &encoder) != Status::kOk) {
    free_arena(arena);
    return nullptr;
  }
  auto* handle = new EncoderHandle{core, arena, encoder, nullptr, 0, std::int64_t(bytes)};
  napi_value external;
  if (napi_create_external(env, handle, release, nullptr, &external) != napi_ok) {
    free_arena(arena);
    delete handle;
    return fail(env, "tokenizer: no handle");
  }
  std::int64_t total;
  napi_adjust_external_memory(env, handle->held_bytes, &total);
  return external;
}

constexpr std::size_t kKeptScratchBytes = 1 << 22;

// Encodes one text; null, or what went wrong.
const char* encode_text(EncoderHandle& handle, espalier::EncodeRequest& request) {
  request.scratch = handle.scratch;
  request.scratch_bytes = handle.scratch_bytes;
  Status status = handle.core->encode(*handle.encoder, request);
  while (status == Status::kScratchTooSmall) {
    std::free(handle.scratch);
    handle.scratch = std::malloc(request.needed);
    handle.scratch_bytes = handle.scratch ? request.needed : 0;
    if (!handle.scratch) return "tokenizer: out of memory";
    request.scratch = handle.scratch;
    request.scratch_bytes = handle.scratch_bytes;
    status = handle.core->encode(*handle.encoder, request);
  }
  return status == Status::kOk ? nullptr : "tokenizer: no room for the ids";
}

// One long piece must not hold its memory for ever.
void shrink_scratch(EncoderHandle& handle) {
  if (handle.scratch_bytes <= kKeptScratchBytes) return;
  std::free(handle.scratch);
  handle.scratch = nullptr;
  handle.scratch_bytes = 0;
}

EncoderHandle* encoder_of(napi_env env, napi_value value) {
  void* data = nullptr;
  return napi_get_value_external(env, value, &data) == napi_ok ? static_cast<EncoderHandle*>(data) : nullptr;
}

napi_value uint32_of(napi_env env, std::size_t number) {
  napi_value value;
  napi_create_uint32(env, std::uint32_t(number), &value);
  return value;
}

napi_value encode(napi_env env, napi_callback_info info) {
  const Arguments arguments = arguments_of(env, info);
  EncoderHandle* const handle = encoder_of(env, arguments.values[0]);
  Array<std::uint8_t> text;
  Array<std::uint32_t> out;
  if (!handle || !array_of(env, arguments.values[1], napi_uint8_array, text) || !array_of(env, arguments.values[2], napi_uint32_array, out)) {
    return fail(env, "tokenizer: encode takes an encoder, bytes and room for ids");
  }
  espalier::EncodeRequest request{out.data, out.length, 0, 0, text.data, text.length, nullptr, 0};
  const char* const problem = encode_text(*handle, request);
  shrink_scratch(*handle);
  return problem ? fail(env, problem) : uint32_of(env, request.written);
}

napi_value encode_documents(napi_env env, napi_callback_info info) {
  const Arguments arguments = arguments_of(env, info);
  EncoderHandle* const handle = encoder_of(env, arguments.values[0]);
  Array<std::uint8_t> texts;
  Array<std::uint32_t> ends, out, id_ends;
  double separator = -1;
  if (!handle || !array_of(env, arguments.values[1], napi_uint8_array, texts) || !array_of(env, arguments.values[2], napi_uint32_array, ends) ||
      napi_get_value_double(env, arguments.values[3], &separator) != napi_ok || !array_of(env, arguments.values[4], napi_uint32_array, out) ||
      !array_of(env, arguments.values[5], napi_uint32_array, id_ends) || id_ends.length < ends.length) {
    return fail(env, "tokenizer: encodeDocuments takes an encoder, texts, their ends, a separator, and room for ids and their ends");
  }
  std::size_t begin = 0, count = 0;
  const char* problem = nullptr;
  for (std::size_t i = 0; i < ends.length && !problem; ++i) {
    const std::size_t end = ends.data[i];
    if (end < begin || end > texts.length) {
      problem = "tokenizer: ends fall, or lie behind the texts";
      break;
    }
    espalier::EncodeRequest request{out.data + count, out.length - count, 0, 0, texts.data + begin, end - begin, nullptr, 0};
    problem = encode_text(*handle, request);
    count += request.written;
    if (separator >= 0 && !problem) out.data[count++] = std::uint32_t(separator);  // the slack behind the ids has room for it
    id_ends.data[i] = std::uint32_t(count);
    begin = end;
  }
  shrink_scratch(*handle);
  return problem ? fail(env, problem) : uint32_of(env, count);
}

napi_value initialize(napi_env env, napi_value exports) {
  const napi_property_descriptor properties[] = {
      {"instructionSets", nullptr, instruction_sets, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"create", nullptr, create, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"encode", nullptr, encode, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"encodeDocuments", nullptr, encode_documents, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
  };
  napi_define_properties(env, exports, sizeof properties / sizeof *properties, properties);
  espalier::add_lines(env, exports);
  espalier::add_training(env, exports);
  return exports;
}

}  // namespace

NAPI_MODULE(espalier_tokenizer, initialize)
