// sha256.h -- SHA-256 (FIPS 180-4) of many texts, two at a time: one round waits for the one before it, so that a
// processor with instructions for it does two texts in little more than the time of one.
#pragma once
#include <cstddef>
#include <cstdint>

namespace espalier {

constexpr std::size_t kDigestBytes = 32;

// Digests of texts that lie end to end, `ends[i]` where text i ends, to `digests` [kDigestBytes * count].
//
//   portable   leaves out the instructions of the processor, for tests
void sha256_texts(const std::uint8_t* texts, const std::uint32_t* ends, std::size_t count, std::uint8_t* digests, bool portable = false);

// The digest of one text that comes piece by piece.
class Sha256 {
 public:
  Sha256();
  void update(const std::uint8_t* data, std::size_t size);
  // Of all that came so far; nothing may come behind it.
  void digest(std::uint8_t digest[kDigestBytes]);

 private:
  std::uint32_t state_[8];
  std::uint8_t rest_[64];  // of a block that is not whole
  std::uint64_t bytes_ = 0;
};

// Where a document falls in [0, 1), from its digest: src/node/split.ts says why and how.
void split_positions(const std::uint8_t* digests, std::size_t count, double* positions);

}  // namespace espalier
