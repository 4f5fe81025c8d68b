#include "characters_addon.h"

#include <cstdlib>
#include <memory>
#include <new>

#include "arena.h"
#include "core/character_bpe.h"
#include "node_values.h"

namespace espalier {
namespace {

constexpr std::size_t kKeptScratchBytes = 1 << 22;

// An encoder with the memory it lives in.
struct OwnedCharacters {
  Arena arena;
  std::size_t held_bytes = 0;
  CharacterEncoder* encoder = nullptr;
  void* scratch = nullptr;
  std::size_t scratch_bytes = 0;

  ~OwnedCharacters() {
    std::free(scratch);
    if (arena.data) free_arena(arena);
  }
  bool reserve(std::size_t bytes) {
    std::free(scratch);
    scratch = bytes > 0 ? std::malloc(bytes) : nullptr;
    scratch_bytes = scratch ? bytes : 0;
    return scratch || bytes == 0;
  }
};

void release(napi_env env, void* data, void*) {
  auto* owned = static_cast<OwnedCharacters*>(data);
  std::int64_t total;
  napi_adjust_external_memory(env, -std::int64_t(owned->held_bytes), &total);
  delete owned;
}

napi_value create_encoder(napi_env env, napi_callback_info info) {
  const Arguments arguments = arguments_of(env, info);
  Array<std::uint32_t> words;
  if (!array_of(env, arguments.values[0], napi_uint32_array, words)) return fail(env, "tokenizer: createCharacters takes a definition");
  const std::size_t bytes = character_arena_bytes(words.data, words.length);
  if (bytes == 0) return nullptr;
  std::unique_ptr<OwnedCharacters> owned(new (std::nothrow) OwnedCharacters);
  if (owned) owned->arena = allocate_arena(bytes);
  if (!owned || !owned->arena.data) return fail(env, "tokenizer: out of memory");
  owned->held_bytes = bytes;
  if (create_characters(owned->arena.data, bytes, words.data, words.length, &owned->encoder) != Status::kOk) return nullptr;
  napi_value external;
  if (napi_create_external(env, owned.get(), release, nullptr, &external) != napi_ok) return fail(env, "tokenizer: no handle");
  owned.release();
  std::int64_t total;
  napi_adjust_external_memory(env, std::int64_t(bytes), &total);
  return external;
}

napi_value encode(napi_env env, napi_callback_info info) {
  const Arguments arguments = arguments_of(env, info);
  void* data = nullptr;
  Array<std::uint8_t> text;
  Array<std::uint32_t> out;
  if (napi_get_value_external(env, arguments.values[0], &data) != napi_ok || !array_of(env, arguments.values[1], napi_uint8_array, text) ||
      !array_of(env, arguments.values[2], napi_uint32_array, out)) {
    return fail(env, "tokenizer: encodeCharacters takes an encoder, bytes and room for ids");
  }
  OwnedCharacters& owned = *static_cast<OwnedCharacters*>(data);
  EncodeRequest request{out.data, out.length, 0, 0, text.data, text.length, nullptr, 0};
  Status status;
  do {
    if (request.needed > 0 && !owned.reserve(request.needed)) return fail(env, "tokenizer: out of memory");
    request.scratch = owned.scratch;
    request.scratch_bytes = owned.scratch_bytes;
    request.needed = 0;
    status = encode_characters(*owned.encoder, request);
  } while (status == Status::kScratchTooSmall);
  if (owned.scratch_bytes > kKeptScratchBytes) owned.reserve(0);  // one long piece must not hold its memory for ever
  if (status != Status::kOk) return fail(env, "tokenizer: no room for the ids");
  napi_value count;
  napi_create_uint32(env, std::uint32_t(request.written), &count);
  return count;
}

}  // namespace

void add_characters(napi_env env, napi_value exports) {
  const napi_property_descriptor properties[] = {
      {"createCharacters", nullptr, create_encoder, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"encodeCharacters", nullptr, encode, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
  };
  napi_define_properties(env, exports, sizeof properties / sizeof *properties, properties);
}

}  // namespace espalier
