// run_cpu.cc -- what differs between devices, for the CPU: copies are copies, and a run has ended when it has begun.
#include <chrono>
#include <cstring>
#include <vector>

#include "executor/device.h"
#include "executor/program.h"

namespace espalier {

std::shared_ptr<void> open_device(int) { return nullptr; }
std::size_t runs_under_way() { return 1; }
bool stores_bf16() { return false; }
const char* device_summary() { return "the processor"; }

void device_write(void* target, const void* source, std::size_t bytes) { std::memcpy(target, source, bytes); }
void device_read(void* target, const void* source, std::size_t bytes) { std::memcpy(target, source, bytes); }

namespace {

// Consecutive calls of one op that do not touch what another of them writes run as one region: their tasks are numbered
// through and shared among the threads together, so a step's AdamW over all parameters wakes and awaits the pool once.
struct Regions {
  std::vector<std::size_t> ends;  // of the region that begins at an instruction
};

constexpr std::size_t kMostJoined = 64;

bool joinable(const OpKernel& kernel) {
  return kernel.num_tasks && !kernel.num_stages && !kernel.finish && !kernel.scratch_bytes;
}

bool overlap(const TensorView& a, const TensorView& b) {
  constexpr int64_t kElementBytes = 4;
  const char* const a_begin = static_cast<const char*>(a.data);
  const char* const b_begin = static_cast<const char*>(b.data);
  return a_begin < b_begin + b.count * kElementBytes && b_begin < a_begin + a.count * kElementBytes;
}

bool writes_into(const OpCall& writer, const OpCall& other) {
  for (int32_t i = 0; i < writer.num_outputs; ++i) {
    for (int32_t j = 0; j < other.num_inputs; ++j) {
      if (overlap(writer.outputs[i], other.inputs[j])) return true;
    }
    for (int32_t j = 0; j < other.num_outputs; ++j) {
      if (overlap(writer.outputs[i], other.outputs[j])) return true;
    }
  }
  return false;
}

}  // namespace

std::shared_ptr<void> Program::regions() const {
  auto regions = std::make_shared<Regions>();
  regions->ends.resize(instructions_.size());
  for (std::size_t begin = 0; begin < instructions_.size();) {
    std::size_t end = begin + 1;
    const auto fits = [&](const Instruction& next) {
      if (next.kernel != instructions_[begin].kernel || !joinable(*next.kernel)) return false;
      for (std::size_t i = begin; i < end; ++i) {
        if (writes_into(instructions_[i].call, next.call) || writes_into(next.call, instructions_[i].call)) return false;
      }
      return true;
    };
    while (end < instructions_.size() && end - begin < kMostJoined && fits(instructions_[end])) ++end;
    regions->ends[begin] = end;
    begin = end;
  }
  return regions;
}

void Program::begin(const Job& job) {
  if (point_at_memory() || !device_state_) device_state_ = regions();
  const Regions& regions = *static_cast<const Regions*>(device_state_.get());
  executor_->last_program = this;
  if (runtime_bytes_) std::memcpy(runtime_.data(), job.runtime, static_cast<std::size_t>(runtime_bytes_));
  auto before = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < instructions_.size();) {
    const std::size_t end = regions.ends[i];
    expect_not_cancelled(job, static_cast<int64_t>(i));
    if (end - i > 1) run_joined(i, end);
    else run_instruction(instructions_[i]);
    const auto after = std::chrono::steady_clock::now();
    double work = 0;
    for (std::size_t k = i; k < end; ++k) work += instructions_[k].work;
    const double nanoseconds = static_cast<double>(std::chrono::duration_cast<std::chrono::nanoseconds>(after - before).count());
    for (; i < end; ++i) {  // what was measured together is shared out by work
      nanoseconds_[i] += static_cast<int64_t>(work > 0 ? nanoseconds * (instructions_[i].work / work) : nanoseconds / static_cast<double>(end - i));
      ++calls_[i];
    }
    before = after;
  }
  if (output_bytes_) std::memcpy(job.output, output_.data(), static_cast<std::size_t>(output_bytes_));
}

void Program::run_joined(std::size_t begin, std::size_t end) {
  struct Joined {
    const Instruction* instructions;
    std::size_t count;
    int64_t task_ends[kMostJoined];
  };
  Joined joined{&instructions_[begin], end - begin, {}};
  int64_t num_tasks = 0;
  double work = 0;
  for (std::size_t i = 0; i < joined.count; ++i) {
    const Instruction& at = joined.instructions[i];
    num_tasks += at.kernel->num_tasks(at.call);
    joined.task_ends[i] = num_tasks;
    work += at.work;
  }
  const ThreadPool::Run run = [](const void* pointer, int64_t task_begin, int64_t task_end) {
    const Joined& joined = *static_cast<const Joined*>(pointer);
    int64_t first = 0;  // of the instruction's tasks
    for (std::size_t i = 0; i < joined.count && first < task_end; first = joined.task_ends[i++]) {
      const int64_t from = task_begin > first ? task_begin : first;
      const int64_t to = task_end < joined.task_ends[i] ? task_end : joined.task_ends[i];
      const Instruction& at = joined.instructions[i];
      if (from < to) at.kernel->run(at.call, from - first, to - first);
    }
  };
  if (work >= executor_->parallel_grain()) executor_->pool().run(run, &joined, num_tasks);
  else if (num_tasks > 0) run(&joined, 0, num_tasks);
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
