// vocabulary.h -- tokens and their ranks, found by bytes.
#pragma once
#include "core/encode_core.h"
#include "core/piece_table.h"

namespace espalier {
namespace ESPALIER_ISA {

constexpr uint32_t kTrigramBits = 19;  // cl100k: one boundary in thirty is kept in vain
constexpr uint32_t kFilterBits = 20;   // 128 KB, which the second cache holds

struct Vocabulary {
  const uint8_t* bytes;
  const uint32_t* offsets;
  uint32_t num_tokens;
  uint32_t max_token_bytes;
  uint32_t* pair_ranks;  // [65536] rank of the token of two bytes, by first << 8 | second
  uint32_t byte_ranks[256];
  PieceTable short_tokens;
  uint64_t* filter;  // bit set of hashed short tokens: most pairs that merging asks for are none, and need not be looked for
  uint32_t* long_slots;  // rank + 1 of tokens of more than 15 bytes, linear probing; 0: empty
  uint32_t long_mask;
  uint64_t* trigrams;  // bit set of hashed triples of bytes that some token has inside; see may_cross
};

inline uint32_t find_long(const Vocabulary& v, const uint8_t* p, size_t length) {
  for (uint32_t slot = uint32_t(hash_bytes(p, length)) & v.long_mask;; slot = (slot + 1) & v.long_mask) {
    if (!v.long_slots[slot]) return kNoRank;
    const uint32_t rank = v.long_slots[slot] - 1;
    const uint32_t at = v.offsets[rank];
    if (v.offsets[rank + 1] - at == length && same_bytes(v.bytes + at, p, length)) return rank;
  }
}

inline uint32_t filter_bit(uint64_t hash) { return uint32_t(hash >> 16) & ((1u << kFilterBits) - 1); }

// Rank of the token with these bytes, or kNoRank. `readable` bytes may be read from `p` on.
inline uint32_t rank_of(const Vocabulary& v, const uint8_t* p, size_t length, size_t readable) {
  if (length == 2) return v.pair_ranks[p[0] << 8 | p[1]];
  if (length > kShortBytes) return length > v.max_token_bytes ? kNoRank : find_long(v, p, length);
  const ShortKey key = readable >= 16 ? short_key(p, length) : short_key_near_end(p, length);
  const uint64_t hash = hash_of(key);
  const uint32_t bit = filter_bit(hash);
  if (!(v.filter[bit >> 6] >> (bit & 63) & 1)) return kNoRank;
  const Slot* slot = find(v.short_tokens, line_of(v.short_tokens, hash), key);
  return slot && (slot->meta & kIsToken) ? slot->ids[0] : kNoRank;
}

inline uint32_t trigram_bit(uint8_t a, uint8_t b, uint8_t c) {
  return (uint32_t(a) << 16 | uint32_t(b) << 8 | c) * 0x9e3779b1u >> (32 - kTrigramBits);
}
inline bool has_trigram(const Vocabulary& v, uint8_t a, uint8_t b, uint8_t c) {
  const uint32_t bit = trigram_bit(a, b, c);
  return v.trigrams[bit >> 6] >> (bit & 63) & 1;
}

// False when no token has bytes on both sides of `i`: then nothing is ever joined across it, and the two sides can be
// encoded one by one. A token across it is one of two bytes, or has three in a row that lie across it.
// Only for boundaries in front of a byte >= 0x80: other triples are not in the set. `begin` < `i` < `end`.
inline bool may_cross(const Vocabulary& v, const uint8_t* s, size_t begin, size_t i, size_t end) {
  if (v.pair_ranks[s[i - 1] << 8 | s[i]] != kNoRank) return true;
  if (i - begin >= 2 && has_trigram(v, s[i - 2], s[i - 1], s[i])) return true;
  return end - i >= 2 && has_trigram(v, s[i - 1], s[i], s[i + 1]);
}

// Fills tables that are zero; kBadVocabulary when a token is empty or twice there, or a byte is no token.
inline Status index_tokens(Vocabulary& v) {
  for (size_t i = 0; i < 65536; ++i) v.pair_ranks[i] = kNoRank;
  for (uint32_t& rank : v.byte_ranks) rank = kNoRank;
  for (uint32_t rank = 0; rank < v.num_tokens; ++rank) {
    const uint8_t* token = v.bytes + v.offsets[rank];
    const size_t length = v.offsets[rank + 1] - v.offsets[rank];
    if (length == 0) return Status::kBadVocabulary;
    if (length > v.max_token_bytes) v.max_token_bytes = uint32_t(length);
    if (length <= kShortBytes) {
      const size_t readable = v.offsets[v.num_tokens] - v.offsets[rank];
      const ShortKey key = readable >= 16 ? short_key(token, length) : short_key_near_end(token, length);
      if (!add_token(v.short_tokens, key, rank)) return Status::kBadVocabulary;
      const uint32_t bit = filter_bit(hash_of(key));
      v.filter[bit >> 6] |= uint64_t(1) << (bit & 63);
      if (length == 1) v.byte_ranks[token[0]] = rank;
      if (length == 2) v.pair_ranks[token[0] << 8 | token[1]] = rank;
    } else {
      if (find_long(v, token, length) != kNoRank) return Status::kBadVocabulary;
      uint32_t slot = uint32_t(hash_bytes(token, length)) & v.long_mask;
      while (v.long_slots[slot]) slot = (slot + 1) & v.long_mask;
      v.long_slots[slot] = rank + 1;
    }
    for (size_t i = 2; i < length; ++i) {
      if (token[i] < 0x80 && token[i - 1] < 0x80) continue;  // lies across no boundary that is asked for
      const uint32_t bit = trigram_bit(token[i - 2], token[i - 1], token[i]);
      v.trigrams[bit >> 6] |= uint64_t(1) << (bit & 63);
    }
  }
  for (const uint32_t rank : v.byte_ranks) {
    if (rank == kNoRank) return Status::kBadVocabulary;
  }
  return Status::kOk;
}

}  // namespace ESPALIER_ISA
}  // namespace espalier
