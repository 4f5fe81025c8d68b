#include "inflate/gunzip_addon.h"

#include <memory>
#include <new>

#include "inflate/crc32.h"
#include "inflate/gunzip.h"
#include "node_values.h"

namespace espalier {
namespace {

// One call, and what it holds until it is done.
struct Call {
  Gunzip* gunzip = nullptr;
  const std::uint8_t* input = nullptr;
  std::size_t size = 0;
  bool is_last = false;
  Array<std::uint8_t> out;
  Gunzip::Progress progress;
  napi_deferred deferred = nullptr;
  napi_async_work work = nullptr;
  napi_ref held[3] = {};  // the handle, the input, the output
};

void release_gunzip(napi_env, void* data, void*) { delete static_cast<Gunzip*>(data); }

napi_value create_gunzip(napi_env env, napi_callback_info) {
  try {
    auto gunzip = std::make_unique<Gunzip>();
    napi_value external;
    if (napi_create_external(env, gunzip.get(), release_gunzip, nullptr, &external) != napi_ok) return fail(env, "tokenizer: no handle");
    gunzip.release();
    return external;
  } catch (const std::bad_alloc&) {
    return fail(env, "tokenizer: out of memory");
  }
}

void execute(napi_env, void* data) {
  Call& call = *static_cast<Call*>(data);
  call.progress = call.gunzip->run(call.input, call.size, call.is_last, call.out.data, call.out.length);
}

void complete(napi_env env, napi_status status, void* data) {
  const std::unique_ptr<Call> call(static_cast<Call*>(data));
  for (const napi_ref held : call->held) napi_delete_reference(env, held);
  napi_delete_async_work(env, call->work);
  if (status != napi_ok) {  // the process ends
    napi_value text, error;
    napi_create_string_utf8(env, "tokenizer: stopped", NAPI_AUTO_LENGTH, &text);
    napi_create_error(env, nullptr, text, &error);
    napi_reject_deferred(env, call->deferred, error);
    return;
  }
  const Gunzip::Progress& progress = call->progress;
  napi_value all, value;
  napi_create_array_with_length(env, progress.problem ? 4 : 3, &all);
  napi_create_double(env, double(progress.consumed), &value);
  napi_set_element(env, all, 0, value);
  napi_create_double(env, double(progress.written), &value);
  napi_set_element(env, all, 1, value);
  napi_get_boolean(env, progress.is_done, &value);
  napi_set_element(env, all, 2, value);
  if (progress.problem) {
    napi_create_string_utf8(env, progress.problem, NAPI_AUTO_LENGTH, &value);
    napi_set_element(env, all, 3, value);
  }
  napi_resolve_deferred(env, call->deferred, all);
}

napi_value gunzip(napi_env env, napi_callback_info info) {
  const Arguments arguments = arguments_of(env, info);
  const napi_value* const values = arguments.values;
  void* handle = nullptr;
  Array<std::uint8_t> input, out;
  std::uint32_t begin = 0, end = 0;
  bool is_last = false;
  if (napi_get_value_external(env, values[0], &handle) != napi_ok || !array_of(env, values[1], napi_uint8_array, input) ||
      napi_get_value_uint32(env, values[2], &begin) != napi_ok || napi_get_value_uint32(env, values[3], &end) != napi_ok || begin > end ||
      end > input.length || napi_get_value_bool(env, values[4], &is_last) != napi_ok || !array_of(env, values[5], napi_uint8_array, out)) {
    return fail(env, "tokenizer: gunzip takes what createGunzip gave, input, where it begins and ends, whether it is the last, and room");
  }
  std::unique_ptr<Call> call(new (std::nothrow) Call);
  if (!call) return fail(env, "tokenizer: out of memory");
  call->gunzip = static_cast<Gunzip*>(handle);
  call->input = input.data + begin;
  call->size = end - begin;
  call->is_last = is_last;
  call->out = out;
  napi_value promise, name;
  napi_create_string_utf8(env, "espalier gunzip", NAPI_AUTO_LENGTH, &name);
  if (napi_create_async_work(env, nullptr, name, execute, complete, call.get(), &call->work) != napi_ok) return fail(env, "tokenizer: no thread");
  napi_create_promise(env, &call->deferred, &promise);
  napi_create_reference(env, values[0], 1, &call->held[0]);
  napi_create_reference(env, values[1], 1, &call->held[1]);
  napi_create_reference(env, values[5], 1, &call->held[2]);
  napi_queue_async_work(env, call->work);
  call.release();  // of `complete`
  return promise;
}

napi_value crc32(napi_env env, napi_callback_info info) {
  const Arguments arguments = arguments_of(env, info);
  Array<std::uint8_t> data;
  bool portable = false;
  if (!array_of(env, arguments.values[0], napi_uint8_array, data) || napi_get_value_bool(env, arguments.values[1], &portable) != napi_ok) {
    return fail(env, "tokenizer: crc32 takes bytes, and whether without the processor's instructions");
  }
  napi_value value;
  napi_create_uint32(env, crc32_of(0, data.data, data.length, portable), &value);
  return value;
}

}  // namespace

void add_gunzip(napi_env env, napi_value exports) {
  const napi_property_descriptor properties[] = {
      {"createGunzip", nullptr, create_gunzip, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"gunzip", nullptr, gunzip, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"crc32", nullptr, crc32, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
  };
  napi_define_properties(env, exports, sizeof properties / sizeof *properties, properties);
}

}  // namespace espalier
