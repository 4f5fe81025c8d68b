// run_cpu.cc -- what differs between devices, for the CPU: copies are copies, and a run has ended when it has begun.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <numeric>
#include <vector>

#include "executor/device.h"
#include "executor/program.h"
#include "executor/status.h"

namespace espalier {

std::shared_ptr<void> open_device(int) { return nullptr; }
std::size_t runs_under_way() { return 1; }
bool stores_bf16() { return false; }
const char* device_summary() { return "the processor"; }

void check_collectives() {
  throw Failure{ESPALIER_UNSUPPORTED, "collectives: the CPU kernels have none, expected the CUDA kernels. Load their library."};
}

void device_write(void* target, const void* source, std::size_t bytes) { std::memcpy(target, source, bytes); }
void device_read(void* target, const void* source, std::size_t bytes) { std::memcpy(target, source, bytes); }

namespace {

// A deferred call, counted from the first one, that an instruction of another program must come after: all of it, or the
// tasks that write rows of input `rows_of` which the instruction reads.
struct After {
  int32_t call;
  int32_t rows_of = -1;
};

// Consecutive calls of one op that do not touch what another of them writes run as one region: their tasks are numbered
// through and shared among the threads together, so a step's AdamW over all parameters wakes and awaits the pool once.
struct Regions {
  std::vector<std::size_t> ends;  // of the region that begins at an instruction
  std::size_t deferred_from;      // instructions from here on are left to executor/deferred.h
  uint64_t number;                // no other program's, or binding's
  // Of each instruction of a program that runs while instructions of another one are deferred: which of those it must come
  // after. Kept for one other program.
  uint64_t after_number = 0;
  std::vector<std::vector<After>> after;
  // Deferred instructions in the order in which the program that came behind them last time needs them.
  std::vector<int32_t> order;
};

constexpr std::size_t kMostJoined = 64;
// Times the grain of parallel work: 6M parameters of AdamW, some milliseconds. Less is not worth tracking.
constexpr double kFewestDeferredGrains = 500;

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

bool touch(const OpCall& a, const OpCall& b) { return writes_into(a, b) || writes_into(b, a); }

// The two touch in one place alone: `later` reads rows of what tasks of `earlier` write.
bool only_rows_read(const OpKernel& earlier_kernel, const OpCall& earlier, const OpKernel& later_kernel, const OpCall& later) {
  const int32_t table = later_kernel.rows_read_of;
  if (table < 0 || !earlier_kernel.elements_a_task || writes_into(later, earlier)) return false;
  for (int32_t i = 0; i < earlier.num_outputs; ++i) {
    const TensorView& written = earlier.outputs[i];
    for (int32_t j = 0; j < later.num_inputs; ++j) {
      const TensorView& read = later.inputs[j];
      if (overlap(written, read) && (j != table || written.data != read.data || written.count != read.count)) return false;
    }
  }
  return true;
}

// The parts of a deferred call that write rows which `call` reads.
void add_parts_of_rows(std::vector<Deferred::Parts>& parts, const Deferred& deferred, int32_t earlier, int64_t elements_a_task,
                       const OpCall& call, int32_t rows_of) {
  const TensorView& table = call.inputs[rows_of];
  const TensorView& ids = call.inputs[0];
  const int64_t width = table.last(), rows = table.rows();
  if (table.count == 0) return;
  for (int64_t i = 0; i < ids.count; ++i) {
    const int64_t id = ids.i32()[i], row = id >= 0 && id < rows ? id : 0;
    parts.push_back(deferred.parts_of_tasks(earlier, row * width / elements_a_task, (row * width + width - 1) / elements_a_task + 1));
  }
}

}  // namespace

// The last calls of a program, if they are independent of each other and nobody can miss what they write at the end of a run:
// they touch nothing but owned tensors and what is this program's own until it runs again.
std::size_t Program::deferrable_from() const {
  std::size_t from = instructions_.size();
  double work = 0;
  const auto fits = [&](const Instruction& at) {
    if (!joinable(*at.kernel)) return false;
    for (const int64_t id : at.inputs) {
      if (tensor_at(id).region == ESPALIER_REGION_ARENA) return false;
    }
    for (const int64_t id : at.outputs) {
      if (tensor_at(id).region != ESPALIER_REGION_OWNED) return false;
    }
    for (std::size_t i = from; i < instructions_.size(); ++i) {
      if (touch(instructions_[i].call, at.call)) return false;
    }
    return true;
  };
  while (from > 0 && fits(instructions_[from - 1])) work += instructions_[--from].work;
  const bool worth_it = executor_->num_threads() > 1 && work >= kFewestDeferredGrains * executor_->parallel_grain();
  return worth_it ? from : instructions_.size();
}

void Program::defer(std::size_t begin) {
  std::vector<Deferred::Call> calls;
  std::vector<std::shared_ptr<Memory>> memory;
  for (std::size_t i = begin; i < instructions_.size(); ++i) {
    const Instruction& at = instructions_[i];
    calls.push_back({at.kernel, &at.call, at.work, &nanoseconds_[i], &calls_[i]});
    for (const auto* ids : {&at.inputs, &at.outputs}) {
      for (const int64_t id : *ids) {
        if (const auto& owned = in_use_[static_cast<std::size_t>(id)]) memory.push_back(owned);
      }
    }
  }
  const Regions& regions = *static_cast<const Regions*>(device_state_.get());
  executor_->deferred().begin(calls, regions.order, std::move(memory), this, executor_->pool());
}

std::shared_ptr<void> Program::regions() const {
  static std::atomic<uint64_t> last_number{0};
  auto regions = std::make_shared<Regions>();
  regions->number = ++last_number;
  regions->deferred_from = deferrable_from();
  regions->order.resize(instructions_.size() - regions->deferred_from);
  std::iota(regions->order.begin(), regions->order.end(), 0);
  regions->ends.resize(instructions_.size());
  for (std::size_t begin = 0; begin < instructions_.size();) {
    std::size_t end = begin + 1;
    const auto fits = [&](const Instruction& next) {
      if (next.kernel != instructions_[begin].kernel || !joinable(*next.kernel)) return false;
      for (std::size_t i = begin; i < end; ++i) {
        if (touch(instructions_[i].call, next.call)) return false;
      }
      return true;
    };
    const std::size_t last = begin < regions->deferred_from ? regions->deferred_from : instructions_.size();
    while (end < last && end - begin < kMostJoined && fits(instructions_[end])) ++end;
    regions->ends[begin] = end;
    begin = end;
  }
  return regions;
}

void Program::learn_order_after_deferred() {
  const Program& other = *static_cast<const Program*>(executor_->deferred().owner());
  Regions& deferred = *static_cast<Regions*>(other.device_state_.get());
  Regions& regions = *static_cast<Regions*>(device_state_.get());
  if (regions.after_number == deferred.number) return;
  regions.after_number = deferred.number;
  regions.after.assign(instructions_.size(), {});
  std::vector<std::size_t> needed_at(deferred.order.size(), instructions_.size());  // by an instruction, as a whole
  for (std::size_t i = instructions_.size(); i-- > 0;) {
    const Instruction& at = instructions_[i];
    for (std::size_t j = 0; j < needed_at.size(); ++j) {
      const Instruction& earlier = other.instructions_[deferred.deferred_from + j];
      if (!touch(at.call, earlier.call)) continue;
      After after{static_cast<int32_t>(j)};
      if (only_rows_read(*earlier.kernel, earlier.call, *at.kernel, at.call)) after.rows_of = at.kernel->rows_read_of;
      else needed_at[j] = i;
      regions.after[i].push_back(after);
    }
  }
  std::stable_sort(deferred.order.begin(), deferred.order.end(), [&](int32_t a, int32_t b) {
    return needed_at[static_cast<std::size_t>(a)] < needed_at[static_cast<std::size_t>(b)];
  });
}

void Program::complete_before(std::size_t begin, std::size_t end) {
  Deferred& deferred = executor_->deferred();
  const Regions& regions = *static_cast<const Regions*>(device_state_.get());
  std::vector<Deferred::Parts> parts;
  for (std::size_t i = begin; i < end; ++i) {
    for (const After& after : regions.after[i]) {
      if (deferred.done(after.call)) continue;
      if (after.rows_of < 0) {
        parts.push_back(deferred.parts_of(after.call));
        continue;
      }
      const Program& other = *static_cast<const Program*>(deferred.owner());
      const std::size_t from = static_cast<const Regions*>(other.device_state_.get())->deferred_from;
      const Instruction& earlier = other.instructions_[from + static_cast<std::size_t>(after.call)];
      add_parts_of_rows(parts, deferred, after.call, earlier.kernel->elements_a_task(earlier.call), instructions_[i].call, after.rows_of);
    }
  }
  deferred.complete(parts, executor_->pool());
}

void Program::begin(const Job& job) {
  Deferred& deferred = executor_->deferred();
  if (deferred.pending_of(this)) deferred.complete_all(executor_->pool());  // it reads what this run is about to change
  if (point_at_memory() || !device_state_) device_state_ = regions();
  const Regions& regions = *static_cast<const Regions*>(device_state_.get());
  for (const auto& memory : in_use_) {
    Deferred* const touching = memory ? memory->deferred() : nullptr;
    if (touching && touching != &deferred) touching->wait();  // another executor's
  }
  if (deferred.pending()) learn_order_after_deferred();
  executor_->last_program = this;
  if (runtime_bytes_) std::memcpy(runtime_.data(), job.runtime, static_cast<std::size_t>(runtime_bytes_));
  auto before = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < regions.deferred_from;) {
    const std::size_t end = regions.ends[i];
    expect_not_cancelled(job, static_cast<int64_t>(i));
    if (deferred.pending()) {
      complete_before(i, end);
      before = std::chrono::steady_clock::now();
    }
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
  if (regions.deferred_from < instructions_.size()) {
    expect_not_cancelled(job, static_cast<int64_t>(regions.deferred_from));
    deferred.complete_all(executor_->pool());
    defer(regions.deferred_from);
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
