#include "lines/texts_of_lines.h"

#include <cstring>

#include "lines/utf8.h"

namespace espalier {
namespace {

bool is_blank(const std::uint8_t* s, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    if (s[i] != ' ' && (s[i] < '\t' || s[i] > '\r')) return false;
  }
  return true;
}

}  // namespace

LineTexts texts_of_lines(Bytes lines, Bytes field, std::uint8_t* out) {
  LineTexts texts;
  std::vector<std::uint8_t> scratch;
  std::size_t written = 0;
  for (std::size_t begin = 0; begin < lines.size;) {
    const std::uint8_t* const line = lines.data + begin;
    const void* const found = std::memchr(line, '\n', lines.size - begin);
    const std::size_t size = found ? std::size_t(static_cast<const std::uint8_t*>(found) - line) : lines.size - begin;
    ++texts.num_lines;
    if (!is_blank(line, size)) {
      std::size_t length = 0;
      if (!JsonLine({line, size}, lines.size - begin, field).text(out + written, length)) {
        texts.malformed.insert(texts.malformed.end(), {texts.num_lines, std::uint32_t(begin), std::uint32_t(begin + size)});
      } else if (!is_blank(out + written, length)) {
        written += repair_utf8(out + written, length, scratch);
        texts.ends.push_back(std::uint32_t(written));
        texts.numbers.push_back(texts.num_lines);
      }
    }
    begin += size + 1;
  }
  return texts;
}

}  // namespace espalier
