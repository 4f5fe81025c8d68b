#include "lines/json_line.h"

#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace espalier {
namespace {

constexpr int kMaxDepth = 512;  // as MAX_DEPTH of jsonText.ts

bool is_special(std::uint8_t byte) { return byte < 0x20 || byte == '"' || byte == '\\'; }

std::size_t put_character(std::uint8_t* out, std::uint32_t point) {
  if (point < 0x80) {
    out[0] = std::uint8_t(point);
    return 1;
  }
  if (point < 0x800) {
    out[0] = std::uint8_t(0xc0 | point >> 6);
    out[1] = std::uint8_t(0x80 | (point & 0x3f));
    return 2;
  }
  if (point < 0x10000) {
    out[0] = std::uint8_t(0xe0 | point >> 12);
    out[1] = std::uint8_t(0x80 | (point >> 6 & 0x3f));
    out[2] = std::uint8_t(0x80 | (point & 0x3f));
    return 3;
  }
  out[0] = std::uint8_t(0xf0 | point >> 18);
  out[1] = std::uint8_t(0x80 | (point >> 12 & 0x3f));
  out[2] = std::uint8_t(0x80 | (point >> 6 & 0x3f));
  out[3] = std::uint8_t(0x80 | (point & 0x3f));
  return 4;
}

// Passes over, and with `kWanted` copies, bytes that stand for themselves, up to the first that does not or the end.
template <bool kWanted>
std::size_t plain_bytes(const std::uint8_t* s, std::size_t i, std::size_t n, std::size_t readable, std::uint8_t* out) {
  const std::size_t begin = i;
#if defined(__SSE2__)
  const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'), last_control = _mm_set1_epi8(0x1f);
  while (i + 16 <= readable && i < n) {
    const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(s + i));
    if (kWanted) _mm_storeu_si128(reinterpret_cast<__m128i*>(out + (i - begin)), x);
    const __m128i control = _mm_cmpeq_epi8(_mm_max_epu8(x, last_control), last_control);
    const __m128i special = _mm_or_si128(control, _mm_or_si128(_mm_cmpeq_epi8(x, quote), _mm_cmpeq_epi8(x, backslash)));
    const unsigned mask = unsigned(_mm_movemask_epi8(special));
    if (mask) {
      i += std::size_t(__builtin_ctz(mask));
      return i < n ? i : n;
    }
    i += 16;
  }
  if (i > n) return n;
#else
  // Eight at a time: bit 7 of each byte of `special` tells; a false one is possible behind a true one only.
  constexpr std::uint64_t kOnes = 0x0101010101010101u, kHigh = kOnes << 7;
  while (i + 8 <= readable && i < n) {
    std::uint64_t x;
    std::memcpy(&x, s + i, 8);
    if (kWanted) std::memcpy(out + (i - begin), &x, 8);
    const std::uint64_t q = x ^ kOnes * '"', b = x ^ kOnes * '\\';
    const std::uint64_t special = (((x - kOnes * 0x20) & ~x) | ((q - kOnes) & ~q) | ((b - kOnes) & ~b)) & kHigh;
    if (special) {
      i += std::size_t(__builtin_ctzll(special) >> 3);
      return i < n ? i : n;
    }
    i += 8;
  }
  if (i > n) return n;
#endif
  for (; i < n && !is_special(s[i]); ++i) {
    if (kWanted) out[i - begin] = s[i];
  }
  return i;
}

}  // namespace

bool JsonLine::text(std::uint8_t* out, std::size_t& written) {
  out_ = out;
  space();
  if (!(here() == '{' ? object(0, true) : value(0))) return false;
  space();
  written = written_;
  return at_ == line_.size && found_;
}

bool JsonLine::object(int depth, bool outermost) {
  ++at_;
  space();
  if (take('}')) return true;
  for (;;) {
    space();
    bool wanted = false;
    if (!take('"') || !key(wanted)) return false;
    wanted = wanted && outermost;
    space();
    if (!take(':')) return false;
    space();
    if (wanted && take('"')) {
      if (!string<true>(out_, written_)) return false;
      found_ = true;
    } else {
      if (wanted) found_ = false;
      if (!value(depth + 1)) return false;
    }
    space();
    if (take('}')) return true;
    if (!take(',')) return false;
  }
}

bool JsonLine::array(int depth) {
  ++at_;
  space();
  if (take(']')) return true;
  for (;;) {
    space();
    if (!value(depth + 1)) return false;
    space();
    if (take(']')) return true;
    if (!take(',')) return false;
  }
}

bool JsonLine::value(int depth) {
  if (depth > kMaxDepth) return false;
  std::size_t ignored = 0;
  switch (here()) {
    case '"': ++at_; return string<false>(nullptr, ignored);
    case '{': return object(depth, false);
    case '[': return array(depth);
    case 't': return word("true");
    case 'f': return word("false");
    case 'n': return word("null");
    default: return number();
  }
}

bool JsonLine::word(const char* word) {
  for (; *word; ++word) {
    if (!take(*word)) return false;
  }
  return true;
}

bool JsonLine::digits() {
  const std::size_t from = at_;
  while (here() >= '0' && here() <= '9') ++at_;
  return at_ > from;
}

bool JsonLine::number() {
  take('-');
  if (!take('0') && !digits()) return false;
  if (take('.') && !digits()) return false;
  if (take('e') || take('E')) {
    if (!take('+')) take('-');
    return digits();
  }
  return true;
}

// A key, its quote behind it; almost none has escapes.
bool JsonLine::key(bool& wanted) {
  const std::size_t begin = at_;
  const std::size_t end = plain_bytes<false>(line_.data, at_, line_.size, readable_, nullptr);
  const std::uint8_t* found = line_.data + begin;
  std::size_t size = end - begin;
  if (end < line_.size && line_.data[end] == '"') {
    at_ = end + 1;
  } else {
    key_.resize(line_.size - begin + kCopySlack);
    if (!string<true>(key_.data(), size)) return false;
    found = key_.data();
  }
  wanted = size == field_.size && std::memcmp(found, field_.data, size) == 0;
  return true;
}

template <bool kWanted>
bool JsonLine::string(std::uint8_t* out, std::size_t& written) {
  std::size_t count = 0;
  for (;;) {
    const std::size_t end = plain_bytes<kWanted>(line_.data, at_, line_.size, readable_, out + (kWanted ? count : 0));
    count += end - at_;
    at_ = end;
    if (take('"')) break;
    if (here() != '\\') return false;  // a control character, or the end of the line
    std::uint32_t character = 0;
    if (!escape(character)) return false;
    if (kWanted) count += put_character(out + count, character);
  }
  written = count;
  return true;
}

// The code point of an escape, of both when it is a pair of surrogates.
bool JsonLine::escape(std::uint32_t& character) {
  if (at_ + 1 >= line_.size) return false;
  const std::uint8_t letter = line_.data[at_ + 1];
  if (letter != 'u') {
    at_ += 2;
    switch (letter) {
      case '"': case '\\': case '/': character = letter; return true;
      case 'b': character = '\b'; return true;
      case 'f': character = '\f'; return true;
      case 'n': character = '\n'; return true;
      case 'r': character = '\r'; return true;
      case 't': character = '\t'; return true;
      default: return false;
    }
  }
  std::uint32_t high = 0, low = 0;
  if (!unit(at_ + 2, high)) return false;
  at_ += 6;
  character = high;
  if (high < 0xd800 || high > 0xdfff) return true;
  character = 0xfffd;
  if (high < 0xdc00 && at_ + 1 < line_.size && line_.data[at_] == '\\' && line_.data[at_ + 1] == 'u') {
    if (!unit(at_ + 2, low)) return false;
    if (low >= 0xdc00 && low <= 0xdfff) {
      at_ += 6;
      character = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    }
  }
  return true;
}

bool JsonLine::unit(std::size_t at, std::uint32_t& unit) const {
  if (at + 4 > line_.size) return false;
  unit = 0;
  for (std::size_t i = at; i < at + 4; ++i) {
    const std::uint8_t byte = line_.data[i], letter = byte | 0x20;
    if (byte >= '0' && byte <= '9') unit = unit * 16 + (byte - '0');
    else if (letter >= 'a' && letter <= 'f') unit = unit * 16 + (letter - 'a' + 10);
    else return false;
  }
  return true;
}

void JsonLine::space() {
  while (at_ < line_.size && (line_.data[at_] == ' ' || line_.data[at_] == '\t' || line_.data[at_] == '\r' || line_.data[at_] == '\n')) ++at_;
}

}  // namespace espalier
