#include "digest/compress.h"

#include <cstring>

#if defined(__x86_64__) || defined(_M_X64)
#define ESPALIER_X86 1
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace espalier {
namespace {

alignas(64) constexpr std::uint32_t kRounds[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
    0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
    0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
    0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

inline std::uint32_t rotated(std::uint32_t x, int n) { return x >> n | x << (32 - n); }

void portable_one(std::uint32_t state[8], const std::uint8_t* data, std::size_t blocks) {
  for (; blocks > 0; --blocks, data += kBlockBytes) {
    std::uint32_t w[64];
    for (int i = 0; i < 16; ++i) {
      w[i] = std::uint32_t(data[4 * i]) << 24 | std::uint32_t(data[4 * i + 1]) << 16 | std::uint32_t(data[4 * i + 2]) << 8 | data[4 * i + 3];
    }
    for (int i = 16; i < 64; ++i) {
      const std::uint32_t s0 = rotated(w[i - 15], 7) ^ rotated(w[i - 15], 18) ^ w[i - 15] >> 3;
      const std::uint32_t s1 = rotated(w[i - 2], 17) ^ rotated(w[i - 2], 19) ^ w[i - 2] >> 10;
      w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    std::uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
    for (int i = 0; i < 64; ++i) {
      const std::uint32_t t1 = h + (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) + ((e & f) ^ (~e & g)) + kRounds[i] + w[i];
      const std::uint32_t t2 = (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
      h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e, state[5] += f, state[6] += g, state[7] += h;
  }
}

void portable_two(std::uint32_t state_a[8], const std::uint8_t* a, std::uint32_t state_b[8], const std::uint8_t* b, std::size_t blocks) {
  portable_one(state_a, a, blocks);
  portable_one(state_b, b, blocks);
}

#if ESPALIER_X86

#define ESPALIER_SHA __attribute__((target("sha,sse4.1,ssse3")))
#define ESPALIER_SHA_INLINE ESPALIER_SHA __attribute__((always_inline)) inline

// The eight words as the instructions want them: a, b, e, f and c, d, g, h, each with its first word highest.
struct Registers {
  __m128i abef, cdgh;
};

ESPALIER_SHA_INLINE Registers loaded(const std::uint32_t state[8]) {
  const __m128i dcba = _mm_loadu_si128(reinterpret_cast<const __m128i*>(state)), hgfe = _mm_loadu_si128(reinterpret_cast<const __m128i*>(state + 4));
  const __m128i cdab = _mm_shuffle_epi32(dcba, 0xb1), efgh = _mm_shuffle_epi32(hgfe, 0x1b);
  return {_mm_alignr_epi8(cdab, efgh, 8), _mm_blend_epi16(efgh, cdab, 0xf0)};
}

ESPALIER_SHA_INLINE void store(std::uint32_t state[8], const Registers& r) {
  const __m128i feba = _mm_shuffle_epi32(r.abef, 0x1b), dchg = _mm_shuffle_epi32(r.cdgh, 0xb1);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(state), _mm_blend_epi16(feba, dchg, 0xf0));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

// A block under way: `w` holds the last sixteen words of the schedule, four a register.
struct Block {
  Registers now, before;
  __m128i w[4];
};

ESPALIER_SHA_INLINE void begin(Block& block, const std::uint8_t* data) {
  const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  for (int i = 0; i < 4; ++i) block.w[i] = _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(data + 16 * i)), big_endian);
  block.before = block.now;
}

// Four rounds, from 4 * group on, and the schedule of the next four.
template <int group>
ESPALIER_SHA_INLINE void rounds(Block& block) {
  __m128i& current = block.w[group % 4];
  const __m128i wk = _mm_add_epi32(current, _mm_load_si128(reinterpret_cast<const __m128i*>(kRounds + 4 * group)));
  block.now.cdgh = _mm_sha256rnds2_epu32(block.now.cdgh, block.now.abef, wk);
  if constexpr (group >= 3 && group < 15) {
    __m128i& next = block.w[(group + 1) % 4];
    next = _mm_sha256msg2_epu32(_mm_add_epi32(next, _mm_alignr_epi8(current, block.w[(group + 3) % 4], 4)), current);
  }
  block.now.abef = _mm_sha256rnds2_epu32(block.now.abef, block.now.cdgh, _mm_shuffle_epi32(wk, 0x0e));
  if constexpr (group >= 1 && group < 13) block.w[(group + 3) % 4] = _mm_sha256msg1_epu32(block.w[(group + 3) % 4], current);
}

ESPALIER_SHA_INLINE void finish(Block& block) {
  block.now.abef = _mm_add_epi32(block.now.abef, block.before.abef);
  block.now.cdgh = _mm_add_epi32(block.now.cdgh, block.before.cdgh);
}

#define ESPALIER_EACH_GROUP(work) \
  work(0) work(1) work(2) work(3) work(4) work(5) work(6) work(7) work(8) work(9) work(10) work(11) work(12) work(13) work(14) work(15)

ESPALIER_SHA void x86_one(std::uint32_t state[8], const std::uint8_t* data, std::size_t blocks) {
  Block block;
  block.now = loaded(state);
  for (; blocks > 0; --blocks, data += kBlockBytes) {
    begin(block, data);
#define ESPALIER_ONE(group) rounds<group>(block);
    ESPALIER_EACH_GROUP(ESPALIER_ONE)
    finish(block);
  }
  store(state, block.now);
}

ESPALIER_SHA void x86_two(std::uint32_t state_a[8], const std::uint8_t* a, std::uint32_t state_b[8], const std::uint8_t* b, std::size_t blocks) {
  Block first, second;
  first.now = loaded(state_a);
  second.now = loaded(state_b);
  for (; blocks > 0; --blocks, a += kBlockBytes, b += kBlockBytes) {
    begin(first, a);
    begin(second, b);
#define ESPALIER_TWO(group) rounds<group>(first); rounds<group>(second);
    ESPALIER_EACH_GROUP(ESPALIER_TWO)
    finish(first);
    finish(second);
  }
  store(state_a, first.now);
  store(state_b, second.now);
}

constexpr Compression x86_compression = {x86_one, x86_two};

bool processor_has_sha() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c >> 9 & 1) || !(c >> 19 & 1)) return false;  // SSSE3, SSE4.1
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b >> 29 & 1);
}

#endif

}  // namespace

const Compression portable_compression = {portable_one, portable_two};

const Compression& best_compression() {
#if ESPALIER_X86
  static const bool has_sha = processor_has_sha();
  if (has_sha) return x86_compression;
#endif
  return portable_compression;
}

}  // namespace espalier
