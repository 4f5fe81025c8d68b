// utf8.h -- whether bytes are UTF-8, and what replaces those that are not, as the Web's decoders do it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace espalier {

struct Sequence {
  std::size_t length;  // of a character, or of what is replaced by one U+FFFD
  bool valid;
};

// The character at `i` < `n`, or the longest beginning of one that is there ("maximal subpart", Unicode 16.0, 3.9).
inline Sequence sequence_at(const std::uint8_t* s, std::size_t i, std::size_t n) {
  const std::uint8_t lead = s[i];
  if (lead < 0x80) return {1, true};
  if (lead < 0xc2 || lead > 0xf4) return {1, false};
  const std::size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  // Of the second byte, so that nothing is overlong, a surrogate or above U+10FFFF.
  const std::uint8_t lowest = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const std::uint8_t highest = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (i + 1 >= n || s[i + 1] < lowest || s[i + 1] > highest) return {1, false};
  for (std::size_t k = 2; k < length; ++k) {
    if (i + k >= n || (s[i + k] & 0xc0) != 0x80) return {k, false};
  }
  return {length, true};
}

// Bytes at the beginning of `s` that are characters of three bytes each, as most of Chinese is, looked at in pairs.
inline std::size_t three_byte_pairs(const std::uint8_t* s, std::size_t n) {
  // Little endian: the lead is the low byte. Of a lead and its second byte these bits tell what is overlong (all clear)
  // and what is a surrogate.
  constexpr std::uint64_t kMarks = 0xc0c0f0c0c0f0u, kExpected = 0x8080e08080e0u, kTold = 0x200f, kSurrogate = 0x200d;
  std::size_t i = 0;
  for (std::uint64_t word; i + sizeof word <= n; i += 6) {
    std::memcpy(&word, s + i, sizeof word);
    if ((word & kMarks) != kExpected) break;
    const std::uint64_t first = word & kTold, second = word >> 24 & kTold;
    if (first == 0 || first == kSurrogate || second == 0 || second == kSurrogate) break;
  }
  return i;
}

// Index of the first byte that is not part of UTF-8, or `n`.
inline std::size_t utf8_end(const std::uint8_t* s, std::size_t n) {
  constexpr std::uint64_t kHigh = 0x8080808080808080u;
  for (std::size_t i = 0; i < n;) {
    if (s[i] < 0x80) {
      std::uint64_t words[2];
      while (i + sizeof words <= n && (std::memcpy(words, s + i, sizeof words), ((words[0] | words[1]) & kHigh) == 0)) i += sizeof words;
      while (i < n && s[i] < 0x80) ++i;
      continue;
    }
    i += three_byte_pairs(s + i, n - i);
    if (i == n) return n;
    const Sequence sequence = sequence_at(s, i, n);
    if (!sequence.valid) return i;
    i += sequence.length;
  }
  return n;
}

// Makes `s[0 .. n)` UTF-8 where it lies, with U+FFFD for each maximal subpart of no character; returns the new length,
// at most 3 * n, for which there must be room.
inline std::size_t repair_utf8(std::uint8_t* s, std::size_t n, std::vector<std::uint8_t>& scratch) {
  std::size_t i = utf8_end(s, n);
  if (i == n) return n;
  scratch.assign(s, s + n);
  std::size_t written = i;
  while (i < n) {
    const Sequence sequence = sequence_at(scratch.data(), i, n);
    if (sequence.valid) {
      std::memcpy(s + written, scratch.data() + i, sequence.length);
      written += sequence.length;
    } else {
      std::memcpy(s + written, "\xef\xbf\xbd", 3);
      written += 3;
    }
    i += sequence.length;
  }
  return written;
}

}  // namespace espalier
