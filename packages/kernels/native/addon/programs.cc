// programs.cc -- programs: loading, binding, reading, profiling, releasing.
#include <string>
#include <vector>

#include "addon/arguments.h"
#include "addon/functions.h"
#include "addon/handles.h"

namespace espalier {
namespace addon {

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

}  // namespace addon
}  // namespace espalier
