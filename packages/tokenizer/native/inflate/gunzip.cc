#include "inflate/gunzip.h"

#include <cstring>
#include <initializer_list>
#include <tuple>

#include "inflate/crc32.h"

namespace espalier {
namespace {

constexpr std::size_t kNumLiterals = 288, kNumDistances = 32, kNumLengthCodes = 19;
constexpr std::uint32_t kShortest = 3, kLongest = 258;
// A refill gives 56 bits at least: a length and a distance take 48.
constexpr std::size_t kRefillBytes = 8;
// Bytes that one round of symbols may read.
constexpr std::size_t kRoundBytes = 4 * kRefillBytes;

struct Meanings {
  std::uint32_t literals[kNumLiterals], distances[kNumDistances], lengths[kNumLengthCodes];
};

constexpr Meanings make_meanings() {
  Meanings m{};
  for (std::uint32_t i = 0; i < 256; ++i) m.literals[i] = i << 16 | CodeEntry::kLiteral;
  m.literals[256] = CodeEntry::kEnd;
  std::uint32_t base = kShortest;
  for (std::uint32_t i = 0; i < 28; ++i) {
    const std::uint32_t extra = i < 8 ? 0 : i / 4 - 1;
    m.literals[257 + i] = base << 16 | extra;
    base += 1u << extra;
  }
  m.literals[285] = kLongest << 16;
  m.literals[286] = m.literals[287] = CodeEntry::kInvalid;
  base = 1;
  for (std::uint32_t i = 0; i < 30; ++i) {
    const std::uint32_t extra = i < 4 ? 0 : i / 2 - 1;
    m.distances[i] = base << 16 | extra;
    base += 1u << extra;
  }
  m.distances[30] = m.distances[31] = CodeEntry::kInvalid;
  for (std::uint32_t i = 0; i < kNumLengthCodes; ++i) m.lengths[i] = i << 16;
  return m;
}

constexpr Meanings kMeanings = make_meanings();

std::uint64_t load64(const std::uint8_t* from) {
  std::uint64_t x;
  std::memcpy(&x, from, 8);
  return x;  // every platform of Node is little endian
}

std::uint32_t load32(const std::uint8_t* from) { return std::uint32_t(from[0]) | std::uint32_t(from[1]) << 8 | std::uint32_t(from[2]) << 16 | std::uint32_t(from[3]) << 24; }

// May write up to 31 bytes behind the match.
inline void copy_match(std::uint8_t* to, std::size_t distance, std::size_t length) {
  const std::uint8_t* from = to - distance;
  std::uint8_t* const end = to + length;
  if (distance >= 16) {
    do {
      std::memcpy(to, from, 16);
      to += 16;
      from += 16;
    } while (to < end);
  } else if (distance == 1) {
    std::memset(to, *from, length);
  } else {
    // Each step puts `distance` more bytes right, and what it writes behind them is written over.
    const std::size_t step = distance < 8 ? distance : 8;
    do {
      const std::uint64_t x = load64(from);
      std::memcpy(to, &x, 8);
      to += step;
      from += step;
    } while (to < end);
  }
}

}  // namespace

Gunzip::Gunzip() : window_(new std::uint8_t[kWindow + kWindowSlack]) {}

Gunzip::Progress Gunzip::run(const std::uint8_t* input, std::size_t size, bool is_last, std::uint8_t* out, std::size_t room) {
  next_ = input;
  end_ = input + size;
  is_last_ = is_last;
  out_ = out;
  room_ = room;
  Step found = Step::kGoOn;
  while (found == Step::kGoOn && state_ != State::kDone) found = step();
  const bool is_flushed = flush();
  unread();
  return {std::size_t(next_ - input), room - room_, is_flushed && state_ == State::kDone, is_flushed ? problem_ : nullptr};
}

Gunzip::Step Gunzip::step() {
  switch (state_) {
    case State::kHeader: return header();
    case State::kBlock: return block();
    case State::kStored: return stored();
    case State::kCodes: return codes();
    case State::kTrailer: return trailer();
    case State::kDone: break;
  }
  return Step::kNeedsInput;
}

Gunzip::Step Gunzip::fail(const char* problem) {
  problem_ = problem;
  state_ = State::kDone;
  return Step::kGoOn;
}

// The input ends where more is needed.
Gunzip::Step Gunzip::starved() { return is_last_ ? fail("unexpected end of file") : Step::kNeedsInput; }

// Gives out what the window holds; false where the room did not do.
bool Gunzip::flush() {
  const std::size_t held = at_ - flushed_, size = held < room_ ? held : room_;
  if (size > 0) {
    std::memcpy(out_, window_.get() + flushed_, size);
    crc_ = crc32_of(crc_, out_, size);
    size_ += std::uint32_t(size);
    out_ += size;
    room_ -= size;
    flushed_ += size;
  }
  return size == held;
}

// Once all was given out: the history goes to the beginning.
void Gunzip::slide() {
  const std::size_t gone = at_ > kHistory ? at_ - kHistory : 0;
  std::memmove(window_.get(), window_.get() + gone, at_ - gone);
  at_ -= gone;
  flushed_ = at_;
  member_start_ = member_start_ > gone ? member_start_ - gone : 0;
}

// At least 56 bits, where the input has them.
void Gunzip::refill() {
  while (num_bits_ < 56 && next_ < end_) {
    bits_ |= std::uint64_t(*next_++) << num_bits_;
    num_bits_ += 8;
  }
}

std::uint32_t Gunzip::take(int bits) {
  const std::uint32_t found = std::uint32_t(bits_ & ((std::uint64_t(1) << bits) - 1));
  bits_ >>= bits;
  num_bits_ -= bits;
  return found;
}

// Gives whole bytes back to the input.
void Gunzip::unread() {
  next_ -= num_bits_ >> 3;
  num_bits_ &= 7;
  bits_ &= (std::uint64_t(1) << num_bits_) - 1;
}

Gunzip::Step Gunzip::header() {
  constexpr std::uint8_t kHasCheck = 2, kHasExtra = 4, kHasName = 8, kHasComment = 16, kReserved = 0xe0;
  if (!is_first_member_ && (left() == 0 ? is_last_ : *next_ == 0)) {
    state_ = State::kDone;  // zeros behind the last member are padding
    return Step::kGoOn;
  }
  const std::uint8_t* const h = next_;
  const std::size_t size = left();
  if (size > 0 && h[0] != 0x1f) return fail("incorrect header check");
  if (size > 1 && h[1] != 0x8b) return fail("incorrect header check");
  if (size > 2 && h[2] != 8) return fail("unknown compression method");
  if (size > 3 && (h[3] & kReserved)) return fail("unknown header flags set");
  if (size < 10) return starved();
  std::size_t at = 10;
  const std::uint8_t flags = h[3];
  if (flags & kHasExtra) {
    if (size < at + 2) return starved();
    at += 2 + (h[at] | std::size_t(h[at + 1]) << 8);
    if (size < at) return starved();
  }
  for (const std::uint8_t text : {kHasName, kHasComment}) {
    if (!(flags & text)) continue;
    const void* const zero = std::memchr(h + at, 0, size - at);
    if (!zero) return starved();
    at = std::size_t(static_cast<const std::uint8_t*>(zero) - h) + 1;
  }
  if (flags & kHasCheck) {
    if (size < at + 2) return starved();
    if ((crc32_of(0, h, at) & 0xffff) != (h[at] | std::uint32_t(h[at + 1]) << 8)) return fail("header crc mismatch");
    at += 2;
  }
  next_ += at;
  is_first_member_ = false;
  crc_ = size_ = 0;
  member_start_ = at_;
  state_ = State::kBlock;
  return Step::kGoOn;
}

Gunzip::Step Gunzip::block() {
  if (!is_last_ && left() < kLookahead) return Step::kNeedsInput;
  refill();
  if (num_bits_ < 3) return starved();
  is_last_block_ = take(1);
  switch (take(2)) {
    case 0: {
      take(num_bits_ & 7);
      unread();
      if (left() < 4) return starved();
      const std::uint32_t size = load32(next_);
      if ((size & 0xffff) != (size >> 16 ^ 0xffff)) return fail("invalid stored block lengths");
      next_ += 4;
      stored_left_ = size & 0xffff;
      state_ = State::kStored;
      return Step::kGoOn;
    }
    case 1:
      if (!has_fixed_) {
        std::uint8_t lengths[kNumLiterals], of_distances[kNumDistances];
        for (std::size_t i = 0; i < kNumLiterals; ++i) lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
        std::memset(of_distances, 5, sizeof of_distances);
        build_table(literals_, kLiteralBits, lengths, kMeanings.literals, kNumLiterals);
        build_table(distances_, kDistanceBits, of_distances, kMeanings.distances, kNumDistances);
        has_fixed_ = true;
      }
      state_ = State::kCodes;
      return Step::kGoOn;
    case 2: return lengths_of_block();
    default: return fail("invalid block type");
  }
}

// The codes of a block, section 3.2.7; all of it is within the lookahead.
Gunzip::Step Gunzip::lengths_of_block() {
  constexpr std::uint8_t kOrder[kNumLengthCodes] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
  constexpr int kLengthBits = 7;
  refill();
  if (num_bits_ < 14) return starved();
  const std::size_t num_literals = take(5) + 257, num_distances = take(5) + 1, num_lengths = take(4) + 4;
  if (num_literals > 286 || num_distances > 30) return fail("too many length or distance symbols");
  std::uint8_t of_lengths[kNumLengthCodes] = {};
  for (std::size_t i = 0; i < num_lengths; ++i) {
    refill();
    if (num_bits_ < 3) return starved();
    of_lengths[kOrder[i]] = std::uint8_t(take(3));
  }
  std::uint32_t table[1 << kLengthBits];
  std::size_t coded = 0;
  for (const std::uint8_t length : of_lengths) coded += length > 0;
  // Unlike the two others, this set must be complete.
  if (build_table(table, kLengthBits, of_lengths, kMeanings.lengths, kNumLengthCodes) != CodeSet::kComplete || coded < 2) return fail("invalid code lengths set");
  std::uint8_t lengths[kNumLiterals + kNumDistances];
  const std::size_t count = num_literals + num_distances;
  for (std::size_t i = 0; i < count;) {
    refill();
    const std::uint32_t entry = table[bits_ & ((1 << kLengthBits) - 1)];
    const int bits = int(entry & 0xff);
    const std::uint32_t symbol = entry >> 16;
    const int extra = symbol == 16 ? 2 : symbol == 17 ? 3 : symbol == 18 ? 7 : 0;
    if (num_bits_ < bits + extra) return starved();
    take(bits);
    if (symbol < 16) {
      lengths[i++] = std::uint8_t(symbol);
      continue;
    }
    const std::size_t times = take(extra) + (symbol == 18 ? 11 : 3);
    if ((symbol == 16 && i == 0) || i + times > count) return fail("invalid bit length repeat");
    std::memset(lengths + i, symbol == 16 ? lengths[i - 1] : 0, times);
    i += times;
  }
  if (lengths[256] == 0) return fail("invalid code -- missing end-of-block");
  has_fixed_ = false;
  if (build_table(literals_, kLiteralBits, lengths, kMeanings.literals, num_literals) != CodeSet::kComplete) return fail("invalid literal/lengths set");
  if (build_table(distances_, kDistanceBits, lengths + num_literals, kMeanings.distances, num_distances) != CodeSet::kComplete) return fail("invalid distances set");
  state_ = State::kCodes;
  return Step::kGoOn;
}

Gunzip::Step Gunzip::stored() {
  while (stored_left_ > 0) {
    if (at_ >= kWindow) {
      if (!flush()) return Step::kNeedsRoom;
      slide();
    }
    if (left() == 0) return starved();
    std::size_t size = stored_left_ < left() ? stored_left_ : left();
    if (size > kWindow - at_) size = kWindow - at_;
    std::memcpy(window_.get() + at_, next_, size);
    next_ += size;
    at_ += size;
    stored_left_ -= size;
  }
  state_ = is_last_block_ ? State::kTrailer : State::kBlock;
  return Step::kGoOn;
}

Gunzip::Step Gunzip::codes() {
  unread();
  if (at_ + kLongest > kWindow) {
    if (!flush()) return Step::kNeedsRoom;
    slide();
  }
  if (left() >= kRoundBytes) return symbols<false>(end_ - kRoundBytes);
  if (!is_last_) return Step::kNeedsInput;
  // Zeros stand behind the last bytes, so that reading ahead stays within memory.
  std::uint8_t padded[3 * kRoundBytes] = {};
  const std::uint8_t *const begin = next_, *const end = end_;
  const std::size_t size = left();
  std::memcpy(padded, next_, size);
  next_ = padded;
  end_ = padded + size;
  const Step found = symbols<true>(end_);
  unread();
  next_ = begin + (next_ - padded);
  end_ = end;
  return found;
}

// Decodes while the input stands at or before `limit` and a longest match fits the window. At the end of the input each
// symbol is looked at by itself: one that takes more bits than there are is none.
template <bool kAtEnd>
Gunzip::Step Gunzip::symbols(const std::uint8_t* limit) {
  const std::uint8_t* next = next_;
  std::uint64_t bits = bits_;
  int num_bits = num_bits_;
  std::uint8_t* const window = window_.get();
  std::uint8_t *out = window + at_, *const out_limit = window + kWindow - kLongest;
  const std::uint8_t* const member_start = window + member_start_;
  constexpr std::uint32_t kLiteralMask = (1u << kLiteralBits) - 1, kDistanceMask = (1u << kDistanceBits) - 1;
  const char* problem = nullptr;
  bool is_end = false;
  const auto fill = [&] {
    bits |= load64(next) << num_bits;
    next += (63 - num_bits) >> 3;
    num_bits |= 56;
  };
  const auto drop = [&](std::uint32_t entry) {
    bits >>= entry & 0xff;
    num_bits -= int(entry & 0xff);
  };
  // Of a code with extra bits that was looked up: its base and what they add.
  const auto value_of = [](std::uint32_t entry, std::uint64_t seen) {
    const int all = int(entry & 0xff), code = int(entry >> 8 & 0x1f);
    return (entry >> 16) + std::uint32_t((seen & ((std::uint64_t(1) << all) - 1)) >> code);
  };
  while (next <= limit && out <= out_limit) {
    [[maybe_unused]] const auto before = std::tuple{next, bits, num_bits, out};
    fill();
    std::uint32_t entry = literals_[bits & kLiteralMask];
    if (entry & CodeEntry::kLiteral) {
      drop(entry);
      *out++ = std::uint8_t(entry >> 16);
      if constexpr (!kAtEnd) {
        // Two more fit the bits at hand, and the room of a longest match.
        entry = literals_[bits & kLiteralMask];
        if (entry & CodeEntry::kLiteral) {
          drop(entry);
          *out++ = std::uint8_t(entry >> 16);
          entry = literals_[bits & kLiteralMask];
          if (entry & CodeEntry::kLiteral) {
            drop(entry);
            *out++ = std::uint8_t(entry >> 16);
            continue;
          }
        }
        fill();
      }
    }
    if (!(kAtEnd && (entry & CodeEntry::kLiteral))) {
      if ((entry & CodeEntry::kUnusual) == CodeEntry::kLink) {
        drop(entry);
        entry = literals_[(entry >> 16) + (bits & ((1u << (entry >> 8 & 0x1f)) - 1))];
      }
      if (entry & CodeEntry::kLiteral) {
        drop(entry);
        *out++ = std::uint8_t(entry >> 16);
      } else if (entry & CodeEntry::kUnusual) {
        if ((entry & CodeEntry::kUnusual) == CodeEntry::kEnd) {
          drop(entry);
          is_end = true;
        } else {
          problem = "invalid literal/length code";
        }
      } else {
        const std::uint32_t length = value_of(entry, bits);
        drop(entry);
        entry = distances_[bits & kDistanceMask];
        if ((entry & CodeEntry::kUnusual) == CodeEntry::kLink) {
          drop(entry);
          entry = distances_[(entry >> 16) + (bits & ((1u << (entry >> 8 & 0x1f)) - 1))];
        }
        const std::uint32_t distance = value_of(entry, bits);
        drop(entry);
        if (entry & CodeEntry::kUnusual) {
          problem = "invalid distance code";
        } else if (distance > std::size_t(out - member_start)) {
          problem = "invalid distance too far back";
        } else {
          copy_match(out, distance, length);
          out += length;
        }
      }
    }
    if constexpr (kAtEnd) {
      if (next - (num_bits >> 3) > end_) {
        std::tie(next, bits, num_bits, out) = before;
        problem = "unexpected end of file";
      }
    }
    if (problem || is_end) break;
  }
  next_ = next;
  num_bits_ = num_bits;
  bits_ = num_bits < 64 ? bits & ((std::uint64_t(1) << num_bits) - 1) : bits;
  unread();
  at_ = std::size_t(out - window);
  if (problem) return fail(problem);
  if (is_end) state_ = is_last_block_ ? State::kTrailer : State::kBlock;
  return Step::kGoOn;
}

Gunzip::Step Gunzip::trailer() {
  take(num_bits_ & 7);
  unread();
  if (!flush()) return Step::kNeedsRoom;
  if (left() < 8) return starved();
  if (load32(next_) != crc_) return fail("incorrect data check");
  if (load32(next_ + 4) != size_) return fail("incorrect length check");
  next_ += 8;
  state_ = State::kHeader;
  return Step::kGoOn;
}

}  // namespace espalier
