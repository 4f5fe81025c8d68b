// learn.h -- BPE training: the most frequent pair of neighbouring tokens becomes a token, again and again.
//
// The same as learnTokens of src/train/learnTokens.ts, which states the rules; token for token equal to it.
#pragma once
#include <cstdint>
#include <vector>

namespace espalier {

struct LearnRequest {
  const std::uint8_t* bytes;  // distinct pieces back to back
  const std::uint32_t* offsets;  // [num_pieces + 1]
  const double* counts;       // whole numbers
  std::size_t num_pieces;
  const std::uint8_t* order;  // [256] place of each byte among equal counts
  std::uint32_t size;         // tokens wanted, the 256 bytes included
  double min_frequency;
  std::uint32_t max_token_bytes;
};

// Left and right token of every learned token, in order: of token 256 first. Tokens below 256 are bytes.
std::vector<std::uint32_t> learn(const LearnRequest&);

}  // namespace espalier
