// owned_encoder.h -- an encoder of core/encode_core.h with the memory it lives in. One thread at a time.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "arena.h"
#include "core/encode_core.h"

namespace espalier {

// The problem of ids that do not fit; no other is this array.
inline constexpr char kNoRoomForIds[] = "tokenizer: no room for the ids";

class OwnedEncoder {
 public:
  // Null when the vocabulary is not usable; throws std::bad_alloc.
  static std::unique_ptr<OwnedEncoder> create(const EncodeCore& core, const EncoderDefinition& definition);
  ~OwnedEncoder();
  OwnedEncoder(const OwnedEncoder&) = delete;

  std::int64_t held_bytes() const { return std::int64_t(held_bytes_); }

  // Both return null, or what went wrong. Ids fit where `out` has room for one for each byte, and each text, and
  // kOutputSlack; with less room texts near its end are encoded elsewhere and copied, if they fit.
  const char* encode(const std::uint8_t* text, std::size_t size, std::uint32_t* out, std::size_t capacity, std::size_t& written);
  // Texts end to end, the id `separator` behind each unless it is negative; `id_ends` [count]: where the ids of each end.
  const char* encode_documents(const std::uint8_t* texts, std::size_t size, const std::uint32_t* ends, std::size_t count, double separator,
                               std::uint32_t* out, std::size_t capacity, std::uint32_t* id_ends, std::size_t& written);

 private:
  OwnedEncoder(const EncodeCore& core, Arena arena, std::size_t bytes) : core_(core), arena_(arena), held_bytes_(bytes) {}
  const char* encode_text(EncodeRequest& request);
  const char* encode_into(const std::uint8_t* text, std::size_t size, std::uint32_t* out, std::size_t capacity, std::size_t& written);
  void shrink_scratch();

  const EncodeCore& core_;
  const Arena arena_;
  const std::size_t held_bytes_;
  Encoder* encoder_ = nullptr;
  void* scratch_ = nullptr;
  std::size_t scratch_bytes_ = 0;
  std::vector<std::uint32_t> ids_;  // of a text that has more bytes than ids have room
};

}  // namespace espalier
