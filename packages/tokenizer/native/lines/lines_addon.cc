#include "lines/lines_addon.h"

#include <cstring>
#include <new>
#include <vector>

#include "lines/json_line.h"
#include "lines/utf8.h"
#include "node_values.h"

namespace espalier {
namespace {

bool is_blank(const std::uint8_t* s, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    if (s[i] != ' ' && (s[i] < '\t' || s[i] > '\r')) return false;
  }
  return true;
}

struct Texts {
  std::vector<std::uint32_t> ends, numbers, malformed;
  std::uint32_t num_lines = 0;
};

// `out` has room for 3 * lines.size + 4 * kCopySlack bytes: for every byte a U+FFFD.
Texts texts_of(Bytes lines, Bytes field, std::uint8_t* out) {
  Texts texts;
  std::vector<std::uint8_t> scratch;
  std::size_t written = 0;
  for (std::size_t begin = 0; begin < lines.size;) {
    const std::uint8_t* const line = lines.data + begin;
    const void* const found = std::memchr(line, '\n', lines.size - begin);
    const std::size_t size = found ? std::size_t(static_cast<const std::uint8_t*>(found) - line) : lines.size - begin;
    ++texts.num_lines;
    if (!is_blank(line, size)) {
      std::size_t length = 0;
      if (!JsonLine({line, size}, lines.size - begin, field).text(out + written, length)) {
        texts.malformed.insert(texts.malformed.end(), {texts.num_lines, std::uint32_t(begin), std::uint32_t(begin + size)});
      } else if (!is_blank(out + written, length)) {
        written += repair_utf8(out + written, length, scratch);
        texts.ends.push_back(std::uint32_t(written));
        texts.numbers.push_back(texts.num_lines);
      }
    }
    begin += size + 1;
  }
  return texts;
}

napi_value texts_of_lines(napi_env env, napi_callback_info info) {
  const Arguments arguments = arguments_of(env, info);
  Array<std::uint8_t> lines, field, out;
  if (!array_of(env, arguments.values[0], napi_uint8_array, lines) || !array_of(env, arguments.values[1], napi_uint8_array, field) ||
      !array_of(env, arguments.values[2], napi_uint8_array, out) || lines.length > 0x50000000 || out.length < 3 * lines.length + 4 * kCopySlack) {
    return fail(env, "tokenizer: textsOfLines takes lines, a field and room for texts");
  }
  try {
    const Texts texts = texts_of({lines.data, lines.length}, {field.data, field.length}, out.data);
    napi_value all, num_lines;
    napi_create_array_with_length(env, 4, &all);
    napi_create_uint32(env, texts.num_lines, &num_lines);
    napi_set_element(env, all, 0, num_lines);
    napi_set_element(env, all, 1, array_from(env, napi_uint32_array, texts.ends));
    napi_set_element(env, all, 2, array_from(env, napi_uint32_array, texts.numbers));
    napi_set_element(env, all, 3, array_from(env, napi_uint32_array, texts.malformed));
    return all;
  } catch (const std::bad_alloc&) {
    return fail(env, "tokenizer: out of memory");
  }
}

}  // namespace

void add_lines(napi_env env, napi_value exports) {
  const napi_property_descriptor properties[] = {
      {"textsOfLines", nullptr, texts_of_lines, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
  };
  napi_define_properties(env, exports, sizeof properties / sizeof *properties, properties);
}

}  // namespace espalier
