// wasm.cc -- WebAssembly's side of core/encode_core.h and core/character_bpe.h. One encoder an instance of the module;
// src/wasm/encodeCore.ts lays out the memory behind `__heap_base` and passes addresses. Nothing is computed here.
#include "core/character_bpe.h"
#include "core/encode_core.h"

namespace espalier {
namespace ESPALIER_ISA { extern const EncodeCore encode_core; }
}  // namespace espalier

using espalier::ESPALIER_ISA::encode_core;
using namespace espalier;

#define ESPALIER_EXPORT(name) extern "C" __attribute__((export_name(#name), visibility("default")))

ESPALIER_EXPORT(arenaBytes) uint32_t arena_bytes(const uint32_t* offsets, uint32_t num_tokens) {
  return uint32_t(encode_core.arena_bytes({nullptr, offsets, num_tokens, nullptr, Pattern::kCl100k}));
}

// Null when the vocabulary is not usable: the TypeScript path says what is wrong with it. The arena must be zero.
ESPALIER_EXPORT(create)
Encoder* create(void* arena, uint32_t bytes, const uint8_t* tokens, const uint32_t* offsets, uint32_t num_tokens, const uint8_t* classes, int32_t pattern) {
  Encoder* encoder = nullptr;
  const EncoderDefinition definition{tokens, offsets, num_tokens, classes, Pattern(pattern)};
  return encode_core.create(arena, bytes, definition, &encoder) == Status::kOk ? encoder : nullptr;
}

// Number of ids, or -n when `scratch` must have at least n KiB. `out` has room for `size + kOutputSlack`.
ESPALIER_EXPORT(encode)
int32_t encode(Encoder* encoder, uint32_t* out, const uint8_t* text, uint32_t size, void* scratch, uint32_t scratch_bytes) {
  EncodeRequest request{out, size + kOutputSlack, 0, 0, text, size, scratch, scratch_bytes};
  const Status status = encode_core.encode(*encoder, request);
  return status == Status::kScratchTooSmall ? -int32_t((request.needed + 1023) / 1024) : int32_t(request.written);
}

// Zero when the words are no definition.
ESPALIER_EXPORT(characterArenaBytes) uint32_t characters_arena_bytes(const uint32_t* words, uint32_t num_words) {
  return uint32_t(character_arena_bytes(words, num_words));
}

// Null when the definition is not usable. The arena must be zero.
ESPALIER_EXPORT(createCharacters) CharacterEncoder* characters(void* arena, uint32_t bytes, const uint32_t* words, uint32_t num_words) {
  CharacterEncoder* encoder = nullptr;
  return create_characters(arena, bytes, words, num_words, &encoder) == Status::kOk ? encoder : nullptr;
}

// As `encode`.
ESPALIER_EXPORT(encodeCharacters)
int32_t characters_encode(CharacterEncoder* encoder, uint32_t* out, const uint8_t* text, uint32_t size, void* scratch, uint32_t scratch_bytes) {
  EncodeRequest request{out, size + kOutputSlack, 0, 0, text, size, scratch, scratch_bytes};
  const Status status = encode_characters(*encoder, request);
  return status == Status::kScratchTooSmall ? -int32_t((request.needed + 1023) / 1024) : int32_t(request.written);
}
