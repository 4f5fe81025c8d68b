// encode_core.h -- byte-level BPE encoding, freestanding: no allocation, no exceptions, no C++ library, no system call.
//
// The caller gives one block of memory for an encoder and one for scratch; everything else is on the stack. The same
// sources are compiled for each instruction set (ESPALIER_ISA names the namespace), and give the same ids on each.
//
// What is computed: the text is cut into pieces by a pattern (pretokenize.h); a piece that is a token gives its rank;
// in any other piece, while two neighbouring parts together are a token, the two of lowest rank are joined, leftmost
// first (merge.h). What a join makes is decided by the bytes, as in tiktoken, not by a list of merges.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace espalier {

enum class Status : int32_t {
  kOk = 0,
  kBadVocabulary = 1,    // an empty token, a token twice, one of the 256 bytes missing, or more than kMaxTokens
  kArenaTooSmall = 2,
  kScratchTooSmall = 3,  // `needed` of EncodeRequest says how many bytes
  kOutputTooSmall = 4,
};

// Pretokenising patterns; the numbers cross to JavaScript.
enum class Pattern : int32_t { kCl100k = 0, kGpt2 = 1, kO200k = 2, kQwen2 = 3 };

// Classes of code points as the caller's table has them. kMark is no letter to any pattern but o200k.
enum CodePointClass : uint8_t { kOther = 0, kUpper = 1, kNumber = 2, kSpace = 3, kLower = 4, kCaseless = 5, kMark = 6 };

constexpr uint32_t kNumCodePoints = 0x110000;
constexpr uint32_t kMaxTokens = 1u << 24;
constexpr size_t kOutputSlack = 16;  // ids are written in blocks: room needed behind the last

struct EncoderDefinition {
  const uint8_t* token_bytes;  // tokens in rank order, back to back
  const uint32_t* offsets;     // [num_tokens + 1]
  uint32_t num_tokens;
  const uint8_t* classes;  // CodePointClass of every code point [kNumCodePoints]
  Pattern pattern;
};

struct EncodeRequest {
  uint32_t* out;  // [capacity], capacity >= size + kOutputSlack
  size_t capacity;
  size_t written;  // result: number of ids
  size_t needed;   // result of kScratchTooSmall
  const uint8_t* text;
  size_t size;
  void* scratch;
  size_t scratch_bytes;
};

struct Encoder;  // lives in the arena; must not be used by two threads at once: it remembers pieces

struct EncodeCore {
  const char* name;
  size_t (*arena_bytes)(const EncoderDefinition&);
  // The arena must be zero and aligned to 64 bytes. Nothing of the definition is needed afterwards.
  Status (*create)(void* arena, size_t arena_bytes, const EncoderDefinition&, Encoder** out);
  Status (*encode)(Encoder&, EncodeRequest&);
};

}  // namespace espalier
