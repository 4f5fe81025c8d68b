// code_table.h -- tables that decode the prefix codes of RFC 1951, section 3.2.
#pragma once
#include <cstddef>
#include <cstdint>

namespace espalier {

constexpr int kMaxCodeBits = 15;

// What a code means, 32 bits:
//   0..7    bits that it takes with its extra bits
//   8..12   bits of the code alone; of a link: bits that index the table it leads to
//   13..15  what it is
//   16..31  literal, base of a length or distance, or where the table of a link begins
struct CodeEntry {
  static constexpr std::uint32_t kLiteral = 1u << 13, kLink = 1u << 14, kEnd = 1u << 15;
  // A code that the block does not have.
  static constexpr std::uint32_t kInvalid = kLink | kEnd;
  static constexpr std::uint32_t kUnusual = kLink | kEnd;
};

enum class CodeSet { kComplete, kOverfull, kIncomplete };

// Entries of codes up to `table_bits` long stand in `table` [2^table_bits], filled up; longer ones in tables behind it.
//
//   lengths   bits of the code of each symbol, 0: none [count]
//   meanings  of each symbol: kind and base in place, and its extra bits in 0..7 [count]
//
// As zlib does, one code of one bit alone is accepted, and none at all.
CodeSet build_table(std::uint32_t* table, int table_bits, const std::uint8_t* lengths, const std::uint32_t* meanings, std::size_t count);

}  // namespace espalier
