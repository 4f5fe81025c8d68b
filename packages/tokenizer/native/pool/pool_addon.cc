#include "pool/pool_addon.h"

#include <memory>
#include <new>
#include <system_error>
#include <vector>

#include "encoder_values.h"
#include "node_values.h"
#include "pool/treat_pool.h"

namespace espalier {
namespace {

// A batch of Node's: its arrays are held until it is done.
struct Promised {
  napi_deferred deferred;
  napi_ref lines, ids;
};

// Everything of this is of Node's thread but `pool`, whose threads only call `waker`.
struct NodePool {
  napi_env env;
  napi_threadsafe_function waker = nullptr;
  std::unique_ptr<TreatPool> pool;
  std::size_t unsettled = 0;
};
using Shared = std::shared_ptr<NodePool>;  // one of the handle, one of the waker: either may go first

napi_value value_of(napi_env env, const Treatment& treatment) {
  const LineTexts& texts = treatment.texts;
  napi_value all, num_lines;
  if (treatment.ids_needed > 0) {
    napi_create_uint32(env, std::uint32_t(treatment.ids_needed), &all);
    return all;
  }
  napi_create_array_with_length(env, 7, &all);
  napi_create_uint32(env, texts.num_lines, &num_lines);
  napi_set_element(env, all, 0, num_lines);
  napi_set_element(env, all, 1, array_from(env, napi_uint32_array, texts.numbers));
  napi_set_element(env, all, 2, array_from(env, napi_uint32_array, texts.malformed));
  napi_set_element(env, all, 3, array_from(env, napi_uint32_array, texts.ends));
  napi_set_element(env, all, 4, array_from(env, napi_uint8_array, treatment.hashes));
  napi_set_element(env, all, 5, array_from(env, napi_float64_array, treatment.positions));
  napi_set_element(env, all, 6, array_from(env, napi_uint32_array, treatment.id_ends));
  return all;
}

void settle(napi_env env, std::unique_ptr<Treatment> treatment) {
  const std::unique_ptr<Promised> promised(static_cast<Promised*>(treatment->owner));
  napi_delete_reference(env, promised->lines);
  napi_delete_reference(env, promised->ids);
  const char* problem = treatment->problem;
  if (!problem) {
    try {
      napi_resolve_deferred(env, promised->deferred, value_of(env, *treatment));
      return;
    } catch (const std::bad_alloc&) {
      problem = "tokenizer: out of memory";
    }
  }
  napi_value text, error;
  napi_create_string_utf8(env, problem, NAPI_AUTO_LENGTH, &text);
  napi_create_error(env, nullptr, text, &error);
  napi_reject_deferred(env, promised->deferred, error);
}

// Runs on Node's thread when a batch is done; one call may find several, or none that an earlier one took.
void settle_done(napi_env env, NodePool& shared) {
  if (!env || !shared.pool) return;
  for (auto& treatment : shared.pool->take_done()) {
    settle(env, std::move(treatment));
    // A process may end while nothing is promised.
    if (--shared.unsettled == 0 && shared.waker) napi_unref_threadsafe_function(env, shared.waker);
  }
}

void wake(napi_env env, napi_value, void* context, void*) { settle_done(env, **static_cast<Shared*>(context)); }

void release_waker(napi_env, void*, void* context) { delete static_cast<Shared*>(context); }

void on_exit(void* data);

void close(NodePool& shared, bool settles) {
  if (!shared.pool) return;
  shared.pool->stop();
  if (settles) settle_done(shared.env, shared);
  shared.pool.reset();
  napi_remove_env_cleanup_hook(shared.env, on_exit, &shared);
  napi_release_threadsafe_function(shared.waker, napi_tsfn_release);
  shared.waker = nullptr;
}

// The thread of Node ends, with whatever is promised.
void on_exit(void* data) { close(*static_cast<NodePool*>(data), false); }

void release_handle(napi_env, void* data, void*) {
  const std::unique_ptr<Shared> shared(static_cast<Shared*>(data));
  close(**shared, false);
}

napi_value create_pool(napi_env env, napi_callback_info info) {
  const Arguments arguments = arguments_of(env, info);
  const napi_value* const values = arguments.values;
  EncoderDefinition encoder{};
  if (const char* problem = definition_of(env, values, encoder)) return fail(env, problem);
  Array<std::uint8_t> field;
  Array<std::uint32_t> ids;
  std::uint32_t separator = 0, threads = 0;
  if (!array_of(env, values[4], napi_uint8_array, field) || napi_get_value_uint32(env, values[5], &separator) != napi_ok ||
      napi_get_value_uint32(env, values[6], &threads) != napi_ok || threads == 0 ||
      (array_of(env, values[7], napi_uint32_array, ids) && ids.length != encoder.num_tokens)) {
    return fail(env, "tokenizer: createPool takes an encoder's definition, a field, a separator, a number of threads, and an id for every token");
  }
  try {
    PoolDefinition definition{
        {encoder.token_bytes, encoder.token_bytes + encoder.offsets[encoder.num_tokens]},
        {encoder.classes, encoder.classes + kNumCodePoints},
        {encoder.offsets, encoder.offsets + encoder.num_tokens + 1},
        encoder.pattern,
        {ids.data, ids.data + ids.length},
        {reinterpret_cast<const char*>(field.data), field.length},
        separator,
    };
    const auto shared = std::make_shared<NodePool>();
    shared->env = env;
    napi_value name;
    napi_create_string_utf8(env, "espalier tokenizer", NAPI_AUTO_LENGTH, &name);
    auto* const of_waker = new Shared(shared);
    if (napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, release_waker, of_waker, wake, &shared->waker) != napi_ok) {
      delete of_waker;
      return fail(env, "tokenizer: no way back from the threads");
    }
    napi_unref_threadsafe_function(env, shared->waker);
    const napi_threadsafe_function waker = shared->waker;
    try {
      shared->pool = std::make_unique<TreatPool>(std::move(definition), threads, [waker] { napi_call_threadsafe_function(waker, nullptr, napi_tsfn_nonblocking); });
    } catch (const std::system_error&) {
      napi_release_threadsafe_function(waker, napi_tsfn_release);
      return fail(env, "tokenizer: no more threads");
    }
    napi_add_env_cleanup_hook(env, on_exit, shared.get());
    auto* const of_handle = new Shared(shared);
    napi_value external;
    if (napi_create_external(env, of_handle, release_handle, nullptr, &external) != napi_ok) {
      delete of_handle;
      close(*shared, false);
      return fail(env, "tokenizer: no handle");
    }
    return external;
  } catch (const std::bad_alloc&) {
    return fail(env, "tokenizer: out of memory");
  }
}

NodePool* pool_of(napi_env env, napi_value value) {
  void* data = nullptr;
  return napi_get_value_external(env, value, &data) == napi_ok ? static_cast<Shared*>(data)->get() : nullptr;
}

napi_value treat_lines(napi_env env, napi_callback_info info) {
  const Arguments arguments = arguments_of(env, info);
  NodePool* const shared = pool_of(env, arguments.values[0]);
  Array<std::uint8_t> lines;
  Array<std::uint32_t> ids;
  if (!shared || !array_of(env, arguments.values[1], napi_uint8_array, lines) || !array_of(env, arguments.values[2], napi_uint32_array, ids) ||
      lines.length > kMaxLinesBytes) {
    return fail(env, "tokenizer: treatLines takes a pool, lines and room for ids");
  }
  if (!shared->pool) return fail(env, "tokenizer: the threads were stopped");
  try {
    auto promised = std::make_unique<Promised>();
    auto treatment = std::make_unique<Treatment>();
    treatment->lines = {lines.data, lines.length};
    treatment->ids = ids.data;
    treatment->ids_capacity = ids.length;
    napi_value promise;
    napi_create_promise(env, &promised->deferred, &promise);
    napi_create_reference(env, arguments.values[1], 1, &promised->lines);
    napi_create_reference(env, arguments.values[2], 1, &promised->ids);
    treatment->owner = promised.release();
    shared->pool->submit(std::move(treatment));
    if (shared->unsettled++ == 0) napi_ref_threadsafe_function(env, shared->waker);
    return promise;
  } catch (const std::bad_alloc&) {
    return fail(env, "tokenizer: out of memory");
  }
}

napi_value close_pool(napi_env env, napi_callback_info info) {
  NodePool* const shared = pool_of(env, arguments_of(env, info).values[0]);
  if (!shared) return fail(env, "tokenizer: closePool takes a pool");
  close(*shared, true);
  return nullptr;
}

}  // namespace

void add_pool(napi_env env, napi_value exports) {
  const napi_property_descriptor properties[] = {
      {"createPool", nullptr, create_pool, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"treatLines", nullptr, treat_lines, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"closePool", nullptr, close_pool, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
  };
  napi_define_properties(env, exports, sizeof properties / sizeof *properties, properties);
}

}  // namespace espalier
