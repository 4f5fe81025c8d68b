// run_cpu.cc -- what differs between devices, for the CPU: copies are copies, and a run has ended when it has begun.
#include <chrono>
#include <cstring>

#include "executor/device.h"
#include "executor/program.h"

namespace espalier {

std::shared_ptr<void> open_device(int) { return nullptr; }
std::size_t runs_under_way() { return 1; }
bool stores_bf16() { return false; }
const char* device_summary() { return "the processor"; }

void device_write(void* target, const void* source, std::size_t bytes) { std::memcpy(target, source, bytes); }
void device_read(void* target, const void* source, std::size_t bytes) { std::memcpy(target, source, bytes); }

void Program::begin(const Job& job) {
  point_at_memory();
  executor_->last_program = this;
  if (runtime_bytes_) std::memcpy(runtime_.data(), job.runtime, static_cast<std::size_t>(runtime_bytes_));
  auto before = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < instructions_.size(); ++i) {
    expect_not_cancelled(job, static_cast<int64_t>(i));
    run_instruction(instructions_[i]);
    const auto after = std::chrono::steady_clock::now();
    nanoseconds_[i] += std::chrono::duration_cast<std::chrono::nanoseconds>(after - before).count();
    ++calls_[i];
    before = after;
  }
  if (output_bytes_) std::memcpy(job.output, output_.data(), static_cast<std::size_t>(output_bytes_));
}

void Program::run_instruction(const Instruction& at) {
  struct Stage {
    const Instruction* instruction;
    int32_t number;
  };
  const int32_t num_stages = at.kernel->num_stages ? at.kernel->num_stages(at.call) : 1;
  for (int32_t stage = 0; stage < num_stages; ++stage) {
    const Stage context{&at, stage};
    const int64_t num_tasks =
        at.kernel->num_stages ? at.kernel->stage_tasks(at.call, stage) : at.kernel->num_tasks(at.call);
    const ThreadPool::Run run = [](const void* pointer, int64_t task_begin, int64_t task_end) {
      const Stage& stage = *static_cast<const Stage*>(pointer);
      const OpKernel& kernel = *stage.instruction->kernel;
      if (kernel.num_stages) kernel.run_stage(stage.instruction->call, stage.number, task_begin, task_end);
      else kernel.run(stage.instruction->call, task_begin, task_end);
    };
    if (at.parallel) executor_->pool().run(run, &context, num_tasks);
    else if (num_tasks > 0) run(&context, 0, num_tasks);
  }
  if (at.kernel->finish) at.kernel->finish(at.call);
}

void Program::finish(const Job&) {}

}  // namespace espalier
