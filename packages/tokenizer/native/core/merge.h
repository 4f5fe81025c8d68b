// merge.h -- byte-pair merging by rank: while two neighbours together are a token, join those of lowest rank, leftmost
// first. A part is known by the index of its first byte; its neighbours by links.
#pragma once
#include "core/vocabulary.h"

namespace espalier {
namespace ESPALIER_ISA {

// Up to this many bytes the lowest rank is found by looking at all of them, eight or sixteen at a time.
constexpr size_t kScanBytes = 64;
// Positions are in the low bits of a key, so that one minimum finds the lowest rank and the leftmost place of it.
constexpr uint32_t kPositionBits = 6;
static_assert(kScanBytes == 1u << kPositionBits && uint64_t(kMaxTokens) << kPositionBits < kNoRank, "keys fit in 32 bits");

// Writes the ids of `piece[0 .. length)`, `length` <= kScanBytes, and returns how many.
inline size_t merge_by_scan(const Vocabulary& v, const uint8_t* piece, size_t length, size_t readable, uint32_t* out) {
  alignas(64) uint32_t keys[kScanBytes];  // of a part with the one behind it
  uint32_t ids[kScanBytes];
  uint8_t next[kScanBytes + 1], previous[kScanBytes + 1];
  const size_t padded = (length + 15) & ~size_t(15);
  for (size_t i = 0; i < padded; ++i) keys[i] = kNoRank;
  const auto key_of = [](uint32_t rank, size_t i) { return rank == kNoRank ? kNoRank : rank << kPositionBits | uint32_t(i); };
  for (size_t i = 0; i < length; ++i) {
    ids[i] = v.byte_ranks[piece[i]];
    next[i] = uint8_t(i + 1);
    previous[i] = uint8_t(i - 1);  // of the first: never followed
  }
  for (size_t i = 0; i + 1 < length; ++i) keys[i] = key_of(v.pair_ranks[piece[i] << 8 | piece[i + 1]], i);
  for (;;) {
    uint32_t lowest = kNoRank;
    for (size_t i = 0; i < padded; ++i) lowest = keys[i] < lowest ? keys[i] : lowest;
    if (lowest == kNoRank) break;
    const size_t here = lowest & (kScanBytes - 1);
    const size_t joined = next[here];
    const size_t after = next[joined];
    ids[here] = lowest >> kPositionBits;
    next[here] = uint8_t(after);
    keys[joined] = kNoRank;
    keys[here] = kNoRank;
    if (after < length) {
      previous[after] = uint8_t(here);
      keys[here] = key_of(rank_of(v, piece + here, next[after] - here, readable - here), here);
    }
    if (here > 0) {
      const size_t before = previous[here];
      keys[before] = key_of(rank_of(v, piece + before, after - before, readable - before), before);
    }
  }
  size_t count = 0;
  for (size_t i = 0; i < length; i = next[i]) out[count++] = ids[i];
  return count;
}

// A tree of minima over the ranks of a long piece: sixteen children a node, leftmost lowest leaf in a few steps.
struct MinTree {
  static constexpr size_t kFan = 16, kMaxLevels = 8;  // 16^8 leaves
  uint32_t* levels[kMaxLevels];
  size_t num_levels;  // the last one is a single block of sixteen

  static size_t padded(size_t n) { return (n + kFan - 1) & ~(kFan - 1); }

  static size_t cells_for(size_t leaves) {
    size_t cells = 0;
    for (size_t n = leaves;; n = (n + kFan - 1) / kFan) {
      cells += padded(n);
      if (n <= kFan) return cells;
    }
  }

  void attach(uint32_t* cells, size_t leaves) {
    num_levels = 0;
    for (size_t n = leaves;; n = (n + kFan - 1) / kFan) {
      levels[num_levels++] = cells;
      for (size_t i = n; i < padded(n); ++i) cells[i] = kNoRank;
      cells += padded(n);
      if (n <= kFan) return;
    }
  }

  static uint32_t lowest_of(const uint32_t* block) {
    uint32_t lowest = kNoRank;
    for (size_t i = 0; i < kFan; ++i) lowest = block[i] < lowest ? block[i] : lowest;
    return lowest;
  }

  // Fills the levels above the leaves.
  void build(size_t leaves) {
    size_t n = leaves;
    for (size_t level = 1; level < num_levels; ++level) {
      n = (n + kFan - 1) / kFan;
      for (size_t i = 0; i < n; ++i) levels[level][i] = lowest_of(levels[level - 1] + i * kFan);
    }
  }

  void set(size_t leaf, uint32_t rank) {
    levels[0][leaf] = rank;
    for (size_t level = 1; level < num_levels; ++level) {
      const size_t parent = leaf / kFan;
      const uint32_t lowest = lowest_of(levels[level - 1] + parent * kFan);
      if (levels[level][parent] == lowest) return;
      levels[level][parent] = lowest;
      leaf = parent;
    }
  }

  uint32_t lowest() const { return lowest_of(levels[num_levels - 1]); }

  size_t leftmost(uint32_t rank) const {
    size_t block = 0;
    for (size_t level = num_levels; level-- > 0;) {
      size_t i = block * kFan;
      while (levels[level][i] != rank) ++i;
      block = i;
    }
    return block;
  }
};

inline size_t merge_scratch_bytes(size_t length) { return (2 * length + MinTree::cells_for(length)) * sizeof(uint32_t) + 64; }

// The same for pieces of any length, n log n. `out` has room for an id a byte; `scratch` is merge_scratch_bytes.
inline size_t merge_by_tree(const Vocabulary& v, const uint8_t* piece, size_t length, size_t readable, uint32_t* out, void* scratch) {
  uint32_t* const next = reinterpret_cast<uint32_t*>((reinterpret_cast<uintptr_t>(scratch) + 63) & ~uintptr_t(63));
  uint32_t* const previous = next + length;
  MinTree tree;
  tree.attach(previous + length, length);
  for (size_t i = 0; i < length; ++i) {
    out[i] = v.byte_ranks[piece[i]];
    next[i] = uint32_t(i + 1);
    previous[i] = uint32_t(i - 1);
    tree.levels[0][i] = i + 1 < length ? v.pair_ranks[piece[i] << 8 | piece[i + 1]] : kNoRank;
  }
  tree.build(length);
  for (uint32_t rank = tree.lowest(); rank != kNoRank; rank = tree.lowest()) {
    const size_t here = tree.leftmost(rank);
    const size_t joined = next[here];
    const size_t after = next[joined];
    out[here] = rank;
    next[here] = uint32_t(after);
    tree.set(joined, kNoRank);
    if (after < length) {
      previous[after] = uint32_t(here);
      tree.set(here, rank_of(v, piece + here, next[after] - here, readable - here));
    } else {
      tree.set(here, kNoRank);
    }
    if (here > 0) {
      const size_t before = previous[here];
      tree.set(before, rank_of(v, piece + before, after - before, readable - before));
    }
  }
  size_t count = 0;
  for (size_t i = 0; i < length; i = next[i]) out[count++] = out[i];  // count never passes i
  return count;
}

}  // namespace ESPALIER_ISA
}  // namespace espalier
