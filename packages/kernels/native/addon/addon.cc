// addon.cc -- Node's side of espalier.h: unpack arguments, call, wrap errors. No arithmetic. Here: the module itself.
#include <node_api.h>

#include <memory>

#include "addon/functions.h"
#include "addon/handles.h"

namespace espalier {
namespace addon {

namespace {

// Before the environment goes: no thread may call back into it any more.
void stop_executors(void* data) {
  for (ExecutorHandle* handle : static_cast<Environment*>(data)->executors) handle->api->espalier_executor_stop(handle->executor);
}

napi_value initialise(napi_env env, napi_value exports) {
  auto* instance = new std::shared_ptr<Environment>(std::make_shared<Environment>());
  Environment* const environment = instance->get();
  napi_set_instance_data(
      env, instance, [](napi_env, void* data, void*) { delete static_cast<std::shared_ptr<Environment>*>(data); }, nullptr);
  napi_value name;
  napi_create_string_utf8(env, "espalier run", NAPI_AUTO_LENGTH, &name);
  napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, nullptr, settle,
                                  &environment->completions);
  napi_unref_threadsafe_function(env, environment->completions);
  napi_add_env_cleanup_hook(env, stop_executors, environment);  // hooks run in reverse: before the function above goes

  const struct {
    const char* name;
    napi_callback callback;
  } functions[] = {
#define ESPALIER_ENTRY(name, function) {name, function},
      ESPALIER_ADDON_FUNCTIONS(ESPALIER_ENTRY)
#undef ESPALIER_ENTRY
  };
  for (const auto& function : functions) {
    napi_value value;
    napi_create_function(env, function.name, NAPI_AUTO_LENGTH, function.callback, environment, &value);
    napi_set_named_property(env, exports, function.name, value);
  }
  return exports;
}

}  // namespace

}  // namespace addon
}  // namespace espalier

NAPI_MODULE(espalier_kernels, espalier::addon::initialise)
