#include "owned_encoder.h"

#include <cstdlib>
#include <cstring>
#include <new>

namespace espalier {
namespace {

constexpr std::size_t kKeptScratchBytes = 1 << 22;
constexpr std::size_t kKeptIdsBytes = 1 << 24;

}  // namespace

std::unique_ptr<OwnedEncoder> OwnedEncoder::create(const EncodeCore& core, const EncoderDefinition& definition) {
  const std::size_t bytes = core.arena_bytes(definition);
  const Arena arena = allocate_arena(bytes);
  if (!arena.data) throw std::bad_alloc();
  std::unique_ptr<OwnedEncoder> owned;
  try {
    owned.reset(new OwnedEncoder(core, arena, bytes));
  } catch (const std::bad_alloc&) {
    free_arena(arena);
    throw;
  }
  if (core.create(arena.data, bytes, definition, &owned->encoder_) != Status::kOk) return nullptr;
  return owned;
}

OwnedEncoder::~OwnedEncoder() {
  std::free(scratch_);
  free_arena(arena_);
}

const char* OwnedEncoder::encode_text(EncodeRequest& request) {
  request.scratch = scratch_;
  request.scratch_bytes = scratch_bytes_;
  Status status = core_.encode(*encoder_, request);
  while (status == Status::kScratchTooSmall) {
    std::free(scratch_);
    scratch_ = std::malloc(request.needed);
    scratch_bytes_ = scratch_ ? request.needed : 0;
    if (!scratch_) return "tokenizer: out of memory";
    request.scratch = scratch_;
    request.scratch_bytes = scratch_bytes_;
    status = core_.encode(*encoder_, request);
  }
  return status == Status::kOk ? nullptr : kNoRoomForIds;
}

// One long piece must not hold its memory for ever.
void OwnedEncoder::shrink_scratch() {
  if (ids_.size() * sizeof ids_[0] > kKeptIdsBytes) std::vector<std::uint32_t>().swap(ids_);
  if (scratch_bytes_ <= kKeptScratchBytes) return;
  std::free(scratch_);
  scratch_ = nullptr;
  scratch_bytes_ = 0;
}

const char* OwnedEncoder::encode_into(const std::uint8_t* text, std::size_t size, std::uint32_t* out, std::size_t capacity, std::size_t& written) {
  const std::size_t enough = size + kOutputSlack;
  const bool fits = capacity >= enough;
  if (!fits && ids_.size() < enough) {
    try {
      ids_.resize(enough);
    } catch (const std::bad_alloc&) {
      return "tokenizer: out of memory";
    }
  }
  EncodeRequest request{fits ? out : ids_.data(), fits ? capacity : ids_.size(), 0, 0, text, size, nullptr, 0};
  if (const char* const problem = encode_text(request)) return problem;
  written = request.written;
  if (fits) return nullptr;
  if (written > capacity) return kNoRoomForIds;
  if (written > 0) std::memcpy(out, ids_.data(), written * sizeof *out);
  return nullptr;
}

const char* OwnedEncoder::encode(const std::uint8_t* text, std::size_t size, std::uint32_t* out, std::size_t capacity, std::size_t& written) {
  EncodeRequest request{out, capacity, 0, 0, text, size, nullptr, 0};
  const char* const problem = encode_text(request);
  shrink_scratch();
  written = request.written;
  return problem;
}

const char* OwnedEncoder::encode_documents(const std::uint8_t* texts, std::size_t size, const std::uint32_t* ends, std::size_t count, double separator,
                                           std::uint32_t* out, std::size_t capacity, std::uint32_t* id_ends, std::size_t& written) {
  std::size_t begin = 0, ids = 0;
  const char* problem = nullptr;
  for (std::size_t i = 0; i < count && !problem; ++i) {
    const std::size_t end = ends[i];
    if (end < begin || end > size) {
      problem = "tokenizer: ends fall, or lie behind the texts";
      break;
    }
    const std::size_t separators = separator >= 0;
    std::size_t made = 0;
    problem = capacity < ids + separators ? kNoRoomForIds : encode_into(texts + begin, end - begin, out + ids, capacity - ids - separators, made);
    if (problem) break;
    ids += made;
    if (separator >= 0) out[ids++] = std::uint32_t(separator);
    id_ends[i] = std::uint32_t(ids);
    begin = end;
  }
  shrink_scratch();
  written = ids;
  return problem;
}

}  // namespace espalier
