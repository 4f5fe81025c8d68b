// functions.h -- what the addon exports: name in JavaScript, function here. The TypeScript side is src/addon.ts.
#pragma once
#include <node_api.h>

#define ESPALIER_ADDON_FUNCTIONS(F) \
  F("openLibrary", open_library) \
  F("describe", describe) \
  F("createExecutor", create_executor) \
  F("executorPath", executor_path) \
  F("allocate", allocate) \
  F("write", write) \
  F("read", read) \
  F("freeBuffer", free_buffer) \
  F("load", load) \
  F("scratchBytes", scratch_bytes) \
  F("bind", bind) \
  F("readTensor", read_tensor) \
  F("profile", profile) \
  F("freeProgram", free_program) \
  F("run", run) \
  F("cancel", cancel)

namespace espalier {
namespace addon {

#define ESPALIER_DECLARE(name, function) napi_value function(napi_env env, napi_callback_info info);
ESPALIER_ADDON_FUNCTIONS(ESPALIER_DECLARE)
#undef ESPALIER_DECLARE

}  // namespace addon
}  // namespace espalier
