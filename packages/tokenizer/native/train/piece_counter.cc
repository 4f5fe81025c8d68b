#include "train/piece_counter.h"

#include <algorithm>
#include <cstring>
#include <string_view>

// The scanners and keys of the encoder; this name keeps them apart from its copies.
#define ESPALIER_ISA counting
#include "core/piece_table.h"
#include "core/pretokenize.h"

namespace espalier {

using namespace counting;

namespace {

constexpr std::size_t kBatch = 32;  // found before they are looked up, so that their places are fetched meanwhile
constexpr std::size_t kFirstShort = std::size_t(1) << 14, kFirstLong = std::size_t(1) << 10;

std::size_t place_of(std::uint64_t hash, std::size_t slots) { return std::size_t(hash >> 20) & (slots - 1); }

}  // namespace

PieceCounter::PieceCounter(Pattern pattern, const std::uint8_t* classes)
    : pattern_(pattern), classes_(classes, classes + kNumCodePoints) {
  clear();
}

void PieceCounter::clear() {
  std::vector<ShortPiece>(kFirstShort).swap(short_);
  std::vector<LongPiece>().swap(long_);
  std::vector<std::uint32_t>(kFirstLong).swap(long_slots_);
  std::vector<std::uint8_t>().swap(long_bytes_);
  num_short_ = 0;
}

std::size_t PieceCounter::held_bytes() const {
  return short_.capacity() * sizeof(ShortPiece) + long_.capacity() * sizeof(LongPiece) + long_slots_.capacity() * 4 + long_bytes_.capacity();
}

void PieceCounter::grow_short() {
  std::vector<ShortPiece> larger(short_.size() * 2);
  for (const ShortPiece& piece : short_) {
    if (!piece.high) continue;
    std::size_t at = place_of(hash_of({piece.low, piece.high}), larger.size());
    while (larger[at].high) at = (at + 1) & (larger.size() - 1);
    larger[at] = piece;
  }
  short_.swap(larger);
}

void PieceCounter::grow_long() {
  std::vector<std::uint32_t> larger(long_slots_.size() * 2);
  for (std::size_t i = 0; i < long_.size(); ++i) {
    std::size_t at = place_of(long_[i].hash, larger.size());
    while (larger[at]) at = (at + 1) & (larger.size() - 1);
    larger[at] = std::uint32_t(i + 1);
  }
  long_slots_.swap(larger);
}

void PieceCounter::add_long(const std::uint8_t* piece, std::size_t length) {
  const std::uint64_t hash = hash_bytes(piece, length);
  std::size_t at = place_of(hash, long_slots_.size());
  for (; long_slots_[at]; at = (at + 1) & (long_slots_.size() - 1)) {
    LongPiece& known = long_[long_slots_[at] - 1];
    if (known.hash == hash && known.length == length && std::memcmp(long_bytes_.data() + known.offset, piece, length) == 0) {
      ++known.count;
      return;
    }
  }
  long_.push_back({hash, 1, long_bytes_.size(), length});
  long_bytes_.insert(long_bytes_.end(), piece, piece + length);
  long_slots_[at] = std::uint32_t(long_.size());
  if (long_.size() * 2 > long_slots_.size()) grow_long();
}

template <Pattern pattern>
void PieceCounter::add_text(const std::uint8_t* s, std::size_t size) {
  const Text text{s, size, classes_.data()};
  struct Found {
    ShortKey key;
    std::uint64_t hash;
  } found[kBatch];
  for (std::size_t i = 0; i < size;) {
    while ((num_short_ + kBatch) * 8 > short_.size() * 5) grow_short();
    std::size_t count = 0;
    while (count < kBatch && i < size) {
      const std::size_t end = piece_end<pattern>(text, i), length = end - i;
      if (length > kShortBytes) {
        add_long(s + i, length);
      } else {
        const ShortKey key = size - i >= 16 ? short_key(s + i, length) : short_key_near_end(s + i, length);
        const std::uint64_t hash = hash_of(key);
        __builtin_prefetch(&short_[place_of(hash, short_.size())]);
        found[count++] = {key, hash};
      }
      i = end;
    }
    for (std::size_t k = 0; k < count; ++k) {
      const auto [key, hash] = found[k];
      std::size_t at = place_of(hash, short_.size());
      while (short_[at].high && !(short_[at].low == key.low && short_[at].high == key.high)) at = (at + 1) & (short_.size() - 1);
      if (!short_[at].high) {
        short_[at] = {key.low, key.high, 0};
        ++num_short_;
      }
      ++short_[at].count;
    }
  }
}

void PieceCounter::add(const std::uint8_t* text, std::size_t size) {
  switch (pattern_) {
    case Pattern::kGpt2: return add_text<Pattern::kGpt2>(text, size);
    case Pattern::kO200k: return add_text<Pattern::kO200k>(text, size);
    case Pattern::kQwen2: return add_text<Pattern::kQwen2>(text, size);
    case Pattern::kCl100k: break;
  }
  add_text<Pattern::kCl100k>(text, size);
}

CountedPieces PieceCounter::pieces() const {
  struct Piece {
    const std::uint8_t* bytes;
    std::size_t length;
    std::uint64_t count;
    std::string_view view() const { return {reinterpret_cast<const char*>(bytes), length}; }
  };
  std::vector<Piece> all;
  all.reserve(num_pieces());
  std::size_t total = long_bytes_.size();
  for (const ShortPiece& piece : short_) {
    if (!piece.high) continue;
    all.push_back({reinterpret_cast<const std::uint8_t*>(&piece), std::size_t(piece.high >> 56), piece.count});
    total += all.back().length;
  }
  for (const LongPiece& piece : long_) all.push_back({long_bytes_.data() + piece.offset, piece.length, piece.count});
  std::sort(all.begin(), all.end(), [](const Piece& a, const Piece& b) { return a.view() < b.view(); });  // bytes compare unsigned
  CountedPieces result;
  result.bytes.reserve(total);
  result.lengths.reserve(all.size());
  result.counts.reserve(all.size());
  for (const Piece& piece : all) {
    result.bytes.insert(result.bytes.end(), piece.bytes, piece.bytes + piece.length);
    result.lengths.push_back(std::uint32_t(piece.length));
    result.counts.push_back(double(piece.count));
  }
  return result;
}

}  // namespace espalier
