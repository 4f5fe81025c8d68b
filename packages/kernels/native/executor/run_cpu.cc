// run_cpu.cc -- what differs between devices, for the CPU: copies are copies, and a run has ended when it has begun.
#include <algorithm>
#include <chrono>
#include <cstring>
#include <vector>

#include "executor/device.h"
#include "executor/program.h"
#include "executor/regions.h"
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

// Times the grain of parallel work: 6M parameters of AdamW, some milliseconds. Less is not worth tracking.
constexpr double kFewestDeferredGrains = 500;

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
    run_region(i, end);
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

void Program::finish(const Job&) {}

}  // namespace espalier
