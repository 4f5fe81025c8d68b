#include "core/character_bpe.h"

#ifndef ESPALIER_ISA
#define ESPALIER_ISA characters  // keeps what is shared apart from the encoders' copies
#endif
#include "core/merge.h"

namespace espalier {

using namespace ESPALIER_ISA;

namespace {

constexpr uint32_t kPageBits = 8, kNumPages = kNumCodePoints >> kPageBits;
constexpr uint32_t kCrossingBits = 20;  // 128 KB; of Llama 2's 30,000 crossings one other pair in thirty seems one
constexpr uint32_t kLineBits = 15;      // 2 MB of pieces that were met
constexpr size_t kBatch = 32;
constexpr uint32_t kReplacement = 0xfffd;

struct MergeSlot {
  uint32_t left, right;
  uint32_t rank_and_one;  // 0: empty
  uint32_t product;
};

struct Definition {
  uint32_t num_characters, num_merges, num_crossings;
  const uint32_t *words, *code_points, *code_point_ids, *lefts, *rights, *products, *firsts, *seconds;
};

bool read(const uint32_t* words, size_t num_words, Definition& d) {
  if (num_words < kCharacterHeader) return false;
  d = {words[0], words[1], words[2], words, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr};
  if (d.num_merges >= kMaxTokens) return false;  // a rank is part of a key of 32 bits
  if (uint64_t(num_words) != kCharacterHeader + uint64_t(2) * d.num_characters + uint64_t(3) * d.num_merges + uint64_t(2) * d.num_crossings) return false;
  d.code_points = words + kCharacterHeader;
  d.code_point_ids = d.code_points + d.num_characters;
  d.lefts = d.code_point_ids + d.num_characters;
  d.rights = d.lefts + d.num_merges;
  d.products = d.rights + d.num_merges;
  d.firsts = d.products + d.num_merges;
  d.seconds = d.firsts + d.num_crossings;
  for (uint32_t i = 0; i < d.num_characters; ++i) {
    if (d.code_points[i] >= kNumCodePoints) return false;
  }
  return true;
}

struct Layout {
  size_t encoder, lines, medium, pages, page_ids, merges, products, crossings, total;
  uint32_t num_slots;
};

Layout layout_of(const Definition& d) {
  uint64_t seen[kNumPages / 64] = {};
  size_t num_pages = 1;  // one for all that have no token
  for (uint32_t i = 0; i < d.num_characters; ++i) {
    const uint32_t page = d.code_points[i] >> kPageBits;
    num_pages += !(seen[page >> 6] >> (page & 63) & 1);
    seen[page >> 6] |= uint64_t(1) << (page & 63);
  }
  Layout layout{};
  layout.num_slots = 256;
  while (layout.num_slots < d.num_merges * 2) layout.num_slots *= 2;
  size_t at = 4096;  // the encoder; its size is checked below
  const auto take = [&at](size_t bytes) {
    const size_t place = at;
    at += (bytes + 63) & ~size_t(63);
    return place;
  };
  layout.lines = take(sizeof(Line) << kLineBits);
  layout.medium = take(sizeof(MediumSlot) << kMediumBits);
  layout.pages = take(kNumPages * sizeof(uint16_t));
  layout.page_ids = take((num_pages << kPageBits) * sizeof(uint32_t));
  layout.merges = take(size_t(layout.num_slots) * sizeof(MergeSlot));
  layout.products = take(size_t(d.num_merges) * sizeof(uint32_t));
  layout.crossings = take((size_t(1) << kCrossingBits) / 8);
  layout.total = at;
  return layout;
}

uint64_t mixed(uint32_t a, uint32_t b) {
  const uint64_t key = (uint64_t(a) << 32 | b) * 0x9e3779b97f4a7c15u;
  return (key ^ key >> 32) * 0xff51afd7ed558ccdu;
}

}  // namespace

struct CharacterEncoder {
  PieceTable pieces;
  MediumSlot* medium;
  uint16_t* pages;
  uint32_t* page_ids;
  MergeSlot* merges;
  uint32_t merge_mask;
  uint32_t* products;  // by rank
  uint64_t* crossings;
  uint32_t unknown, fuse_unknown, split_before;
  uint32_t byte_ids[256];
  uint64_t ascii_joins[128][2];  // of two characters in a row that are tokens: whether the text may not be cut between them
  uint32_t turn;

  uint32_t id_of(uint32_t code_point) const { return page_ids[uint32_t(pages[code_point >> kPageBits]) << kPageBits | (code_point & ((1u << kPageBits) - 1))]; }

  bool may_join(uint32_t a, uint32_t b) const {
    const uint32_t bit = uint32_t(mixed(a, b) >> 32) >> (32 - kCrossingBits);
    return crossings[bit >> 6] >> (bit & 63) & 1;
  }

  uint32_t rank_of_pair(uint32_t left, uint32_t right) const {
    for (uint32_t at = uint32_t(mixed(left, right) >> 24) & merge_mask;; at = (at + 1) & merge_mask) {
      const MergeSlot& slot = merges[at];
      if (!slot.rank_and_one) return kNoRank;
      if (slot.left == left && slot.right == right) return slot.rank_and_one - 1;
    }
  }
};
static_assert(sizeof(CharacterEncoder) <= 4096, "fits in front of the tables");

namespace {

struct CodePoint {
  uint32_t value, length;
  bool is_byte_alone() const { return length == 1 && value >= 0x80; }  // no UTF-8
};

CodePoint code_point_at(const uint8_t* s, size_t i, size_t n) {
  constexpr CodePoint kInvalid{kReplacement, 1};
  const uint8_t b0 = s[i];
  if (b0 < 0x80) return {b0, 1};
  if (b0 < 0xc2 || b0 > 0xf4) return kInvalid;
  const uint32_t length = b0 < 0xe0 ? 2 : b0 < 0xf0 ? 3 : 4;
  if (i + length > n) return kInvalid;
  uint32_t value = b0 & (0xffu >> (length + 1));
  for (uint32_t k = 1; k < length; ++k) {
    if ((s[i + k] & 0xc0) != 0x80) return kInvalid;
    value = value << 6 | (s[i + k] & 0x3f);
  }
  const bool bad = (length == 3 && (value < 0x800 || (value >= 0xd800 && value < 0xe000))) || (length == 4 && (value < 0x10000 || value > 0x10ffff));
  return bad ? kInvalid : CodePoint{value, length};
}

// Symbols of one character at a time. A character without any gives none.
struct Symbols {
  uint32_t ids[4];
  uint32_t count;
  bool unknown;  // neither a token nor tokens of bytes
};

Symbols symbols_of(const CharacterEncoder& e, CodePoint c) {
  const uint32_t id = e.id_of(c.value);
  if (id != kNoToken) return {{id, 0, 0, 0}, 1, false};
  const Symbols unknown{{e.unknown, 0, 0, 0}, e.unknown == kNoToken ? 0u : 1u, true};
  if (c.is_byte_alone()) return unknown;  // never more symbols than bytes
  uint8_t bytes[4];
  for (uint32_t k = c.length - 1; k > 0; --k) bytes[k] = uint8_t(0x80 | (c.value >> 6 * (c.length - 1 - k) & 0x3f));
  bytes[0] = uint8_t(c.length == 1 ? c.value : (0xf00u >> c.length & 0xff) | c.value >> 6 * (c.length - 1));
  Symbols symbols{{}, c.length, false};
  for (uint32_t k = 0; k < c.length; ++k) {
    symbols.ids[k] = e.byte_ids[bytes[k]];
    if (symbols.ids[k] == kNoToken) return unknown;
  }
  return symbols;
}

// Whether the text is cut between the symbol `last` and a character: never in front of one that may become part of an
// unknown token before it, or that gives no symbol.
bool cuts(const CharacterEncoder& e, uint32_t last, const Symbols& next) {
  if (last == kNoToken || next.unknown || next.count == 0) return false;
  return next.ids[0] == e.split_before || !e.may_join(last, next.ids[0]);
}

size_t piece_end(const CharacterEncoder& e, const uint8_t* s, size_t i, size_t n) {
  uint32_t last = kNoToken;  // symbol of the piece so far
  for (bool first = true;; first = false) {
    const CodePoint c = code_point_at(s, i, n);
    const Symbols next = symbols_of(e, c);
    if (!first && cuts(e, last, next)) return i;
    if (next.count > 0) last = next.ids[next.count - 1];
    i += c.length;
    if (c.value < 0x80 && c.length == 1 && !next.unknown) {
      // most text: characters that are tokens, and joined or not by the two of them alone
      uint32_t here = c.value;
      const size_t begin = i;
      while (i < n && s[i] < 0x80 && (e.ascii_joins[here][s[i] >> 6] >> (s[i] & 63) & 1)) here = s[i++];
      if (i > begin) last = symbols_of(e, {here, 1}).ids[0];
    }
    if (i >= n) return n;
  }
}

size_t join_by_scan(const CharacterEncoder& e, uint32_t* ids, size_t length) {
  alignas(64) uint32_t keys[kScanBytes];
  uint8_t next[kScanBytes + 1], previous[kScanBytes + 1];
  const size_t padded = (length + 15) & ~size_t(15);
  const auto key_of = [&](size_t here, size_t after) {
    const uint32_t rank = e.rank_of_pair(ids[here], ids[after]);
    return rank == kNoRank ? kNoRank : rank << kPositionBits | uint32_t(here);
  };
  for (size_t i = 0; i < padded; ++i) keys[i] = i + 1 < length ? key_of(i, i + 1) : kNoRank;
  for (size_t i = 0; i < length; ++i) {
    next[i] = uint8_t(i + 1);
    previous[i] = uint8_t(i - 1);  // of the first: never followed
  }
  for (;;) {
    uint32_t lowest = kNoRank;
    for (size_t i = 0; i < padded; ++i) lowest = keys[i] < lowest ? keys[i] : lowest;
    if (lowest == kNoRank) break;
    const size_t here = lowest & (kScanBytes - 1);
    const size_t joined = next[here];
    const size_t after = next[joined];
    ids[here] = e.products[lowest >> kPositionBits];
    next[here] = uint8_t(after);
    keys[joined] = kNoRank;
    keys[here] = after < length ? key_of(here, after) : kNoRank;
    if (after < length) previous[after] = uint8_t(here);
    if (here > 0) keys[previous[here]] = key_of(previous[here], here);
  }
  size_t count = 0;
  for (size_t i = 0; i < length; i = next[i]) ids[count++] = ids[i];
  return count;
}

size_t join_by_tree(const CharacterEncoder& e, uint32_t* ids, size_t length, void* scratch) {
  uint32_t* const next = reinterpret_cast<uint32_t*>((reinterpret_cast<uintptr_t>(scratch) + 63) & ~uintptr_t(63));
  uint32_t* const previous = next + length;
  MinTree tree;
  tree.attach(previous + length, length);
  for (size_t i = 0; i < length; ++i) {
    next[i] = uint32_t(i + 1);
    previous[i] = uint32_t(i - 1);
    tree.levels[0][i] = i + 1 < length ? e.rank_of_pair(ids[i], ids[i + 1]) : kNoRank;
  }
  tree.build(length);
  for (uint32_t rank = tree.lowest(); rank != kNoRank; rank = tree.lowest()) {
    const size_t here = tree.leftmost(rank);
    const size_t joined = next[here];
    const size_t after = next[joined];
    ids[here] = e.products[rank];
    next[here] = uint32_t(after);
    tree.set(joined, kNoRank);
    tree.set(here, after < length ? e.rank_of_pair(ids[here], ids[after]) : kNoRank);
    if (after < length) previous[after] = uint32_t(here);
    if (here > 0) tree.set(previous[here], e.rank_of_pair(ids[previous[here]], ids[here]));
  }
  size_t count = 0;
  for (size_t i = 0; i < length; i = next[i]) ids[count++] = ids[i];
  return count;
}

struct Run {
  CharacterEncoder& encoder;
  EncodeRequest& request;
  size_t count = 0;

  Status merge(size_t begin, size_t end) {
    uint32_t* const ids = request.out + count;
    size_t length = 0;
    bool after_unknown = false;
    for (size_t i = begin; i < end;) {
      const CodePoint c = code_point_at(request.text, i, end);
      const Symbols symbols = symbols_of(encoder, c);
      if (!(symbols.unknown && after_unknown && encoder.fuse_unknown)) {
        for (uint32_t k = 0; k < symbols.count; ++k) ids[length++] = symbols.ids[k];
      }
      after_unknown = symbols.unknown;
      i += c.length;
    }
    if (length <= kScanBytes) {
      count += join_by_scan(encoder, ids, length);
      return Status::kOk;
    }
    const size_t needed = merge_scratch_bytes(length);
    if (request.scratch_bytes < needed) {
      request.needed = needed;
      return Status::kScratchTooSmall;
    }
    count += join_by_tree(encoder, ids, length, request.scratch);
    return Status::kOk;
  }

  Status short_piece(size_t begin, size_t end, ShortKey key, Line* line) {
    if (const Slot* slot = find(encoder.pieces, line, key)) {
      __builtin_memcpy(request.out + count, slot->ids, sizeof slot->ids);
      count += slot->meta & kCountMask;
      return Status::kOk;
    }
    return other_piece(begin, end, line, key);
  }

  Status other_piece(size_t begin, size_t end, Line* line = nullptr, ShortKey key = {}) {
    const size_t length = end - begin;
    if (length > kMediumBytes) return merge(begin, end);
    const uint8_t* const piece = request.text + begin;
    MediumSlot* const slot = medium_slot(encoder.medium, piece, length);
    if (matches(*slot, piece, length)) {
      for (size_t i = 0; i < slot->count; ++i) request.out[count + i] = slot->ids[i];
      count += slot->count;
      return Status::kOk;
    }
    const size_t before = count;
    const Status status = merge(begin, end);  // never short of scratch: there are no more symbols than bytes
    const uint32_t* const ids = request.out + before;
    const size_t num_ids = count - before;
    if (line && num_ids <= 3 && remember_short(line, key, ids, num_ids, ++encoder.turn & 1)) return status;
    remember_medium(slot, piece, length, ids, num_ids);
    return status;
  }
};

static_assert(kMediumBytes <= kScanBytes, "no piece that is remembered needs scratch");

}  // namespace

size_t character_arena_bytes(const uint32_t* words, size_t num_words) {
  Definition d;
  return read(words, num_words, d) ? layout_of(d).total : 0;
}

Status create_characters(void* arena, size_t size, const uint32_t* words, size_t num_words, CharacterEncoder** out) {
  Definition d;
  if (!read(words, num_words, d)) return Status::kBadVocabulary;
  const Layout layout = layout_of(d);
  if (size < layout.total) return Status::kArenaTooSmall;
  uint8_t* const base = static_cast<uint8_t*>(arena);
  CharacterEncoder* const e = reinterpret_cast<CharacterEncoder*>(base);
  e->pieces = {reinterpret_cast<Line*>(base + layout.lines), 64 - kLineBits, (1u << kLineBits) - 1};
  e->medium = reinterpret_cast<MediumSlot*>(base + layout.medium);
  e->pages = reinterpret_cast<uint16_t*>(base + layout.pages);
  e->page_ids = reinterpret_cast<uint32_t*>(base + layout.page_ids);
  e->merges = reinterpret_cast<MergeSlot*>(base + layout.merges);
  e->merge_mask = layout.num_slots - 1;
  e->products = reinterpret_cast<uint32_t*>(base + layout.products);
  e->crossings = reinterpret_cast<uint64_t*>(base + layout.crossings);
  e->unknown = words[3];
  e->fuse_unknown = words[4];
  e->split_before = words[5];
  __builtin_memcpy(e->byte_ids, words + 6, sizeof e->byte_ids);

  uint32_t num_pages = 1;
  for (uint32_t i = 0; i < (1u << kPageBits); ++i) e->page_ids[i] = kNoToken;
  for (uint32_t i = 0; i < d.num_characters; ++i) {
    uint16_t& page = e->pages[d.code_points[i] >> kPageBits];
    if (!page) {
      page = uint16_t(num_pages++);
      for (uint32_t k = 0; k < (1u << kPageBits); ++k) e->page_ids[(uint32_t(page) << kPageBits) + k] = kNoToken;
    }
    e->page_ids[uint32_t(page) << kPageBits | (d.code_points[i] & ((1u << kPageBits) - 1))] = d.code_point_ids[i];
  }
  for (uint32_t rank = 0; rank < d.num_merges; ++rank) {
    e->products[rank] = d.products[rank];
    if (e->rank_of_pair(d.lefts[rank], d.rights[rank]) != kNoRank) return Status::kBadVocabulary;
    uint32_t at = uint32_t(mixed(d.lefts[rank], d.rights[rank]) >> 24) & e->merge_mask;
    while (e->merges[at].rank_and_one) at = (at + 1) & e->merge_mask;
    e->merges[at] = {d.lefts[rank], d.rights[rank], rank + 1, d.products[rank]};
  }
  for (uint32_t i = 0; i < d.num_crossings; ++i) {
    const uint32_t bit = uint32_t(mixed(d.firsts[i], d.seconds[i]) >> 32) >> (32 - kCrossingBits);
    e->crossings[bit >> 6] |= uint64_t(1) << (bit & 63);
  }
  for (uint32_t a = 0; a < 128; ++a) {
    for (uint32_t b = 0; b < 128; ++b) {
      const Symbols left = symbols_of(*e, {a, 1}), right = symbols_of(*e, {b, 1});
      const bool joins = !left.unknown && !right.unknown && !cuts(*e, left.ids[left.count - 1], right);
      e->ascii_joins[a][b >> 6] |= uint64_t(joins) << (b & 63);
    }
  }
  *out = e;
  return Status::kOk;
}

Status encode_characters(CharacterEncoder& encoder, EncodeRequest& request) {
  if (request.capacity < request.size + kOutputSlack) return Status::kOutputTooSmall;
  struct Pending {
    size_t begin, end;
    ShortKey key;
    Line* line;
  } pending[kBatch];
  const uint8_t* const s = request.text;
  const size_t n = request.size;
  Run run{encoder, request};
  for (size_t i = 0; i < n;) {
    size_t found = 0;
    for (; found < kBatch && i < n; ++found) {
      const size_t end = piece_end(encoder, s, i, n), length = end - i;
      pending[found] = {i, end, {}, nullptr};
      if (length <= kShortBytes) {
        const ShortKey key = n - i >= 16 ? short_key(s + i, length) : short_key_near_end(s + i, length);
        Line* const line = line_of(encoder.pieces, hash_of(key));
        __builtin_prefetch(line);
        pending[found].key = key;
        pending[found].line = line;
      }
      i = end;
    }
    for (size_t k = 0; k < found; ++k) {
      const Pending& p = pending[k];
      const Status status = p.line ? run.short_piece(p.begin, p.end, p.key, p.line) : run.other_piece(p.begin, p.end);
      if (status != Status::kOk) return status;
    }
  }
  request.written = run.count;
  return Status::kOk;
}

}  // namespace espalier
