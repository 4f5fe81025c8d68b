#include "digest/sha256.h"

#include <cstring>
#include <vector>

#include "digest/compress.h"

namespace espalier {
namespace {

constexpr std::uint32_t kInitialState[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

void write_state(const std::uint32_t state[8], std::uint8_t* digest) {
  for (std::size_t i = 0; i < kDigestBytes; ++i) digest[i] = std::uint8_t(state[i / 4] >> (24 - 8 * (i % 4)));
}

// A text on its way through the compression: its whole blocks, then what is left of it with padding and length.
struct Lane {
  std::uint32_t state[8];
  const std::uint8_t* next;
  std::size_t blocks;  // from `next` on
  std::uint8_t tail[2 * kBlockBytes];
  std::size_t tail_blocks;  // 0: taken
  std::size_t text;

  // `total`: bytes of the text, with those that were compressed before.
  void begin(const std::uint8_t* data, std::size_t size, std::size_t number, std::uint64_t total) {
    std::memcpy(state, kInitialState, sizeof state);
    text = number;
    const std::size_t rest = size % kBlockBytes;
    tail_blocks = rest + 9 > kBlockBytes ? 2 : 1;
    std::memset(tail, 0, sizeof tail);
    if (rest > 0) std::memcpy(tail, data + size - rest, rest);
    tail[rest] = 0x80;
    const std::uint64_t bits = total * 8;
    for (int i = 0; i < 8; ++i) tail[tail_blocks * kBlockBytes - 1 - i] = std::uint8_t(bits >> 8 * i);
    next = data;
    blocks = size / kBlockBytes;
    if (blocks == 0) take_tail();
  }
  void take_tail() {
    next = tail;
    blocks = tail_blocks;
    tail_blocks = 0;
  }
  // True when the digest is there.
  bool advance(std::size_t count) {
    next += count * kBlockBytes;
    blocks -= count;
    if (blocks == 0 && tail_blocks > 0) take_tail();
    return blocks == 0;
  }
  void write(std::uint8_t* digest) const { write_state(state, digest); }
};

}  // namespace

Sha256::Sha256() { std::memcpy(state_, kInitialState, sizeof state_); }

void Sha256::update(const std::uint8_t* data, std::size_t size) {
  const Compression& compression = best_compression();
  const std::size_t held = bytes_ % kBlockBytes;
  bytes_ += size;
  if (held + size < kBlockBytes) {
    if (size > 0) std::memcpy(rest_ + held, data, size);
    return;
  }
  if (held > 0) {
    const std::size_t missing = kBlockBytes - held;
    std::memcpy(rest_ + held, data, missing);
    compression.one(state_, rest_, 1);
    data += missing;
    size -= missing;
  }
  compression.one(state_, data, size / kBlockBytes);
  const std::size_t rest = size % kBlockBytes;
  if (rest > 0) std::memcpy(rest_, data + size - rest, rest);
}

void Sha256::digest(std::uint8_t digest[kDigestBytes]) {
  Lane lane;
  lane.begin(rest_, bytes_ % kBlockBytes, 0, bytes_);
  best_compression().one(state_, lane.next, lane.blocks);
  write_state(state_, digest);
}

void sha256_texts(const std::uint8_t* texts, const std::uint32_t* ends, std::size_t count, std::uint8_t* digests, bool portable) {
  const Compression& compression = portable ? portable_compression : best_compression();
  std::size_t started = 0, begin = 0;
  const auto start = [&](Lane& lane) {
    if (started == count) return false;
    const std::size_t end = ends[started];
    lane.begin(texts + begin, end - begin, started++, end - begin);
    begin = end;
    return true;
  };
  Lane a, b;
  bool has_a = start(a), has_b = start(b);
  while (has_a && has_b) {
    const std::size_t blocks = a.blocks < b.blocks ? a.blocks : b.blocks;
    compression.two(a.state, a.next, b.state, b.next, blocks);
    if (a.advance(blocks)) {
      a.write(digests + kDigestBytes * a.text);
      has_a = start(a);
    }
    if (b.advance(blocks)) {
      b.write(digests + kDigestBytes * b.text);
      has_b = start(b);
    }
  }
  for (Lane* lane : {has_a ? &a : nullptr, has_b ? &b : nullptr}) {
    if (!lane) continue;
    std::size_t blocks = 0;
    do {
      blocks = lane->blocks;
      compression.one(lane->state, lane->next, blocks);
    } while (!lane->advance(blocks));
    lane->write(digests + kDigestBytes * lane->text);
  }
}

void split_positions(const std::uint8_t* digests, std::size_t count, double* positions) {
  constexpr char kSalt[] = "espalier validation split 1\n";
  constexpr std::size_t kSaltBytes = sizeof kSalt - 1, kMessageBytes = kSaltBytes + 2 * kDigestBytes;
  std::vector<std::uint8_t> messages(kMessageBytes * count), found(kDigestBytes * count);
  std::vector<std::uint32_t> ends(count);
  for (std::size_t i = 0; i < count; ++i) {
    std::uint8_t* const message = messages.data() + kMessageBytes * i;
    std::memcpy(message, kSalt, kSaltBytes);
    for (std::size_t k = 0; k < kDigestBytes; ++k) {
      const std::uint8_t byte = digests[kDigestBytes * i + k];
      message[kSaltBytes + 2 * k] = std::uint8_t("0123456789abcdef"[byte >> 4]);
      message[kSaltBytes + 2 * k + 1] = std::uint8_t("0123456789abcdef"[byte & 15]);
    }
    ends[i] = std::uint32_t(kMessageBytes * (i + 1));
  }
  sha256_texts(messages.data(), ends.data(), count, found.data());
  for (std::size_t i = 0; i < count; ++i) {
    std::uint64_t high = 0;  // 48 bits
    for (std::size_t k = 0; k < 6; ++k) high = high << 8 | found[kDigestBytes * i + k];
    positions[i] = double(high) / 281474976710656.0;
  }
}

}  // namespace espalier
