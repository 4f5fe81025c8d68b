// texts_of_lines.h -- the texts of JSON lines, end to end.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "lines/json_line.h"

namespace espalier {

struct LineTexts {
  std::vector<std::uint32_t> ends, numbers;  // of texts that are not blank: where each ends, and its line, from 1
  std::vector<std::uint32_t> malformed;      // of lines without a text: number, begin and end
  std::uint32_t num_lines = 0;
};

constexpr std::size_t kMaxLinesBytes = 0x50000000;  // so that three times as many still fit 32 bits

// Bytes that texts may need: for every byte a U+FFFD.
constexpr std::size_t texts_room(std::size_t lines_bytes) { return 3 * lines_bytes + 4 * kCopySlack; }

// Writes the texts to `out`, which has room for `texts_room`; throws std::bad_alloc.
LineTexts texts_of_lines(Bytes lines, Bytes field, std::uint8_t* out);

}  // namespace espalier
