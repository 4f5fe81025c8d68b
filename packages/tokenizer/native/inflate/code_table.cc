#include "inflate/code_table.h"

namespace espalier {
namespace {

std::uint32_t reversed(std::uint32_t code, int bits) {
  std::uint32_t found = 0;
  for (int i = 0; i < bits; ++i) found |= (code >> i & 1) << (bits - 1 - i);
  return found;
}

std::uint32_t entry_of(std::uint32_t meaning, int bits) { return meaning + std::uint32_t(bits) + (std::uint32_t(bits) << 8); }

}  // namespace

CodeSet build_table(std::uint32_t* table, int table_bits, const std::uint8_t* lengths, const std::uint32_t* meanings, std::size_t count) {
  std::uint32_t of_length[kMaxCodeBits + 1] = {}, next[kMaxCodeBits + 2] = {};
  for (std::size_t i = 0; i < count; ++i) ++of_length[lengths[i]];
  of_length[0] = 0;
  int longest = 0;
  std::int32_t left = 1;  // codes of the length at hand that shorter ones leave
  for (int bits = 1; bits <= kMaxCodeBits; ++bits) {
    left = 2 * left - std::int32_t(of_length[bits]);
    if (left < 0) return CodeSet::kOverfull;
    if (of_length[bits]) longest = bits;
    next[bits + 1] = (next[bits] + of_length[bits]) << 1;
  }
  if (left > 0 && longest > 1) return CodeSet::kIncomplete;
  const std::uint32_t size = 1u << table_bits;
  if (left > 0) {
    for (std::uint32_t i = 0; i < size; ++i) table[i] = CodeEntry::kInvalid;
  }

  // Symbols in the order of their codes, so that those with the same first bits follow each other.
  std::uint16_t ordered[320];
  std::uint32_t start[kMaxCodeBits + 2] = {};
  for (int bits = 1; bits <= kMaxCodeBits; ++bits) start[bits + 1] = start[bits] + of_length[bits];
  const std::uint32_t num_coded = start[kMaxCodeBits + 1];
  for (std::size_t i = 0; i < count; ++i) {
    if (lengths[i]) ordered[start[lengths[i]]++] = std::uint16_t(i);
  }
  std::uint32_t end = size;            // of the tables so far
  std::uint32_t linked = ~0u, at = 0;  // first bits of the table being filled, and where it is
  int linked_bits = 0;
  std::uint32_t left_of_length[kMaxCodeBits + 1];
  for (int bits = 0; bits <= kMaxCodeBits; ++bits) left_of_length[bits] = of_length[bits];
  for (std::uint32_t k = 0; k < num_coded; ++k) {
    const std::size_t symbol = ordered[k];
    const int bits = lengths[symbol];
    const std::uint32_t code = reversed(next[bits]++, bits);
    if (bits <= table_bits) {
      for (std::uint32_t i = code; i < size; i += 1u << bits) table[i] = entry_of(meanings[symbol], bits);
    } else {
      const std::uint32_t first = code & (size - 1);
      if (first != linked) {
        // Wide enough for all codes with these first bits: those that are left, by length, until they fill it.
        linked = first;
        linked_bits = bits - table_bits;
        std::int32_t room = 1 << linked_bits;
        for (int longer = bits;; ++longer) {
          room -= std::int32_t(left_of_length[longer]);
          if (room <= 0 || longer == longest) break;
          ++linked_bits;
          room <<= 1;
        }
        at = end;
        end += 1u << linked_bits;
        table[first] = at << 16 | CodeEntry::kLink | std::uint32_t(linked_bits) << 8 | std::uint32_t(table_bits);
      }
      const int rest = bits - table_bits;
      for (std::uint32_t i = code >> table_bits; i < 1u << linked_bits; i += 1u << rest) table[at + i] = entry_of(meanings[symbol], rest);
    }
    --left_of_length[bits];
  }
  return CodeSet::kComplete;
}

}  // namespace espalier
