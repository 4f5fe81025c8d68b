// json_line.h -- the string under one key of a JSON object, from its bytes. The same as src/node/read/jsonText.ts, which
// says what is wrong with a line that has none, and against which this is tested.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace espalier {

// Where strings may be copied sixteen bytes at a time: room behind what is written.
constexpr std::size_t kCopySlack = 16;

struct Bytes {
  const std::uint8_t* data;
  std::size_t size;
};

class JsonLine {
 public:
  // `readable` >= line.size bytes may be read from `line.data` on.
  JsonLine(Bytes line, std::size_t readable, Bytes field) : line_(line), readable_(readable), field_(field) {}

  // Writes the string with its escapes resolved, lone surrogates as U+FFFD, other bytes as they are; at most line.size
  // bytes, and kCopySlack behind them. False when the line is no JSON object with that string. Of equal keys the last counts.
  bool text(std::uint8_t* out, std::size_t& written);

 private:
  bool object(int depth, bool outermost);
  bool array(int depth);
  bool value(int depth);
  bool number();
  bool digits();
  bool word(const char* rest);
  bool key(bool& wanted);
  template <bool kWanted>
  bool string(std::uint8_t* out, std::size_t& written);
  bool escape(std::uint32_t& character);
  bool unit(std::size_t at, std::uint32_t& unit) const;
  void space();
  // The byte at `at_`; at the end a line feed, which no line has inside.
  std::uint8_t here() const { return at_ < line_.size ? line_.data[at_] : std::uint8_t('\n'); }
  bool take(char byte) {
    if (at_ >= line_.size || line_.data[at_] != std::uint8_t(byte)) return false;
    ++at_;
    return true;
  }

  const Bytes line_;
  const std::size_t readable_;
  const Bytes field_;
  std::size_t at_ = 0;
  std::uint8_t* out_ = nullptr;
  std::size_t written_ = 0;
  bool found_ = false;
  std::vector<std::uint8_t> key_;  // of a key with escapes
};

}  // namespace espalier
