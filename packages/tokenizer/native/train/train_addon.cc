#include "train/train_addon.h"

#include <cstring>
#include <new>

#include "node_values.h"
#include "train/learn.h"
#include "train/piece_counter.h"

namespace espalier {
namespace {

// Runs `work`, which may need more memory than there is, and gives its value.
template <class Work>
napi_value guarded(napi_env env, Work work) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return fail(env, "tokenizer: out of memory");
  }
}

void release(napi_env, void* data, void*) { delete static_cast<PieceCounter*>(data); }

PieceCounter* counter_of(napi_env env, napi_value value) {
  void* data = nullptr;
  return napi_get_value_external(env, value, &data) == napi_ok ? static_cast<PieceCounter*>(data) : nullptr;
}

napi_value create_counter(napi_env env, napi_callback_info info) {
  const Arguments arguments = arguments_of(env, info);
  Array<std::uint8_t> classes;
  std::int32_t pattern = 0;
  if (!array_of(env, arguments.values[0], napi_uint8_array, classes) || classes.length != kNumCodePoints ||
      napi_get_value_int32(env, arguments.values[1], &pattern) != napi_ok) {
    return fail(env, "tokenizer: createCounter takes classes and a pattern");
  }
  return guarded(env, [&] {
    auto* counter = new PieceCounter(Pattern(pattern), classes.data);
    napi_value external;
    if (napi_create_external(env, counter, release, nullptr, &external) == napi_ok) return external;
    delete counter;
    return fail(env, "tokenizer: no handle");
  });
}

napi_value count(napi_env env, napi_callback_info info) {
  const Arguments arguments = arguments_of(env, info);
  PieceCounter* const counter = counter_of(env, arguments.values[0]);
  Array<std::uint8_t> text;
  if (!counter || !array_of(env, arguments.values[1], napi_uint8_array, text)) return fail(env, "tokenizer: count takes a counter and bytes");
  return guarded(env, [&]() -> napi_value {
    counter->add(text.data, text.length);
    return nullptr;
  });
}

napi_value counter_size(napi_env env, napi_callback_info info) {
  const Arguments arguments = arguments_of(env, info);
  PieceCounter* const counter = counter_of(env, arguments.values[0]);
  if (!counter) return fail(env, "tokenizer: counterSize takes a counter");
  napi_value pair, value;
  napi_create_array_with_length(env, 2, &pair);
  napi_create_double(env, double(counter->num_pieces()), &value);
  napi_set_element(env, pair, 0, value);
  napi_create_double(env, double(counter->held_bytes()), &value);
  napi_set_element(env, pair, 1, value);
  return pair;
}

napi_value counted_pieces(napi_env env, napi_callback_info info) {
  const Arguments arguments = arguments_of(env, info);
  PieceCounter* const counter = counter_of(env, arguments.values[0]);
  bool clear = false;
  if (!counter || napi_get_value_bool(env, arguments.values[1], &clear) != napi_ok) return fail(env, "tokenizer: countedPieces takes a counter and whether to clear it");
  return guarded(env, [&] {
    const CountedPieces pieces = counter->pieces();
    napi_value triple;
    napi_create_array_with_length(env, 3, &triple);
    napi_set_element(env, triple, 0, array_from(env, napi_uint8_array, pieces.bytes));
    napi_set_element(env, triple, 1, array_from(env, napi_uint32_array, pieces.lengths));
    napi_set_element(env, triple, 2, array_from(env, napi_float64_array, pieces.counts));
    if (clear) counter->clear();
    return triple;
  });
}

napi_value learn_tokens(napi_env env, napi_callback_info info) {
  const Arguments arguments = arguments_of(env, info);
  Array<std::uint8_t> bytes, order;
  Array<std::uint32_t> offsets;
  Array<double> counts;
  std::uint32_t size = 0, max_token_bytes = 0;
  double min_frequency = 0;
  if (!array_of(env, arguments.values[0], napi_uint8_array, bytes) || !array_of(env, arguments.values[1], napi_uint32_array, offsets) ||
      !array_of(env, arguments.values[2], napi_float64_array, counts) || !array_of(env, arguments.values[3], napi_uint8_array, order) ||
      napi_get_value_uint32(env, arguments.values[4], &size) != napi_ok || napi_get_value_double(env, arguments.values[5], &min_frequency) != napi_ok ||
      napi_get_value_uint32(env, arguments.values[6], &max_token_bytes) != napi_ok || order.length != 256 || offsets.length != counts.length + 1 ||
      offsets.data[counts.length] > bytes.length) {
    return fail(env, "tokenizer: learn takes bytes, offsets, counts, order, size, minFrequency and maxTokenBytes");
  }
  for (std::size_t i = 0; i < counts.length; ++i) {
    if (offsets.data[i] > offsets.data[i + 1]) return fail(env, "tokenizer: offsets fall");
  }
  const LearnRequest request{bytes.data, offsets.data, counts.data, counts.length, order.data, size, min_frequency, max_token_bytes};
  return guarded(env, [&] { return array_from(env, napi_uint32_array, learn(request)); });
}

}  // namespace

void add_training(napi_env env, napi_value exports) {
  const napi_property_descriptor properties[] = {
      {"createCounter", nullptr, create_counter, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"count", nullptr, count, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"counterSize", nullptr, counter_size, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"countedPieces", nullptr, counted_pieces, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"learn", nullptr, learn_tokens, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
  };
  napi_define_properties(env, exports, sizeof properties / sizeof *properties, properties);
}

}  // namespace espalier
