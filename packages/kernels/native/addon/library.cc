// library.cc -- which library of kernels is used: the CPU executor of this addon, or one that is opened.
#if defined(_WIN32)
#include <windows.h>
#else
#include <dlfcn.h>
#endif

#include <string>

#include "addon/arguments.h"
#include "addon/functions.h"
#include "addon/handles.h"

namespace espalier {
namespace addon {

namespace {

// The CPU executor, which is part of this addon.
const Api kOwnLibrary = {
#define ESPALIER_ENTRY(name) name,
    ESPALIER_FUNCTIONS(ESPALIER_ENTRY)
#undef ESPALIER_ENTRY
};

// A library of device kernels with the functions of espalier.h, open until the process ends: its threads and finalizers
// may outlive the environment that opened it.
void* symbol_of(void* library, const char* name) {
#if defined(_WIN32)
  return reinterpret_cast<void*>(GetProcAddress(static_cast<HMODULE>(library), name));
#else
  return dlsym(library, name);
#endif
}

}  // namespace

// openLibrary(path) -> external
napi_value open_library(napi_env env, napi_callback_info info) {
  const std::string path = text_of(env, arguments_of(env, info).values[0]);
#if defined(_WIN32)
  void* library = LoadLibraryA(path.c_str());
  const std::string reason = library ? "" : "error " + std::to_string(GetLastError());
#else
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  const std::string reason = library ? "" : dlerror();
#endif
  if (!library) {
    napi_throw_error(env, nullptr, reason.c_str());
    return nullptr;
  }
  Api* api = new Api{};
  const char* missing = nullptr;
#define ESPALIER_LOOK_UP(name)                                                       \
  api->name = reinterpret_cast<decltype(api->name)>(symbol_of(library, #name));      \
  if (!api->name) missing = #name;
  ESPALIER_FUNCTIONS(ESPALIER_LOOK_UP)
#undef ESPALIER_LOOK_UP
  if (missing) {
    delete api;
    napi_throw_error(env, nullptr, (std::string("it lacks ") + missing + "; library and addon are of different versions").c_str());
    return nullptr;
  }
  napi_value external;
  napi_create_external(env, api, nullptr, nullptr, &external);
  return external;
}

const Api& library_of(napi_env env, napi_value value) {
  void* data = nullptr;
  if (value && napi_get_value_external(env, value, &data) == napi_ok && data) return *static_cast<const Api*>(data);
  return kOwnLibrary;
}

// describe(library?) -> { ops, instructionPaths, device }
napi_value describe(napi_env env, napi_callback_info info) {
  const Api& api = library_of(env, arguments_of(env, info).values[0]);
  napi_value result, text;
  napi_create_object(env, &result);
  napi_create_string_utf8(env, api.espalier_op_list(), NAPI_AUTO_LENGTH, &text);
  napi_set_named_property(env, result, "ops", text);
  std::string paths;
  for (const char* path : {"avx512bf16", "avx512", "avx2", "portable", "sm_80", "sm_86", "sm_87", "sm_89", "sm_90", "sm_100", "sm_103", "sm_110", "sm_120",
                           "sm_121", "emulated"}) {
    if (api.espalier_has_instruction_path(path)) paths += (paths.empty() ? "" : ",") + std::string(path);
  }
  napi_create_string_utf8(env, paths.c_str(), NAPI_AUTO_LENGTH, &text);
  napi_set_named_property(env, result, "instructionPaths", text);
  napi_create_string_utf8(env, api.espalier_device_summary(), NAPI_AUTO_LENGTH, &text);
  napi_set_named_property(env, result, "device", text);
  return result;
}

}  // namespace addon
}  // namespace espalier
