// piece_counter.h -- how often each piece of a pretokenising pattern occurs, in 64 bits.
//
// Pieces of up to 15 bytes, nearly all of them, are their own key in an open table, a probe each; longer ones are kept
// in a second table that points to their bytes.
#pragma once
#include <cstdint>
#include <vector>

#include "core/encode_core.h"

namespace espalier {

struct CountedPieces {
  std::vector<std::uint8_t> bytes;    // distinct pieces back to back, in order of their bytes
  std::vector<std::uint32_t> lengths;
  std::vector<double> counts;         // whole numbers, exact to 2^53
};

class PieceCounter {
 public:
  PieceCounter(Pattern pattern, const std::uint8_t* classes);  // [kNumCodePoints], copied

  void add(const std::uint8_t* text, std::size_t size);
  std::size_t num_pieces() const { return num_short_ + long_.size(); }
  std::size_t held_bytes() const;
  CountedPieces pieces() const;  // all so far
  void clear();                  // gives the memory back

 private:
  struct ShortPiece {
    std::uint64_t low, high;  // bytes in order, length in the top byte; high == 0: empty
    std::uint64_t count;
  };
  struct LongPiece {
    std::uint64_t hash, count;
    std::size_t offset, length;
  };
  template <Pattern pattern>
  void add_text(const std::uint8_t* text, std::size_t size);
  void add_long(const std::uint8_t* piece, std::size_t length);
  void grow_short();
  void grow_long();

  Pattern pattern_;
  std::vector<std::uint8_t> classes_;
  std::vector<ShortPiece> short_;  // a power of two, at most 5/8 full
  std::size_t num_short_ = 0;
  std::vector<LongPiece> long_;
  std::vector<std::uint32_t> long_slots_;  // index + 1; a power of two, at most half full
  std::vector<std::uint8_t> long_bytes_;
};

}  // namespace espalier
