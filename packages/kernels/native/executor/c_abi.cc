// c_abi.cc -- espalier.h over the classes of this folder: checks struct sizes, turns failures into statuses.
#include <memory>
#include <new>
#include <string>

#include "espalier.h"
#include "executor/device.h"
#include "executor/executor.h"
#include "executor/instruction_path.h"
#include "executor/memory.h"
#include "executor/program.h"
#include "executor/status.h"

struct EspalierExecutor {
  std::shared_ptr<espalier::Executor> executor;
};
struct EspalierBuffer {
  std::shared_ptr<espalier::Memory> memory;
  std::size_t bytes;
};
struct EspalierProgram {
  std::unique_ptr<espalier::Program> program;
};

namespace {

using espalier::Failure;

thread_local std::string last_error;
thread_local int64_t last_instruction = -1;

int32_t failed(int32_t status, const char* message, int64_t instruction = -1) {
  last_error = message;
  last_instruction = instruction;
  return status;
}

// Runs `body` and returns its status; nothing thrown passes.
template <class Body>
int32_t guarded(Body body) {
  try {
    body();
    return ESPALIER_OK;
  } catch (const Failure& failure) {
    return failed(failure.status, failure.message.c_str(), failure.instruction);
  } catch (const std::bad_alloc&) {
    return failed(ESPALIER_OUT_OF_MEMORY, "there is not enough memory.");
  } catch (...) {
    return failed(ESPALIER_INTERNAL, "an unexpected exception was thrown.");
  }
}

template <class Spec>
void expect_size(const Spec& spec, const char* name) {
  if (spec.struct_size < sizeof(Spec)) {
    throw Failure{ESPALIER_BAD_ARGUMENT, std::string(name) + ": struct_size is " + std::to_string(spec.struct_size) +
                  ", expected " + std::to_string(sizeof(Spec)) + ". Caller and library are of different versions."};
  }
}

void expect_range(const EspalierBuffer* buffer, int64_t offset, int64_t bytes) {
  const int64_t size = static_cast<int64_t>(buffer->bytes);
  if (offset < 0 || bytes < 0 || offset > size || bytes > size - offset) {
    throw Failure{ESPALIER_BAD_ARGUMENT, "bytes " + std::to_string(offset) + " to " + std::to_string(offset + bytes) +
                  " are outside the buffer of " + std::to_string(size) + "."};
  }
}

// Waits for what the last runs have left to be done.
void settle(const EspalierBuffer* buffer) {
  if (espalier::Deferred* const deferred = buffer->memory->deferred()) deferred->wait();
}

}  // namespace

const char* espalier_last_error(void) { return last_error.c_str(); }
int64_t espalier_last_error_instruction(void) { return last_instruction; }

int32_t espalier_has_instruction_path(const char* name) { return espalier::find_instruction_path(name) ? 1 : 0; }

const char* espalier_op_list(void) {
  static const std::string list = [] {
    std::string text;
    const espalier::OpTable& table = espalier::plainest_op_table();
    for (int32_t i = 0; i < table.count; ++i) {
      if (!table.kernels[i]) continue;
      text += (text.empty() ? "" : ";") + std::string(table.kernels[i]->name) + "(" + table.kernels[i]->attributes + ")";
    }
    return text;
  }();
  return list.c_str();
}

const char* espalier_device_summary(void) { return espalier::device_summary(); }
int32_t espalier_collectives_check(void) { return guarded([] { espalier::check_collectives(); }); }

int32_t espalier_executor_create(const EspalierExecutorOptions* options, EspalierExecutor** executor) {
  return guarded([&] {
    expect_size(*options, "EspalierExecutorOptions");
    if (options->num_threads < 1 || options->num_threads > 4096) {
      throw Failure{ESPALIER_BAD_ARGUMENT, "num_threads is " + std::to_string(options->num_threads) + ", expected 1 to 4096."};
    }
    const espalier::InstructionPath* path = espalier::find_instruction_path(options->instruction_path);
    if (!path) {
      throw Failure{ESPALIER_UNSUPPORTED, options->instruction_path
                                              ? std::string("instruction path \"") + options->instruction_path + "\" is not available on this machine."
                                              : std::string("no device to run on: ") + espalier::device_summary()};
    }
    auto made = std::make_shared<espalier::Executor>(static_cast<int>(options->num_threads), *path,
                                                     options->parallel_grain);
    *executor = new EspalierExecutor{std::move(made)};
  });
}

const char* espalier_executor_instruction_path(const EspalierExecutor* executor) { return executor->executor->path().name; }
void espalier_executor_release(EspalierExecutor* executor) { delete executor; }
void espalier_executor_stop(EspalierExecutor* executor) { executor->executor->stop(); }

int32_t espalier_buffer_allocate(EspalierExecutor*, int64_t bytes, EspalierBuffer** buffer) {
  return guarded([&] {
    if (bytes < 0) throw Failure{ESPALIER_BAD_ARGUMENT, "the size of a buffer cannot be negative."};
    auto memory = std::make_shared<espalier::Memory>(static_cast<std::size_t>(bytes));
    if (!memory->data()) throw std::bad_alloc();
    *buffer = new EspalierBuffer{std::move(memory), static_cast<std::size_t>(bytes)};
  });
}

int32_t espalier_buffer_write(EspalierBuffer* buffer, int64_t offset, const void* source, int64_t bytes) {
  return guarded([&] {
    expect_range(buffer, offset, bytes);
    settle(buffer);
    if (bytes) espalier::device_write(buffer->memory->data() + offset, source, static_cast<std::size_t>(bytes));
  });
}

int32_t espalier_buffer_read(const EspalierBuffer* buffer, int64_t offset, void* target, int64_t bytes) {
  return guarded([&] {
    expect_range(buffer, offset, bytes);
    settle(buffer);
    if (bytes) espalier::device_read(target, buffer->memory->data() + offset, static_cast<std::size_t>(bytes));
  });
}

void espalier_buffer_release(EspalierBuffer* buffer) { delete buffer; }

int32_t espalier_program_load(EspalierExecutor* executor, const EspalierProgramSpec* spec, EspalierProgram** program) {
  return guarded([&] {
    expect_size(*spec, "EspalierProgramSpec");
    for (int64_t i = 0; i < spec->num_tensors; ++i) expect_size(spec->tensors[i], "EspalierTensorSpec");
    for (int64_t i = 0; i < spec->num_instructions; ++i) expect_size(spec->instructions[i], "EspalierInstructionSpec");
    *program = new EspalierProgram{std::make_unique<espalier::Program>(executor->executor, *spec)};
  });
}

int64_t espalier_program_scratch_bytes(const EspalierProgram* program) {
  return static_cast<int64_t>(program->program->scratch_bytes());
}

int32_t espalier_program_bind(EspalierProgram* program, int64_t tensor, EspalierBuffer* buffer) {
  return guarded([&] { program->program->bind(tensor, buffer->memory); });
}

int32_t espalier_program_submit(EspalierProgram* program, const void* runtime, int64_t runtime_bytes, void* output,
                                int64_t output_bytes, EspalierDone done, void* context) {
  return guarded([&] {
    program->program->submit({nullptr, 0, runtime, output, done, context}, runtime_bytes, output_bytes);
  });
}

void espalier_program_cancel(EspalierProgram* program) { program->program->cancel(); }

int32_t espalier_program_read_tensor(EspalierProgram* program, int64_t tensor, void* target, int64_t bytes) {
  return guarded([&] { program->program->read_tensor(tensor, target, bytes); });
}

int32_t espalier_program_profile(EspalierProgram* program, double* seconds, int64_t* calls, int64_t num_instructions) {
  return guarded([&] { program->program->profile(seconds, calls, num_instructions); });
}

void espalier_program_release(EspalierProgram* program) { delete program; }
