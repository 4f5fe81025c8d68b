#include "inflate/crc32.h"

#include <array>
#include <cstring>

#if defined(__x86_64__) || defined(_M_X64)
#define ESPALIER_X86 1
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace espalier {
namespace {

constexpr std::uint32_t kPolynomial = 0xedb88320;  // its lowest power first

// [k][b]: of byte b with k zero bytes behind it.
using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint32_t b = 0; b < 256; ++b) {
    std::uint32_t crc = b;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? kPolynomial : 0);
    tables[0][b] = crc;
  }
  for (std::uint32_t b = 0; b < 256; ++b) {
    for (std::size_t k = 1; k < 8; ++k) tables[k][b] = tables[k - 1][b] >> 8 ^ tables[0][tables[k - 1][b] & 0xff];
  }
  return tables;
}

constexpr Tables kTables = make_tables();

// Without the inversions before and behind.
std::uint32_t by_tables(std::uint32_t crc, const std::uint8_t* data, std::size_t size) {
  for (; size >= 8; size -= 8, data += 8) {
    std::uint32_t low = 0, high = 0;
    std::memcpy(&low, data, 4);
    std::memcpy(&high, data + 4, 4);
    low ^= crc;
    crc = kTables[7][low & 0xff] ^ kTables[6][low >> 8 & 0xff] ^ kTables[5][low >> 16 & 0xff] ^ kTables[4][low >> 24] ^ kTables[3][high & 0xff] ^
          kTables[2][high >> 8 & 0xff] ^ kTables[1][high >> 16 & 0xff] ^ kTables[0][high >> 24];
  }
  for (; size > 0; --size) crc = crc >> 8 ^ kTables[0][(crc ^ *data++) & 0xff];
  return crc;
}

#if ESPALIER_X86

#define ESPALIER_CLMUL __attribute__((target("pclmul,sse4.1")))

ESPALIER_CLMUL inline __m128i load(const std::uint8_t* data) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(data)); }

// `x` moved behind as many bytes as `powers` is for, and `next` added.
ESPALIER_CLMUL inline __m128i folded(__m128i x, __m128i powers, __m128i next) {
  return _mm_xor_si128(_mm_xor_si128(_mm_clmulepi64_si128(x, powers, 0x00), _mm_clmulepi64_si128(x, powers, 0x11)), next);
}

// Four times 16 bytes at once, at least 64. Gopal et al. 2009, "Fast CRC computation for generic polynomials using PCLMULQDQ";
// the last 16 bytes go through the tables in place of its reduction.
ESPALIER_CLMUL std::uint32_t by_products(std::uint32_t crc, const std::uint8_t* data, std::size_t size) {
  const __m128i by_64 = _mm_set_epi64x(0x1c6e41596, 0x154442bd4), by_16 = _mm_set_epi64x(0x0ccaa009e, 0x1751997d0);
  __m128i a = _mm_xor_si128(load(data), _mm_cvtsi32_si128(int(crc))), b = load(data + 16), c = load(data + 32), d = load(data + 48);
  for (data += 64, size -= 64; size >= 64; data += 64, size -= 64) {
    a = folded(a, by_64, load(data));
    b = folded(b, by_64, load(data + 16));
    c = folded(c, by_64, load(data + 32));
    d = folded(d, by_64, load(data + 48));
  }
  a = folded(folded(folded(a, by_16, b), by_16, c), by_16, d);
  for (; size >= 16; data += 16, size -= 16) a = folded(a, by_16, load(data));
  alignas(16) std::uint8_t rest[16];
  _mm_store_si128(reinterpret_cast<__m128i*>(rest), a);
  return by_tables(by_tables(0, rest, sizeof rest), data, size);
}

bool processor_has_products() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) && (c >> 1 & 1) && (c >> 19 & 1);  // PCLMULQDQ, SSE4.1
}

#endif

}  // namespace

std::uint32_t crc32_of(std::uint32_t crc, const std::uint8_t* data, std::size_t size, bool portable) {
  (void)portable;
#if ESPALIER_X86
  static const bool has_products = processor_has_products();
  if (has_products && !portable && size >= 64) return ~by_products(~crc, data, size);
#endif
  return ~by_tables(~crc, data, size);
}

}  // namespace espalier
