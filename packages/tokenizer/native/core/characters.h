// characters.h -- one character of UTF-8 at a time: its class and its length.
#pragma once
#include "core/bits.h"
#include "core/encode_core.h"

namespace espalier {
namespace ESPALIER_ISA {

struct Character {
  uint8_t category;
  uint8_t length;  // in bytes
};

// The character at `i` < `n`. A byte that is not part of valid UTF-8 is one character of class other, as U+FFFD is.
inline Character character_at(const uint8_t* s, size_t i, size_t n, const uint8_t* classes) {
  constexpr Character kInvalid{kOther, 1};
  const uint8_t b0 = s[i];
  if (b0 < 0x80) return {classes[b0], 1};
  if (b0 < 0xc2 || b0 > 0xf4) return kInvalid;  // stray continuation, overlong or out of range
  if (b0 < 0xe0) {
    if (i + 1 >= n || (s[i + 1] & 0xc0) != 0x80) return kInvalid;
    return {classes[(b0 & 0x1f) << 6 | (s[i + 1] & 0x3f)], 2};
  }
  if (b0 < 0xf0) {
    if (i + 2 >= n || (s[i + 1] & 0xc0) != 0x80 || (s[i + 2] & 0xc0) != 0x80) return kInvalid;
    const uint32_t code_point = (b0 & 0x0f) << 12 | (s[i + 1] & 0x3f) << 6 | (s[i + 2] & 0x3f);
    if (code_point < 0x800 || (code_point >= 0xd800 && code_point < 0xe000)) return kInvalid;
    return {classes[code_point], 3};
  }
  if (i + 3 >= n || (s[i + 1] & 0xc0) != 0x80 || (s[i + 2] & 0xc0) != 0x80 || (s[i + 3] & 0xc0) != 0x80) return kInvalid;
  const uint32_t code_point = (b0 & 0x07) << 18 | (s[i + 1] & 0x3f) << 12 | (s[i + 2] & 0x3f) << 6 | (s[i + 3] & 0x3f);
  if (code_point < 0x10000 || code_point > 0x10ffff) return kInvalid;
  return {classes[code_point], 4};
}

// A set of classes is a mask of their bits.
constexpr uint32_t set_of(uint8_t category) { return 1u << category; }
template <class... More>
constexpr uint32_t set_of(uint8_t first, More... more) {
  return 1u << first | set_of(more...);
}
inline bool in(uint8_t category, uint32_t set) { return set >> category & 1; }

// End of the run of characters of `set` that begins at `i`.
inline size_t run_end(const uint8_t* s, size_t i, size_t n, const uint8_t* classes, uint32_t set) {
  while (i < n) {
    const Character c = character_at(s, i, n, classes);
    if (!in(c.category, set)) break;
    i += c.length;
  }
  return i;
}

}  // namespace ESPALIER_ISA
}  // namespace espalier
