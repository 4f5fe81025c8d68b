// pretokenize.h -- cutting text into pieces, by hand-written scanners in place of regular expressions.
//
// Every scanner takes the index of a piece's first byte and returns its end; pieces leave nothing out. Linear: a run
// of white space is looked at no more than twice. The TypeScript of src/pretokenize.ts is the readable version of it.
// See tiktoken, tiktoken_ext/openai_public.py.
#pragma once
#include "core/characters.h"

namespace espalier {
namespace ESPALIER_ISA {

constexpr uint32_t kLetters = set_of(kUpper, kLower, kCaseless);

struct Text {
  const uint8_t* s;
  size_t n;
  const uint8_t* classes;
  Character at(size_t i) const { return character_at(s, i, n, classes); }
  size_t run(size_t i, uint32_t set) const { return run_end(s, i, n, classes, set); }
};

inline bool is_newline(uint8_t byte) { return byte == '\n' || byte == '\r'; }

inline size_t letters_end(const Text& t, size_t i) {
  i = ascii_letters_end(t.s, i, t.n);
  while (i < t.n && t.s[i] >= 0x80) {  // a letter with an accent inside a word, or a run of Chinese
    const Character c = t.at(i);
    if (!in(c.category, kLetters)) return i;
    i += c.length;
    if (i < t.n && t.s[i] < 0x80) i = ascii_letters_end(t.s, i, t.n);
  }
  return i;
}

inline size_t newlines_end(const Text& t, size_t i) {
  while (i < t.n && is_newline(t.s[i])) ++i;
  return i;
}

// At most `limit` numbers; one is already behind `i`.
inline size_t numbers_end(const Text& t, size_t i, int limit) {
  for (int taken = 1; taken < limit && i < t.n; ++taken) {
    const Character c = t.at(i);
    if (c.category != kNumber) break;
    i += c.length;
  }
  return i;
}

// (?i:'s|'t|'re|'ve|'m|'ll|'d) at `i`; U+017F folds to s. Zero when there is none.
inline size_t contraction_end(const Text& t, size_t i) {
  const size_t left = t.n - i;
  if (left < 2 || t.s[i] != '\'') return 0;
  const uint8_t a = t.s[i + 1] | 0x20;
  if (a == 's' || a == 't' || a == 'm' || a == 'd') return i + 2;
  if (left < 3) return 0;
  if (t.s[i + 1] == 0xc5 && t.s[i + 2] == 0xbf) return i + 3;  // U+017F
  const uint8_t b = t.s[i + 2] | 0x20;
  return (a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l') ? i + 3 : 0;
}

// The same, lower case only.
inline size_t lower_contraction_end(const Text& t, size_t i) {
  const size_t left = t.n - i;
  if (left < 2 || t.s[i] != '\'') return 0;
  const uint8_t a = t.s[i + 1];
  if (a == 's' || a == 't' || a == 'm' || a == 'd') return i + 2;
  if (left < 3) return 0;
  const uint8_t b = t.s[i + 2];
  return (a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l') ? i + 3 : 0;
}

// \s*[\r\n]+ | \s+(?!\S) | \s+ : up to the last newline, all but the last before other text, or everything.
inline size_t spaces_end(const Text& t, size_t start, bool newlines) {
  size_t after_newline = 0, last = start, i = start;
  while (i < t.n) {
    const Character c = t.at(i);
    if (c.category != kSpace) break;
    last = i;
    i += c.length;
    if (is_newline(t.s[last])) after_newline = i;
  }
  if (newlines && after_newline) return after_newline;
  return i < t.n && last > start ? last : i;
}

//   (?i:'s|'t|'re|'ve|'m|'ll|'d) | [^\r\n\p{L}\p{N}]?\p{L}+ | \p{N}{1,limit}
//   | ?[^\s\p{L}\p{N}]+[\r\n]* | \s*[\r\n]+ | \s+(?!\S) | \s+
inline size_t cl100k_piece_end(const Text& t, size_t start, int number_limit) {
  const uint8_t first = t.s[start];
  if (is_ascii_letter(first)) return letters_end(t, start + 1);
  if (first == ' ' && start + 1 < t.n && is_ascii_letter(t.s[start + 1])) return letters_end(t, start + 2);
  if (first == '\'') {
    if (const size_t end = contraction_end(t, start)) return end;
  }
  constexpr uint32_t kOthers = set_of(kOther, kMark);
  const Character c = t.at(start);
  const size_t next = start + c.length;
  if (in(c.category, kLetters)) return letters_end(t, next);
  if (c.category == kNumber) return numbers_end(t, next, number_limit);
  const Character after = next < t.n ? t.at(next) : Character{kSpace, 1};
  if (in(after.category, kLetters) && !is_newline(first)) return letters_end(t, next + after.length);
  if (in(c.category, kOthers)) return newlines_end(t, t.run(next, kOthers));
  if (in(after.category, kOthers) && first == ' ') return newlines_end(t, t.run(next, kOthers));
  return spaces_end(t, start, true);
}

//   's|'t|'re|'ve|'m|'ll|'d | ?\p{L}+ | ?\p{N}+ | ?[^\s\p{L}\p{N}]+ | \s+(?!\S) | \s+
inline size_t gpt2_piece_end(const Text& t, size_t start) {
  if (const size_t end = lower_contraction_end(t, start)) return end;
  size_t body = start;
  if (t.s[start] == ' ' && start + 1 < t.n && t.at(start + 1).category != kSpace) body = start + 1;
  const Character c = t.at(body);
  if (in(c.category, kLetters)) return letters_end(t, body + c.length);
  if (c.category == kNumber) return t.run(body + c.length, set_of(kNumber));
  if (c.category == kSpace) return spaces_end(t, start, false);
  return t.run(body + c.length, set_of(kOther, kMark));
}

//   [^\r\n\p{L}\p{N}]? U* L+ (contraction)? | [^\r\n\p{L}\p{N}]? U+ L* (contraction)? | \p{N}{1,3}
//   | ?[^\s\p{L}\p{N}]+[\r\n/]* | \s*[\r\n]+ | \s+(?!\S) | \s+
// with U = \p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M} and L = \p{Ll}\p{Lm}\p{Lo}\p{M}.
//
// U* L+ at `i`: U* takes what it can and gives back until an L follows, so when no L follows its run, the match ends
// behind the last character of the run that is also in L. Zero when there is none. `upper_end` becomes the run's end.
inline size_t o200k_lower_word_end(const Text& t, size_t i, size_t& upper_end) {
  constexpr uint32_t kU = set_of(kUpper, kCaseless, kMark), kL = set_of(kLower, kCaseless, kMark);
  size_t after_last_lower = 0;
  upper_end = i;
  while (upper_end < t.n) {
    const Character c = t.at(upper_end);
    if (!in(c.category, kU)) break;
    upper_end += c.length;
    if (in(c.category, kL)) after_last_lower = upper_end;
  }
  const size_t end = t.run(upper_end, kL);
  return end > upper_end ? end : after_last_lower;
}

inline size_t with_contraction(const Text& t, size_t end) {
  const size_t contraction = end < t.n ? contraction_end(t, end) : 0;
  return contraction ? contraction : end;
}

inline size_t o200k_piece_end(const Text& t, size_t start) {
  const uint8_t first = t.s[start];
  const Character c = t.at(start);
  const size_t next = start + c.length;
  const bool may_lead = !is_newline(first) && !in(c.category, kLetters | set_of(kNumber));
  const bool may_begin = in(c.category, kLetters | set_of(kMark));
  // The first form with and without the leading character, then the second; a mark may be either.
  size_t led_upper_end = 0, upper_end = 0;
  if (may_lead && next < t.n) {
    if (const size_t end = o200k_lower_word_end(t, next, led_upper_end)) return with_contraction(t, end);
  }
  if (may_begin) {
    if (const size_t end = o200k_lower_word_end(t, start, upper_end)) return with_contraction(t, end);
  }
  if (led_upper_end > next) return with_contraction(t, led_upper_end);
  if (may_begin && upper_end > start) return with_contraction(t, upper_end);
  if (c.category == kNumber) return numbers_end(t, next, 3);
  constexpr uint32_t kOthers = set_of(kOther, kMark);
  size_t body = start;
  if (first == ' ' && next < t.n && in(t.at(next).category, kOthers)) body = next;
  if (body > start || in(c.category, kOthers)) {
    size_t end = t.run(body, kOthers);
    while (end < t.n && (is_newline(t.s[end]) || t.s[end] == '/')) ++end;
    return end;
  }
  return spaces_end(t, start, true);
}

template <Pattern pattern>
inline size_t piece_end(const Text& t, size_t start) {
  if (pattern == Pattern::kCl100k) return cl100k_piece_end(t, start, 3);
  if (pattern == Pattern::kQwen2) return cl100k_piece_end(t, start, 1);
  if (pattern == Pattern::kGpt2) return gpt2_piece_end(t, start);
  return o200k_piece_end(t, start);
}

}  // namespace ESPALIER_ISA
}  // namespace espalier
