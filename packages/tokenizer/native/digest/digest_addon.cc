#include "digest/digest_addon.h"

#include <memory>
#include <new>
#include <vector>

#include "digest/sha256.h"
#include "node_values.h"

namespace espalier {
namespace {

// One call, and what it holds until it is done.
struct Call {
  Sha256* sha256 = nullptr;
  Array<std::uint8_t> bytes;
  napi_deferred deferred = nullptr;
  napi_async_work work = nullptr;
  napi_ref held[2] = {};  // the handle, the bytes
};

void release_sha256(napi_env, void* data, void*) { delete static_cast<Sha256*>(data); }

napi_value create_sha256(napi_env env, napi_callback_info) {
  std::unique_ptr<Sha256> sha256(new (std::nothrow) Sha256);
  napi_value external;
  if (!sha256 || napi_create_external(env, sha256.get(), release_sha256, nullptr, &external) != napi_ok) return fail(env, "tokenizer: no handle");
  sha256.release();
  return external;
}

void execute(napi_env, void* data) {
  const Call& call = *static_cast<Call*>(data);
  call.sha256->update(call.bytes.data, call.bytes.length);
}

void complete(napi_env env, napi_status status, void* data) {
  const std::unique_ptr<Call> call(static_cast<Call*>(data));
  for (const napi_ref held : call->held) napi_delete_reference(env, held);
  napi_delete_async_work(env, call->work);
  napi_value value;
  if (status != napi_ok) {  // the process ends
    napi_value text;
    napi_create_string_utf8(env, "tokenizer: stopped", NAPI_AUTO_LENGTH, &text);
    napi_create_error(env, nullptr, text, &value);
    napi_reject_deferred(env, call->deferred, value);
    return;
  }
  napi_get_undefined(env, &value);
  napi_resolve_deferred(env, call->deferred, value);
}

Sha256* sha256_of(napi_env env, napi_value value) {
  void* data = nullptr;
  return napi_get_value_external(env, value, &data) == napi_ok ? static_cast<Sha256*>(data) : nullptr;
}

napi_value update_sha256(napi_env env, napi_callback_info info) {
  const Arguments arguments = arguments_of(env, info);
  Array<std::uint8_t> bytes;
  Sha256* const sha256 = sha256_of(env, arguments.values[0]);
  if (!sha256 || !array_of(env, arguments.values[1], napi_uint8_array, bytes)) {
    return fail(env, "tokenizer: updateSha256 takes what createSha256 gave, and bytes");
  }
  std::unique_ptr<Call> call(new (std::nothrow) Call);
  if (!call) return fail(env, "tokenizer: out of memory");
  call->sha256 = sha256;
  call->bytes = bytes;
  napi_value promise, name;
  napi_create_string_utf8(env, "espalier sha256", NAPI_AUTO_LENGTH, &name);
  if (napi_create_async_work(env, nullptr, name, execute, complete, call.get(), &call->work) != napi_ok) return fail(env, "tokenizer: no thread");
  napi_create_promise(env, &call->deferred, &promise);
  napi_create_reference(env, arguments.values[0], 1, &call->held[0]);
  napi_create_reference(env, arguments.values[1], 1, &call->held[1]);
  napi_queue_async_work(env, call->work);
  call.release();  // of `complete`
  return promise;
}

napi_value digest_sha256(napi_env env, napi_callback_info info) {
  Sha256* const sha256 = sha256_of(env, arguments_of(env, info).values[0]);
  if (!sha256) return fail(env, "tokenizer: digestSha256 takes what createSha256 gave");
  try {
    std::vector<std::uint8_t> digest(kDigestBytes);
    sha256->digest(digest.data());
    return array_from(env, napi_uint8_array, digest);
  } catch (const std::bad_alloc&) {
    return fail(env, "tokenizer: out of memory");
  }
}

}  // namespace

void add_digest(napi_env env, napi_value exports) {
  const napi_property_descriptor properties[] = {
      {"createSha256", nullptr, create_sha256, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"updateSha256", nullptr, update_sha256, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"digestSha256", nullptr, digest_sha256, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
  };
  napi_define_properties(env, exports, sizeof properties / sizeof *properties, properties);
}

}  // namespace espalier
