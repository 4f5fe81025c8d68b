// encode_core.cc -- the loop over pieces, compiled once for each instruction set.
//
// Pieces are found some dozens at a time: their places in the table are fetched while later pieces are still being
// looked for, which hides the one access to memory that a known piece costs.
#include "core/encode_core.h"

#include "core/merge.h"
#include "core/pretokenize.h"

namespace espalier {

struct Encoder {
  ESPALIER_ISA::Vocabulary vocabulary;
  ESPALIER_ISA::MediumSlot* medium;
  ESPALIER_ISA::CharacterSlot* characters;
  const uint8_t* classes;
  Pattern pattern;
  uint32_t turn;  // which of two pieces a new one replaces
};

namespace ESPALIER_ISA {
namespace {

constexpr size_t kBatch = 32;

struct Layout {
  size_t encoder, lines, medium, characters, pair_ranks, filter, long_slots, trigrams, offsets, bytes, classes, total;
  uint32_t line_bits, long_slots_count;
};

Layout layout_of(const EncoderDefinition& d) {
  uint32_t num_long = 0;
  for (uint32_t rank = 0; rank < d.num_tokens; ++rank) num_long += d.offsets[rank + 1] - d.offsets[rank] > kShortBytes;
  Layout layout{};
  layout.line_bits = 15;  // two megabytes: room for the pieces of a small vocabulary
  while ((size_t(2) << layout.line_bits) < size_t(d.num_tokens) * 5 / 2) ++layout.line_bits;
  layout.long_slots_count = 256;
  while (layout.long_slots_count < num_long * 2) layout.long_slots_count *= 2;
  size_t at = 0;
  const auto take = [&at](size_t bytes) {
    const size_t place = at;
    at += (bytes + 63) & ~size_t(63);
    return place;
  };
  layout.encoder = take(sizeof(Encoder));
  layout.lines = take(sizeof(Line) << layout.line_bits);
  layout.medium = take(sizeof(MediumSlot) << kMediumBits);
  layout.characters = take(sizeof(CharacterSlot) * kNumThreeByteCharacters);
  layout.pair_ranks = take(65536 * sizeof(uint32_t));
  layout.filter = take((size_t(1) << kFilterBits) / 8);
  layout.long_slots = take(layout.long_slots_count * sizeof(uint32_t));
  layout.trigrams = take((size_t(1) << kTrigramBits) / 8);
  layout.offsets = take((size_t(d.num_tokens) + 1) * sizeof(uint32_t));
  layout.bytes = take(d.offsets[d.num_tokens]);
  layout.classes = take(kNumCodePoints);
  layout.total = at;
  return layout;
}

size_t arena_bytes(const EncoderDefinition& d) { return layout_of(d).total; }

Status create(void* arena, size_t size, const EncoderDefinition& d, Encoder** out) {
  if (d.num_tokens >= kMaxTokens) return Status::kBadVocabulary;
  const Layout layout = layout_of(d);
  if (size < layout.total) return Status::kArenaTooSmall;
  uint8_t* const base = static_cast<uint8_t*>(arena);
  Encoder* const encoder = reinterpret_cast<Encoder*>(base + layout.encoder);
  __builtin_memcpy(base + layout.offsets, d.offsets, (size_t(d.num_tokens) + 1) * sizeof(uint32_t));
  __builtin_memcpy(base + layout.bytes, d.token_bytes, d.offsets[d.num_tokens]);
  __builtin_memcpy(base + layout.classes, d.classes, kNumCodePoints);
  Vocabulary& v = encoder->vocabulary;
  v.bytes = base + layout.bytes;
  v.offsets = reinterpret_cast<const uint32_t*>(base + layout.offsets);
  v.num_tokens = d.num_tokens;
  v.pair_ranks = reinterpret_cast<uint32_t*>(base + layout.pair_ranks);
  v.short_tokens = {reinterpret_cast<Line*>(base + layout.lines), 64 - layout.line_bits, (1u << layout.line_bits) - 1};
  v.filter = reinterpret_cast<uint64_t*>(base + layout.filter);
  v.long_slots = reinterpret_cast<uint32_t*>(base + layout.long_slots);
  v.long_mask = layout.long_slots_count - 1;
  v.trigrams = reinterpret_cast<uint64_t*>(base + layout.trigrams);
  encoder->medium = reinterpret_cast<MediumSlot*>(base + layout.medium);
  encoder->characters = reinterpret_cast<CharacterSlot*>(base + layout.characters);
  encoder->classes = base + layout.classes;
  encoder->pattern = d.pattern;
  *out = encoder;
  return index_tokens(v);
}

// A piece that was found and is not yet encoded.
struct Pending {
  size_t begin, end;
  ShortKey key;  // this and `line` only of short ones
  Line* line;
};

// Output of one call.
struct Run {
  Encoder& encoder;
  EncodeRequest& request;
  uint32_t* out;
  size_t readable_end;  // of the text
  size_t count = 0;

  // Fetches what a short piece will need.
  Pending expect_piece(size_t begin, size_t end) const {
    const size_t length = end - begin;
    if (length > kShortBytes) return {begin, end, {}, nullptr};
    const uint8_t* const piece = request.text + begin;
    const ShortKey key = readable_end - begin >= 16 ? short_key(piece, length) : short_key_near_end(piece, length);
    Line* const line = line_of(encoder.vocabulary.short_tokens, hash_of(key));
    __builtin_prefetch(line);
    return {begin, end, key, line};
  }

  Status merge(size_t begin, size_t end) {
    const size_t length = end - begin;
    const uint8_t* const piece = request.text + begin;
    const size_t readable = readable_end - begin;
    if (length <= kScanBytes) {
      count += merge_by_scan(encoder.vocabulary, piece, length, readable, out + count);
      return Status::kOk;
    }
    const size_t needed = merge_scratch_bytes(length);
    if (request.scratch_bytes < needed) {
      request.needed = needed;
      return Status::kScratchTooSmall;
    }
    count += merge_by_tree(encoder.vocabulary, piece, length, readable, out + count, request.scratch);
    return Status::kOk;
  }

  // A piece of up to 31 bytes that is in no line of the table; `line` is that of a short one.
  Status medium_piece(size_t begin, size_t end, Line* line = nullptr, ShortKey key = {}) {
    const size_t length = end - begin;
    const uint8_t* const piece = request.text + begin;
    MediumSlot* const slot = medium_slot(encoder.medium, piece, length);
    if (matches(*slot, piece, length)) {
      for (size_t i = 0; i < slot->count; ++i) out[count + i] = slot->ids[i];
      count += slot->count;
      return Status::kOk;
    }
    const uint32_t* const ids = out + count;
    const size_t before = count;
    const Status status = merge(begin, end);
    if (status != Status::kOk) return status;
    const size_t num_ids = count - before;
    if (line && num_ids <= 3 && remember_short(line, key, ids, num_ids, ++encoder.turn & 1)) return status;
    remember_medium(slot, piece, length, ids, num_ids);
    return status;
  }

  Status short_piece(size_t begin, size_t end, Line* line, ShortKey key) {
    if (const Slot* slot = find(encoder.vocabulary.short_tokens, line, key)) {
      __builtin_memcpy(out + count, slot->ids, sizeof slot->ids);
      count += slot->meta & kCountMask;
      return Status::kOk;
    }
    return medium_piece(begin, end, line, key);
  }

  // The same for a piece of the text, which may be cut if it is Chinese.
  Status whole_short_piece(const Pending& p) {
    if (!is_three_byte_lead(request.text[p.begin])) return short_piece(p.begin, p.end, p.line, p.key);
    if (const Slot* slot = find(encoder.vocabulary.short_tokens, p.line, p.key)) {
      __builtin_memcpy(out + count, slot->ids, sizeof slot->ids);
      count += slot->meta & kCountMask;
      return Status::kOk;
    }
    const size_t before = count;
    const Status status = cut_piece(p.begin, p.end);
    if (status == Status::kOk && count - before <= 3) remember_short(p.line, p.key, out + before, count - before, ++encoder.turn & 1);
    return status;
  }

  // What lies between two cuts of a piece. Unlike a piece it is not a token because its bytes are one: a token that no
  // joins lead to is found only as a whole piece. Whether joins lead to a token is found out once.
  Status part(const Pending& p) {
    if (p.end - p.begin > kShortBytes) return merge(p.begin, p.end);
    Slot* const slot = const_cast<Slot*>(find(encoder.vocabulary.short_tokens, p.line, p.key));
    if (slot && (slot->meta & kIsToken)) {
      if (!(slot->meta & (kJoins | kNeverJoins))) {
        uint32_t ids[kShortBytes];
        const size_t num_ids = merge_by_scan(encoder.vocabulary, request.text + p.begin, p.end - p.begin, readable_end - p.begin, ids);
        slot->meta |= num_ids == 1 ? kJoins : kNeverJoins;
      }
      if (slot->meta & kNeverJoins) return merge(p.begin, p.end);
    }
    return short_piece(p.begin, p.end, p.line, p.key);
  }

  // The ids of a character of three bytes that stands alone between two cuts.
  void character(size_t begin) {
    const uint8_t* const s = request.text + begin;
    CharacterSlot& slot = encoder.characters[three_byte_index(s)];
    if (!slot.count) slot.count = uint32_t(merge_by_scan(encoder.vocabulary, s, 3, readable_end - begin, slot.ids));
    __builtin_memcpy(out + count, slot.ids, sizeof slot.ids);
    count += slot.count;
  }

  Status parts(const Pending* pending, size_t found) {
    for (size_t k = 0; k < found; ++k) {
      const Status status = part(pending[k]);
      if (status != Status::kOk) return status;
    }
    return Status::kOk;
  }

  // A piece of Chinese, mostly: cut where no token lies across; what is left is most often one character.
  Status cut_piece(size_t begin, size_t end) {
    const Vocabulary& v = encoder.vocabulary;
    const uint8_t* const s = request.text;
    Pending pending[kBatch];
    size_t found = 0;
    for (size_t from = begin; from < end;) {
      size_t to = from + 1;
      while (to < end && (s[to] < 0xc0 || may_cross(v, s, from, to, end))) ++to;
      const bool alone = to - from == 3 && is_three_byte_character(s + from);
      if (!alone) pending[found++] = expect_piece(from, to);
      if (found > 0 && (alone || found == kBatch)) {
        const Status status = parts(pending, found);
        if (status != Status::kOk) return status;
        found = 0;
      }
      if (alone) character(from);
      from = to;
    }
    return parts(pending, found);
  }

  Status long_piece(size_t begin, size_t end) {
    const uint8_t* const s = request.text;
    const uint32_t rank = rank_of(encoder.vocabulary, s + begin, end - begin, readable_end - begin);
    if (rank != kNoRank) {
      out[count++] = rank;
      return Status::kOk;
    }
    if (s[begin] < 0x80 && s[begin + 1] < 0x80 && end - begin <= kMediumBytes) return medium_piece(begin, end);
    return cut_piece(begin, end);
  }
};

template <Pattern pattern>
Status encode_text(Encoder& encoder, EncodeRequest& request) {
  Pending pending[kBatch];
  const Text text{request.text, request.size, encoder.classes};
  Run run{encoder, request, request.out, request.size};
  for (size_t i = 0; i < text.n;) {
    size_t found = 0;
    for (; found < kBatch && i < text.n; ++found) {
      const size_t end = piece_end<pattern>(text, i);
      pending[found] = run.expect_piece(i, end);
      i = end;
    }
    for (size_t k = 0; k < found; ++k) {
      const Pending& p = pending[k];
      const Status status = p.end - p.begin <= kShortBytes ? run.whole_short_piece(p) : run.long_piece(p.begin, p.end);
      if (status != Status::kOk) return status;
    }
  }
  request.written = run.count;
  return Status::kOk;
}

Status encode(Encoder& encoder, EncodeRequest& request) {
  if (request.capacity < request.size + kOutputSlack) return Status::kOutputTooSmall;
  switch (encoder.pattern) {
    case Pattern::kGpt2: return encode_text<Pattern::kGpt2>(encoder, request);
    case Pattern::kO200k: return encode_text<Pattern::kO200k>(encoder, request);
    case Pattern::kQwen2: return encode_text<Pattern::kQwen2>(encoder, request);
    case Pattern::kCl100k: break;
  }
  return encode_text<Pattern::kCl100k>(encoder, request);
}

#define ESPALIER_NAME_(name) #name
#define ESPALIER_NAME(name) ESPALIER_NAME_(name)

}  // namespace

extern const EncodeCore encode_core = {ESPALIER_NAME(ESPALIER_ISA), arena_bytes, create, encode};

}  // namespace ESPALIER_ISA
}  // namespace espalier
