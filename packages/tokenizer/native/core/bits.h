// bits.h -- loads, masks and bit searches that the other headers share.
#pragma once
#include <stddef.h>
#include <stdint.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__wasm_simd128__)
#include <wasm_simd128.h>
#endif

namespace espalier {
namespace ESPALIER_ISA {

inline uint64_t load64(const uint8_t* p) {
  uint64_t value;
  __builtin_memcpy(&value, p, 8);
  return value;  // little endian: every platform with a binary is
}

inline bool same_bytes(const uint8_t* a, const uint8_t* b, size_t n) {
  for (; n >= 8; n -= 8, a += 8, b += 8) {
    if (load64(a) != load64(b)) return false;
  }
  for (; n > 0; --n) {
    if (*a++ != *b++) return false;
  }
  return true;
}

inline bool is_ascii_letter(uint8_t byte) { return uint8_t((byte | 0x20) - 'a') < 26; }

// First index at or after `i` whose byte is no ASCII letter, or `n`.
inline size_t ascii_letters_end(const uint8_t* s, size_t i, size_t n) {
#if defined(__SSE2__)
  const __m128i fold = _mm_set1_epi8(0x20);
  const __m128i shift = _mm_set1_epi8(char(-'a' - 128));  // letters become the 26 lowest signed bytes
  const __m128i limit = _mm_set1_epi8(char(-128 + 26));
  for (; i + 16 <= n; i += 16) {
    const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(s + i));
    const __m128i letters = _mm_cmpgt_epi8(limit, _mm_add_epi8(_mm_or_si128(x, fold), shift));
    const unsigned others = ~unsigned(_mm_movemask_epi8(letters)) & 0xffff;
    if (others) return i + size_t(__builtin_ctz(others));
  }
#elif defined(__wasm_simd128__)
  const v128_t fold = wasm_i8x16_splat(0x20), first = wasm_i8x16_splat('a'), limit = wasm_i8x16_splat(26);
  for (; i + 16 <= n; i += 16) {
    const v128_t x = wasm_v128_load(s + i);
    const v128_t letters = wasm_u8x16_lt(wasm_i8x16_sub(wasm_v128_or(x, fold), first), limit);
    const unsigned others = ~unsigned(wasm_i8x16_bitmask(letters)) & 0xffff;
    if (others) return i + size_t(__builtin_ctz(others));
  }
#else
  // Eight bytes in a register: bit 7 of each byte tells whether it is a letter.
  constexpr uint64_t kOnes = 0x0101010101010101u, kHigh = kOnes << 7;
  for (; i + 8 <= n; i += 8) {
    const uint64_t x = load64(s + i);
    const uint64_t low = (x | kOnes * 0x20) & ~kHigh;
    const uint64_t from_a = low + kOnes * (0x80 - 'a');
    const uint64_t past_z = low + kOnes * (0x80 - 'z' - 1);
    const uint64_t others = ~(from_a & ~past_z & ~x) & kHigh;
    if (others) return i + size_t(__builtin_ctzll(others) >> 3);
  }
#endif
  while (i < n && is_ascii_letter(s[i])) ++i;
  return i;
}

}  // namespace ESPALIER_ISA
}  // namespace espalier
