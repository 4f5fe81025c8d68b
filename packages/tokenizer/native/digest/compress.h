// compress.h -- the compression function of SHA-256 over whole blocks, of one text or of two at once.
#pragma once
#include <cstddef>
#include <cstdint>

namespace espalier {

constexpr std::size_t kBlockBytes = 64;

struct Compression {
  void (*one)(std::uint32_t state[8], const std::uint8_t* data, std::size_t blocks);
  // The same number of blocks of each.
  void (*two)(std::uint32_t state_a[8], const std::uint8_t* a, std::uint32_t state_b[8], const std::uint8_t* b, std::size_t blocks);
};

extern const Compression portable_compression;
// With the instructions of this processor for SHA-256, where it has them.
const Compression& best_compression();

}  // namespace espalier
