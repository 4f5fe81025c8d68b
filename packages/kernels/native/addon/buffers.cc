// buffers.cc -- executors, and the buffers that they allocate.
#include <memory>
#include <string>

#include "addon/arguments.h"
#include "addon/functions.h"
#include "addon/handles.h"

namespace espalier {
namespace addon {

// createExecutor(numThreads, instructionPath | undefined, parallelGrain, library?) -> external
napi_value create_executor(napi_env env, napi_callback_info info) {
  const Arguments arguments = arguments_of(env, info);
  const Api& api = library_of(env, arguments.values[3]);
  const std::string path = text_of(env, arguments.values[1]);
  EspalierExecutorOptions options{sizeof(EspalierExecutorOptions), integer_of(env, arguments.values[0]),
                                  path.empty() ? nullptr : path.c_str(), -1};
  napi_get_value_double(env, arguments.values[2], &options.parallel_grain);
  EspalierExecutor* executor = nullptr;
  if (threw(env, api, api.espalier_executor_create(&options, &executor))) return nullptr;
  void* instance = nullptr;
  napi_get_instance_data(env, &instance);
  auto* handle = new ExecutorHandle{&api, executor, *static_cast<std::shared_ptr<Environment>*>(instance)};
  arguments.environment->executors.insert(handle);
  napi_value external;
  napi_create_external(
      env, handle,
      [](napi_env, void* data, void*) {
        auto* handle = static_cast<ExecutorHandle*>(data);
        handle->environment->executors.erase(handle);
        handle->api->espalier_executor_release(handle->executor);
        delete handle;
      },
      nullptr, &external);
  return external;
}

napi_value executor_path(napi_env env, napi_callback_info info) {
  auto* handle = handle_of<ExecutorHandle>(env, arguments_of(env, info).values[0]);
  if (!handle) return nullptr;
  napi_value text;
  napi_create_string_utf8(env, handle->api->espalier_executor_instruction_path(handle->executor), NAPI_AUTO_LENGTH, &text);
  return text;
}

namespace {

void release_buffer_memory(napi_env env, BufferHandle* handle) {
  if (!handle->buffer) return;
  int64_t total = 0;
  napi_adjust_external_memory(env, -handle->bytes, &total);
  handle->api->espalier_buffer_release(handle->buffer);
  handle->buffer = nullptr;
}

}  // namespace

// allocate(executor, bytes) -> external
napi_value allocate(napi_env env, napi_callback_info info) {
  const Arguments arguments = arguments_of(env, info);
  auto* executor = handle_of<ExecutorHandle>(env, arguments.values[0]);
  if (!executor) return nullptr;
  const int64_t bytes = integer_of(env, arguments.values[1]);
  EspalierBuffer* buffer = nullptr;
  if (threw(env, *executor->api, executor->api->espalier_buffer_allocate(executor->executor, bytes, &buffer))) return nullptr;
  int64_t total = 0;
  napi_adjust_external_memory(env, bytes, &total);
  napi_value external;
  napi_create_external(
      env, new BufferHandle{executor->api, buffer, bytes},
      [](napi_env env, void* data, void*) {
        auto* handle = static_cast<BufferHandle*>(data);
        release_buffer_memory(env, handle);
        delete handle;
      },
      nullptr, &external);
  return external;
}

// write(buffer, typedArray, byteOffset), read(buffer, typedArray, byteOffset)
napi_value write(napi_env env, napi_callback_info info) {
  const Arguments arguments = arguments_of(env, info);
  auto* handle = handle_of<BufferHandle>(env, arguments.values[0]);
  if (!handle) return nullptr;
  const Bytes source = bytes_of(env, arguments.values[1]);
  const int64_t offset = integer_of(env, arguments.values[2]);
  if (threw(env, *handle->api, handle->api->espalier_buffer_write(handle->buffer, offset, source.data, source.length))) return nullptr;
  return undefined(env);
}

napi_value read(napi_env env, napi_callback_info info) {
  const Arguments arguments = arguments_of(env, info);
  auto* handle = handle_of<BufferHandle>(env, arguments.values[0]);
  if (!handle) return nullptr;
  const Bytes target = bytes_of(env, arguments.values[1]);
  const int64_t offset = integer_of(env, arguments.values[2]);
  if (threw(env, *handle->api, handle->api->espalier_buffer_read(handle->buffer, offset, target.data, target.length))) return nullptr;
  return undefined(env);
}

napi_value free_buffer(napi_env env, napi_callback_info info) {
  auto* handle = handle_of<BufferHandle>(env, arguments_of(env, info).values[0]);
  if (!handle) return nullptr;
  release_buffer_memory(env, handle);
  return undefined(env);
}

}  // namespace addon
}  // namespace espalier
