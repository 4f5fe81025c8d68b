// gunzip.h -- gzip files (RFC 1951 and 1952), all their members, piece by piece.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>

#include "inflate/code_table.h"

namespace espalier {

class Gunzip {
 public:
  // Unless it is the last, input that ends within less than this of where reading stands may be left for the next call.
  static constexpr std::size_t kLookahead = 2048;

  struct Progress {
    std::size_t consumed = 0, written = 0;
    bool is_done = false;           // nothing more comes
    const char* problem = nullptr;  // in the words of zlib; all that could be decompressed was written before
  };

  Gunzip();

  // Decompresses from `input`, which begins with what was not consumed before, until it ends or `out` is full.
  Progress run(const std::uint8_t* input, std::size_t size, bool is_last, std::uint8_t* out, std::size_t room);

 private:
  enum class State { kHeader, kBlock, kStored, kCodes, kTrailer, kDone };
  enum class Step { kGoOn, kNeedsInput, kNeedsRoom };

  static constexpr std::size_t kHistory = 32768, kWindow = kHistory + (std::size_t(1) << 17);
  static constexpr std::size_t kWindowSlack = 512;  // a longest match, and copies in steps
  static constexpr int kLiteralBits = 11, kDistanceBits = 8;

  Step step();
  Step header();
  Step block();
  Step lengths_of_block();
  Step stored();
  Step codes();
  template <bool kAtEnd>
  Step symbols(const std::uint8_t* limit);
  Step trailer();
  Step fail(const char* problem);
  Step starved();
  bool flush();
  void slide();
  void refill();
  std::uint32_t take(int bits);
  void unread();
  std::size_t left() const { return std::size_t(end_ - next_); }

  State state_ = State::kHeader;
  bool is_first_member_ = true, is_last_block_ = false, is_last_ = false;
  const char* problem_ = nullptr;
  // Input of the call at hand; bits taken from it and not used, whole bytes never between calls.
  const std::uint8_t *next_ = nullptr, *end_ = nullptr;
  std::uint64_t bits_ = 0;
  int num_bits_ = 0;
  std::size_t stored_left_ = 0;
  // What was decompressed and given out, and what was not.
  std::unique_ptr<std::uint8_t[]> window_;
  std::size_t at_ = 0, flushed_ = 0;
  std::size_t member_start_ = 0;  // of the window: matches do not reach farther back
  std::uint32_t crc_ = 0, size_ = 0;
  std::uint8_t* out_ = nullptr;
  std::size_t room_ = 0;
  bool has_fixed_ = false;
  std::uint32_t literals_[2400], distances_[512];
};

}  // namespace espalier
