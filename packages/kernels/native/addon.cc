// addon.cc -- Node's side of espalier.h: unpack arguments, call, wrap errors. No arithmetic.
//
// Handles reach JavaScript as externals and are released explicitly or when they are collected. A run copies its
// runtime inputs in and its outputs out, so that no ArrayBuffer is touched outside the JavaScript thread. Runs work on
// the executor's own thread; their completion comes back through one thread-safe function an environment.
#include <node_api.h>

#if defined(_WIN32)
#include <windows.h>
#else
#include <dlfcn.h>
#endif

#include <cstdint>
#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "espalier.h"
#include "executor/api.h"

namespace {

using espalier::Api;

// The CPU executor, which is part of this addon.
const Api kOwnLibrary = {
#define ESPALIER_ENTRY(name) name,
    ESPALIER_FUNCTIONS(ESPALIER_ENTRY)
#undef ESPALIER_ENTRY
};

struct Environment;

struct ExecutorHandle {
  const Api* api;
  EspalierExecutor* executor;
  std::shared_ptr<Environment> environment;  // finalizers may run after the instance data is gone
};
struct BufferHandle {
  const Api* api;
  EspalierBuffer* buffer;
  int64_t bytes;
};
struct ProgramHandle {
  const Api* api;
  EspalierProgram* program;
  int pending;    // runs submitted and not yet settled
  bool released;  // asked for while runs were pending
};

// One environment (the main thread or a worker) of this addon.
struct Environment {
  napi_threadsafe_function completions = nullptr;
  int pending = 0;
  std::set<ExecutorHandle*> executors;
};

struct Run {
  Environment* environment;
  ProgramHandle* program;
  napi_ref program_reference;
  napi_ref output_reference;
  napi_deferred deferred;
  std::vector<char> runtime, output;
  int32_t status;
  std::string message;
  int64_t instruction;
};

constexpr std::size_t kMaxArguments = 4;

struct Arguments {
  napi_value values[kMaxArguments];
  Environment* environment;
};

Arguments arguments_of(napi_env env, napi_callback_info info) {
  Arguments arguments{};
  std::size_t count = kMaxArguments;
  void* data = nullptr;
  napi_get_cb_info(env, info, &count, arguments.values, nullptr, &data);
  arguments.environment = static_cast<Environment*>(data);
  return arguments;
}

napi_value error_of(napi_env env, int32_t status, const char* message, int64_t instruction) {
  napi_value text, error, value;
  napi_create_string_utf8(env, message, NAPI_AUTO_LENGTH, &text);
  napi_create_error(env, nullptr, text, &error);
  napi_create_int32(env, status, &value);
  napi_set_named_property(env, error, "status", value);
  napi_create_int64(env, instruction, &value);
  napi_set_named_property(env, error, "instruction", value);
  return error;
}

// Throws the last error when `status` is one; true when it did.
bool threw(napi_env env, const Api& api, int32_t status) {
  if (status == ESPALIER_OK) return false;
  napi_throw(env, error_of(env, status, api.espalier_last_error(), api.espalier_last_error_instruction()));
  return true;
}

template <class Handle>
Handle* handle_of(napi_env env, napi_value value) {
  void* data = nullptr;
  if (napi_get_value_external(env, value, &data) != napi_ok || !data) {
    napi_throw_error(env, nullptr, "the handle is not one of this addon.");
    return nullptr;
  }
  return static_cast<Handle*>(data);
}

int64_t integer_of(napi_env env, napi_value value) {
  int64_t number = 0;
  napi_get_value_int64(env, value, &number);
  return number;
}

std::string text_of(napi_env env, napi_value value) {
  std::size_t length = 0;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok) return "";
  std::string text(length, '\0');
  napi_get_value_string_utf8(env, value, &text[0], length + 1, &length);
  return text;
}

struct Bytes {
  char* data;
  int64_t length;
};

Bytes bytes_of(napi_env env, napi_value value) {
  napi_typedarray_type type;
  std::size_t count = 0, offset = 0;
  void* data = nullptr;
  napi_value buffer;
  if (napi_get_typedarray_info(env, value, &type, &count, &data, &buffer, &offset) != napi_ok) return {nullptr, 0};
  static const std::size_t widths[] = {1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8};  // in the order of napi_typedarray_type
  const std::size_t width = static_cast<std::size_t>(type) < sizeof(widths) / sizeof(widths[0]) ? widths[type] : 1;
  return {static_cast<char*>(data), static_cast<int64_t>(count * width)};
}

// A Float64Array of whole numbers; exact up to 2^53.
std::vector<int64_t> integers_of(napi_env env, napi_value value) {
  const Bytes bytes = bytes_of(env, value);
  const double* numbers = reinterpret_cast<const double*>(bytes.data);
  return std::vector<int64_t>(numbers, numbers + bytes.length / 8);
}

napi_value undefined(napi_env env) {
  napi_value value;
  napi_get_undefined(env, &value);
  return value;
}

napi_value property(napi_env env, napi_value object, const char* name) {
  napi_value value = nullptr;
  napi_get_named_property(env, object, name, &value);
  return value;
}

// A library of device kernels with the functions of espalier.h, open until the process ends: its threads and finalizers
// may outlive the environment that opened it.
void* symbol_of(void* library, const char* name) {
#if defined(_WIN32)
  return reinterpret_cast<void*>(GetProcAddress(static_cast<HMODULE>(library), name));
#else
  return dlsym(library, name);
#endif
}

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

// The library of an optional argument: the addon's own CPU executor when it is undefined.
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

void release_buffer_memory(napi_env env, BufferHandle* handle) {
  if (!handle->buffer) return;
  int64_t total = 0;
  napi_adjust_external_memory(env, -handle->bytes, &total);
  handle->api->espalier_buffer_release(handle->buffer);
  handle->buffer = nullptr;
}

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

void release_program(ProgramHandle* handle) {
  if (handle->program) handle->api->espalier_program_release(handle->program);
  handle->program = nullptr;
}

// load(executor, { tensors, instructions, sizes }) -> external
//   tensors: Float64Array of dtype, region, offset, rank, dims... one after the other
//   instructions: [{ op, attributeNames, attributes, inputs, outputs }]   sizes: [arena, runtime, output] bytes
napi_value load(napi_env env, napi_callback_info info) {
  const Arguments arguments = arguments_of(env, info);
  auto* executor = handle_of<ExecutorHandle>(env, arguments.values[0]);
  if (!executor) return nullptr;
  const napi_value program = arguments.values[1];

  const std::vector<int64_t> table = integers_of(env, property(env, program, "tensors"));
  std::vector<EspalierTensorSpec> tensors;
  for (std::size_t at = 0; at + 4 <= table.size();) {
    const int64_t rank = table[at + 3];
    tensors.push_back({sizeof(EspalierTensorSpec), table[at], table[at + 1], rank, table.data() + at + 4, table[at + 2]});
    at += 4 + static_cast<std::size_t>(rank);
  }

  struct Unpacked {
    std::string op, names;
    Bytes attributes;
    std::vector<int64_t> inputs, outputs;
  };
  const napi_value list = property(env, program, "instructions");
  uint32_t count = 0;
  napi_get_array_length(env, list, &count);
  std::vector<Unpacked> unpacked(count);
  std::vector<EspalierInstructionSpec> instructions;
  for (uint32_t i = 0; i < count; ++i) {
    napi_value entry;
    napi_get_element(env, list, i, &entry);
    Unpacked& to = unpacked[i];
    to.op = text_of(env, property(env, entry, "op"));
    to.names = text_of(env, property(env, entry, "attributeNames"));
    to.attributes = bytes_of(env, property(env, entry, "attributes"));
    to.inputs = integers_of(env, property(env, entry, "inputs"));
    to.outputs = integers_of(env, property(env, entry, "outputs"));
    instructions.push_back({sizeof(EspalierInstructionSpec), to.op.c_str(), to.names.c_str(),
                            reinterpret_cast<const double*>(to.attributes.data), to.inputs.data(),
                            static_cast<int64_t>(to.inputs.size()), to.outputs.data(),
                            static_cast<int64_t>(to.outputs.size())});
  }

  const std::vector<int64_t> sizes = integers_of(env, property(env, program, "sizes"));
  if (sizes.size() != 3) {
    napi_throw_error(env, nullptr, "sizes must hold arena, runtime and output bytes.");
    return nullptr;
  }
  const EspalierProgramSpec spec{sizeof(EspalierProgramSpec), tensors.data(), static_cast<int64_t>(tensors.size()),
                                 instructions.data(), static_cast<int64_t>(count), sizes[0], sizes[1], sizes[2]};
  EspalierProgram* loaded = nullptr;
  if (threw(env, *executor->api, executor->api->espalier_program_load(executor->executor, &spec, &loaded))) return nullptr;
  napi_value external;
  napi_create_external(
      env, new ProgramHandle{executor->api, loaded, 0, false},
      [](napi_env, void* data, void*) {
        release_program(static_cast<ProgramHandle*>(data));
        delete static_cast<ProgramHandle*>(data);
      },
      nullptr, &external);
  return external;
}

napi_value scratch_bytes(napi_env env, napi_callback_info info) {
  auto* program = handle_of<ProgramHandle>(env, arguments_of(env, info).values[0]);
  if (!program) return nullptr;
  napi_value bytes;
  napi_create_int64(env, program->api->espalier_program_scratch_bytes(program->program), &bytes);
  return bytes;
}

// bind(program, tensorId, buffer)
napi_value bind(napi_env env, napi_callback_info info) {
  const Arguments arguments = arguments_of(env, info);
  auto* program = handle_of<ProgramHandle>(env, arguments.values[0]);
  auto* buffer = program ? handle_of<BufferHandle>(env, arguments.values[2]) : nullptr;
  if (!buffer) return nullptr;
  const int64_t tensor = integer_of(env, arguments.values[1]);
  if (program->api != buffer->api) {
    napi_throw_error(env, nullptr, "program and buffer are of different devices.");
    return nullptr;
  }
  if (threw(env, *program->api, program->api->espalier_program_bind(program->program, tensor, buffer->buffer))) return nullptr;
  return undefined(env);
}

// On the JavaScript thread, when a run has ended; `env` is null while the environment is torn down.
void settle(napi_env env, napi_value, void*, void* data) {
  Run* run = static_cast<Run*>(data);
  if (env) {
    napi_value value;
    if (run->status == ESPALIER_OK) {
      napi_get_reference_value(env, run->output_reference, &value);
      const Bytes target = bytes_of(env, value);
      if (target.length == static_cast<int64_t>(run->output.size())) {
        if (target.length) std::memcpy(target.data, run->output.data(), run->output.size());
        napi_resolve_deferred(env, run->deferred, undefined(env));
      } else {  // the caller transferred or resized it meanwhile
        napi_reject_deferred(env, run->deferred,
                             error_of(env, ESPALIER_BAD_ARGUMENT, "the output array changed its size during the run.", -1));
      }
    } else {
      napi_reject_deferred(env, run->deferred, error_of(env, run->status, run->message.c_str(), run->instruction));
    }
    if (--run->program->pending == 0 && run->program->released) release_program(run->program);
    napi_delete_reference(env, run->output_reference);
    napi_delete_reference(env, run->program_reference);
    if (--run->environment->pending == 0) napi_unref_threadsafe_function(env, run->environment->completions);
  }
  delete run;
}

// run(program, runtime, output) -> Promise
napi_value run(napi_env env, napi_callback_info info) {
  const Arguments arguments = arguments_of(env, info);
  auto* program = handle_of<ProgramHandle>(env, arguments.values[0]);
  if (!program) return nullptr;
  const Bytes runtime = bytes_of(env, arguments.values[1]);
  const Bytes output = bytes_of(env, arguments.values[2]);
  Run* made = new Run{};
  made->environment = arguments.environment;
  made->program = program;
  made->runtime.assign(runtime.data, runtime.data + runtime.length);
  made->output.resize(static_cast<std::size_t>(output.length));
  const EspalierDone done = [](void* context, int32_t status, const char* message, int64_t instruction) {
    Run* ended = static_cast<Run*>(context);
    ended->status = status;
    ended->message = message;
    ended->instruction = instruction;
    napi_call_threadsafe_function(ended->environment->completions, ended, napi_tsfn_nonblocking);
  };
  napi_value promise;
  napi_create_promise(env, &made->deferred, &promise);
  napi_create_reference(env, arguments.values[0], 1, &made->program_reference);
  napi_create_reference(env, arguments.values[2], 1, &made->output_reference);
  ++program->pending;
  if (++arguments.environment->pending == 1) napi_ref_threadsafe_function(env, arguments.environment->completions);
  const int32_t status = program->api->espalier_program_submit(program->program, made->runtime.data(), runtime.length,
                                                 made->output.data(), output.length, done, made);
  if (status != ESPALIER_OK) {
    made->status = status;
    made->message = program->api->espalier_last_error();
    made->instruction = program->api->espalier_last_error_instruction();
    settle(env, nullptr, nullptr, made);
  }
  return promise;
}

napi_value cancel(napi_env env, napi_callback_info info) {
  auto* program = handle_of<ProgramHandle>(env, arguments_of(env, info).values[0]);
  if (!program) return nullptr;
  program->api->espalier_program_cancel(program->program);
  return undefined(env);
}

// readTensor(program, tensorId, typedArray)
napi_value read_tensor(napi_env env, napi_callback_info info) {
  const Arguments arguments = arguments_of(env, info);
  auto* program = handle_of<ProgramHandle>(env, arguments.values[0]);
  if (!program) return nullptr;
  const Bytes target = bytes_of(env, arguments.values[2]);
  const int64_t tensor = integer_of(env, arguments.values[1]);
  if (threw(env, *program->api, program->api->espalier_program_read_tensor(program->program, tensor, target.data, target.length))) return nullptr;
  return undefined(env);
}

// profile(program, seconds: Float64Array, calls: BigInt64Array)
napi_value profile(napi_env env, napi_callback_info info) {
  const Arguments arguments = arguments_of(env, info);
  auto* program = handle_of<ProgramHandle>(env, arguments.values[0]);
  if (!program) return nullptr;
  const Bytes seconds = bytes_of(env, arguments.values[1]);
  const Bytes calls = bytes_of(env, arguments.values[2]);
  if (threw(env, *program->api, program->api->espalier_program_profile(program->program, reinterpret_cast<double*>(seconds.data),
                                          reinterpret_cast<int64_t*>(calls.data), seconds.length / 8))) {
    return nullptr;
  }
  return undefined(env);
}

napi_value free_program(napi_env env, napi_callback_info info) {
  auto* program = handle_of<ProgramHandle>(env, arguments_of(env, info).values[0]);
  if (!program) return nullptr;
  program->released = true;
  if (program->pending == 0) release_program(program);
  return undefined(env);
}

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
      {"describe", describe},       {"createExecutor", create_executor}, {"executorPath", executor_path},
      {"allocate", allocate},       {"write", write},                    {"read", read},
      {"freeBuffer", free_buffer},  {"load", load},                      {"bind", bind},
      {"run", run},                 {"cancel", cancel},                  {"readTensor", read_tensor},
      {"profile", profile},         {"freeProgram", free_program},     {"scratchBytes", scratch_bytes},
      {"openLibrary", open_library},
  };
  for (const auto& function : functions) {
    napi_value value;
    napi_create_function(env, function.name, NAPI_AUTO_LENGTH, function.callback, environment, &value);
    napi_set_named_property(env, exports, function.name, value);
  }
  return exports;
}

}  // namespace

NAPI_MODULE(espalier_kernels, initialise)
