// piece_table.h -- from the bytes of a short piece to its ids: the tokens of up to 15 bytes, and pieces met before.
//
// A slot holds 15 bytes of key, its length, three ids and what kind of entry it is; two slots are one cache line, so a
// piece that is known costs one access to memory. Tokens stay for ever and spill into the next line when theirs is
// full; pieces take what is left of their own line, and replace one another.
#pragma once
#include "core/bits.h"

namespace espalier {
namespace ESPALIER_ISA {

constexpr size_t kShortBytes = 15;
constexpr uint32_t kNoRank = 0xffffffffu;

struct ShortKey {
  uint64_t low, high;  // bytes in order, length in the top byte
};

struct Slot {
  uint64_t low, high;  // high == 0: empty
  uint32_t ids[3];
  uint32_t meta;  // number of ids | kIsToken | in the first slot of a line kSpilled
};
constexpr uint32_t kIsToken = 1u << 8, kSpilled = 1u << 9, kCountMask = 0xff;
constexpr uint32_t kJoins = 1u << 10, kNeverJoins = 1u << 11;  // of a token: whether merging its bytes gives it, once known

struct alignas(64) Line {
  Slot slots[2];
};

struct PieceTable {
  Line* lines;
  uint32_t shift;  // 64 - log2(number of lines)
  uint32_t mask;   // number of lines - 1
};

struct KeyMask {
  uint64_t low, high;
};
constexpr KeyMask key_mask(unsigned length) {
  return {length >= 8 ? ~uint64_t(0) : (uint64_t(1) << 8 * length) - 1,
          length <= 8 ? 0 : (uint64_t(1) << 8 * (length - 8)) - 1};
}
constexpr KeyMask kKeyMasks[kShortBytes + 1] = {
    key_mask(0), key_mask(1), key_mask(2),  key_mask(3),  key_mask(4),  key_mask(5),  key_mask(6),  key_mask(7),
    key_mask(8), key_mask(9), key_mask(10), key_mask(11), key_mask(12), key_mask(13), key_mask(14), key_mask(15)};

// Key of `length` <= 15 bytes; 16 bytes must be readable.
inline ShortKey short_key(const uint8_t* p, size_t length) {
  const KeyMask mask = kKeyMasks[length];
  return {load64(p) & mask.low, (load64(p + 8) & mask.high) | uint64_t(length) << 56};
}

// The same where the bytes behind the piece may not be readable.
inline ShortKey short_key_near_end(const uint8_t* p, size_t length) {
  uint8_t copy[16] = {};
  for (size_t i = 0; i < length; ++i) copy[i] = p[i];
  return short_key(copy, length);
}

inline uint64_t hash_of(ShortKey key) {
  const uint64_t mixed = (key.low ^ (key.high * 0x9e3779b97f4a7c15u)) * 0xff51afd7ed558ccdu;
  return (mixed ^ mixed >> 32) * 0xc4ceb9fe1a85ec53u;
}

inline Line* line_of(const PieceTable& table, uint64_t hash) { return table.lines + (hash >> table.shift); }

inline bool matches(const Slot& slot, ShortKey key) { return slot.low == key.low && slot.high == key.high; }

// The entry of a key whose line is not decided by its first line, or null.
inline const Slot* find_spilled(const PieceTable& table, const Line* line, ShortKey key) {
  while (line->slots[0].meta & kSpilled) {
    line = table.lines + ((uint32_t(line - table.lines) + 1) & table.mask);
    for (const Slot& slot : line->slots) {
      if (matches(slot, key)) return &slot;
    }
  }
  return nullptr;
}

inline const Slot* find(const PieceTable& table, const Line* line, ShortKey key) {
  if (matches(line->slots[0], key)) return &line->slots[0];
  if (matches(line->slots[1], key)) return &line->slots[1];
  return __builtin_expect(line->slots[0].meta & kSpilled, 0) ? find_spilled(table, line, key) : nullptr;
}

// Adds a token; false when it is there already.
inline bool add_token(PieceTable& table, ShortKey key, uint32_t rank) {
  Line* line = line_of(table, hash_of(key));
  if (find(table, line, key)) return false;
  for (;;) {
    for (Slot& slot : line->slots) {
      if (slot.high) continue;
      slot = {key.low, key.high, {rank, 0, 0}, (slot.meta & kSpilled) | kIsToken | 1};
      return true;
    }
    line->slots[0].meta |= kSpilled;
    line = table.lines + ((uint32_t(line - table.lines) + 1) & table.mask);
  }
}

// Remembers a piece of up to three ids in its own line, if tokens leave room there.
inline bool remember_short(Line* line, ShortKey key, const uint32_t* ids, size_t count, bool prefer_second) {
  Slot* slot = nullptr;
  for (Slot& candidate : line->slots) {
    if (!candidate.high) {
      slot = &candidate;
      break;
    }
    if (!(candidate.meta & kIsToken) && (!slot || prefer_second)) slot = &candidate;
  }
  if (!slot) return false;
  const uint32_t spilled = slot->meta & kSpilled;
  *slot = {key.low, key.high, {ids[0], ids[1], count > 2 ? ids[2] : 0}, spilled | uint32_t(count)};
  return true;
}

// Characters of three bytes, as most of Chinese has, by their 16 bits: a token or up to three, once they were asked for.
struct CharacterSlot {
  uint32_t ids[3];
  uint32_t count;  // 0: not known yet
};
constexpr size_t kNumThreeByteCharacters = 1 << 16;

inline bool is_three_byte_lead(uint8_t byte) { return (byte & 0xf0) == 0xe0; }
inline bool is_three_byte_character(const uint8_t* p) {
  return is_three_byte_lead(p[0]) && (p[1] & 0xc0) == 0x80 && (p[2] & 0xc0) == 0x80;
}
inline size_t three_byte_index(const uint8_t* p) { return size_t(p[0] & 0x0f) << 12 | size_t(p[1] & 0x3f) << 6 | (p[2] & 0x3f); }

// Pieces of up to 31 bytes and seven ids, one place for each: those that are too long for the table above, or have
// too many ids, or find no room there. A later piece replaces an earlier one.
constexpr size_t kMediumBytes = 31;
constexpr size_t kMediumIds = 7;
constexpr uint32_t kMediumBits = 14;

struct alignas(64) MediumSlot {
  uint8_t bytes[kMediumBytes];
  uint8_t length;  // 0: empty
  uint32_t ids[kMediumIds];
  uint32_t count;
};

inline uint64_t hash_bytes(const uint8_t* p, size_t length) {
  uint64_t hash = length * 0x9e3779b97f4a7c15u;
  for (; length >= 8; length -= 8, p += 8) hash = (hash ^ load64(p)) * 0xff51afd7ed558ccdu, hash ^= hash >> 32;
  uint64_t last = 0;
  for (size_t i = 0; i < length; ++i) last |= uint64_t(p[i]) << 8 * i;
  hash = (hash ^ last) * 0xff51afd7ed558ccdu;
  return (hash ^ hash >> 29) * 0xc4ceb9fe1a85ec53u;
}

inline MediumSlot* medium_slot(MediumSlot* slots, const uint8_t* p, size_t length) {
  return slots + (hash_bytes(p, length) >> (64 - kMediumBits));
}

inline bool matches(const MediumSlot& slot, const uint8_t* p, size_t length) {
  return slot.length == length && same_bytes(slot.bytes, p, length);
}

inline void remember_medium(MediumSlot* slot, const uint8_t* p, size_t length, const uint32_t* ids, size_t count) {
  if (count > kMediumIds) return;
  for (size_t i = 0; i < length; ++i) slot->bytes[i] = p[i];
  slot->length = uint8_t(length);
  for (size_t i = 0; i < count; ++i) slot->ids[i] = ids[i];
  slot->count = uint32_t(count);
}

}  // namespace ESPALIER_ISA
}  // namespace espalier
