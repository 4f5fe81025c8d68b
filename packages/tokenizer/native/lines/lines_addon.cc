#include "lines/lines_addon.h"

#include <new>

#include "lines/texts_of_lines.h"
#include "node_values.h"

namespace espalier {
namespace {

napi_value texts_of(napi_env env, napi_callback_info info) {
  const Arguments arguments = arguments_of(env, info);
  Array<std::uint8_t> lines, field, out;
  if (!array_of(env, arguments.values[0], napi_uint8_array, lines) || !array_of(env, arguments.values[1], napi_uint8_array, field) ||
      !array_of(env, arguments.values[2], napi_uint8_array, out) || lines.length > kMaxLinesBytes || out.length < texts_room(lines.length)) {
    return fail(env, "tokenizer: textsOfLines takes lines, a field and room for texts");
  }
  try {
    const LineTexts texts = texts_of_lines({lines.data, lines.length}, {field.data, field.length}, out.data);
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
      {"textsOfLines", nullptr, texts_of, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
  };
  napi_define_properties(env, exports, sizeof properties / sizeof *properties, properties);
}

}  // namespace espalier
