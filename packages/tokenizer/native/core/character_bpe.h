// character_bpe.h -- BPE over characters by a list of merges, as files converted from SentencePiece have it (Llama's):
// freestanding as core/encode_core.h, and the same function as characterMerge of src/formats/huggingFace/characterBpe.ts,
// which states the rules.
//
// Characters become symbols: the token of the character, else the tokens of its bytes, else the unknown token. Then the
// listed pair of lowest rank is joined, leftmost first. Merges may lie over spaces, so there are no pieces by a pattern;
// the text is cut where no merge can ever join across, which is decided by the two symbols there. In English that is
// nearly every space: what lies between two cuts is remembered as a word is.
#pragma once
#include "core/encode_core.h"

namespace espalier {

constexpr uint32_t kNoToken = 0xffffffffu;

// A definition is one array of 32-bit words, so that it crosses to JavaScript as it is:
//   [0] number of characters C   [1] merges M   [2] crossings X   [3] unknown token or kNoToken   [4] whether unknown
//   characters in a row become one token   [5] token of a character in front of which text is always cut, or kNoToken
//   [6 .. 262) token of each byte or kNoToken; then, each an array:
//   code point [C], its token [C]; left [M], right [M], product [M], lowest rank first, no pair twice;
//   first [X], second [X]: symbols across which some merge may join.
constexpr size_t kCharacterHeader = 6 + 256;

struct CharacterEncoder;  // lives in the arena; must not be used by two threads at once: it remembers pieces

// Zero when the words are no definition.
size_t character_arena_bytes(const uint32_t* words, size_t num_words);
// The arena must be zero and aligned to 64 bytes. Nothing of the definition is needed afterwards.
Status create_characters(void* arena, size_t arena_bytes, const uint32_t* words, size_t num_words, CharacterEncoder** out);
// Text in UTF-8; a byte that is none is taken for U+FFFD.
Status encode_characters(CharacterEncoder&, EncodeRequest&);

}  // namespace espalier
