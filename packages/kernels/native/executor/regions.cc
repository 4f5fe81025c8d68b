// regions.cc -- see regions.h.
#include "executor/regions.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>
#include <utility>

#include "executor/program.h"

namespace espalier {

namespace {

constexpr std::size_t kMostJoined = 64;
constexpr std::size_t kMostMixed = 8;
// About a millisecond on two cores. To wake and await the pool is a small part of longer calls, and their own times are
// worth knowing: times in a region are shared out by work.
constexpr double kMostMixedWork = 1.5e8;

std::size_t scratch_of(const OpKernel& kernel, const OpCall& call) {
  return kernel.scratch_bytes ? (kernel.scratch_bytes(call) + 63) / 64 * 64 : 0;
}

}  // namespace

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

std::size_t Program::end_of_one_op(std::size_t begin, std::size_t last) const {
  std::size_t end = begin + 1;
  const auto fits = [&](const Instruction& next) {
    if (next.kernel != instructions_[begin].kernel || !joinable(*next.kernel)) return false;
    for (std::size_t i = begin; i < end; ++i) {
      if (touch(instructions_[i].call, next.call)) return false;
    }
    return true;
  };
  while (end < last && end - begin < kMostJoined && fits(instructions_[end])) ++end;
  return end;
}

// Calls of a region have scratch memory beside each other, of which a program takes no more than its greediest call.
std::size_t Program::end_of_several_ops(std::size_t begin, std::size_t last) const {
  std::size_t end = begin, scratch = 0;
  double work = 0;
  const auto fits = [&](const Instruction& next) {
    if (work + next.work > kMostMixedWork || scratch + scratch_of(*next.kernel, next.call) > scratch_bytes_) return false;
    for (std::size_t i = begin; i < end; ++i) {
      if (touch(instructions_[i].call, next.call)) return false;
    }
    return true;
  };
  while (end < last && end - begin < kMostMixed && fits(instructions_[end])) {
    work += instructions_[end].work;
    scratch += scratch_of(*instructions_[end].kernel, instructions_[end].call);
    ++end;
  }
  return end > begin ? end : begin + 1;
}

std::shared_ptr<void> Program::regions() {
  static std::atomic<uint64_t> last_number{0};
  auto regions = std::make_shared<Regions>();
  regions->number = ++last_number;
  regions->deferred_from = deferrable_from();
  regions->order.resize(instructions_.size() - regions->deferred_from);
  std::iota(regions->order.begin(), regions->order.end(), 0);
  regions->ends.resize(instructions_.size());
  for (std::size_t begin = 0; begin < instructions_.size();) {
    const std::size_t last = begin < regions->deferred_from ? regions->deferred_from : instructions_.size();
    std::size_t end = end_of_one_op(begin, last);
    if (executor_->num_threads() > 1) end = std::max(end, end_of_several_ops(begin, last));
    regions->ends[begin] = end;
    std::size_t scratch = 0;
    for (std::size_t i = begin; i < end; ++i) {
      Instruction& at = instructions_[i];
      at.call.scratch = seen_scratch_ + scratch;
      scratch += scratch_of(*at.kernel, at.call);
    }
    begin = end;
  }
  return regions;
}

void Program::run_region(std::size_t begin, std::size_t end) {
  if (end - begin == 1) return run_instruction(instructions_[begin]);
  double work = 0;
  bool one_op = joinable(*instructions_[begin].kernel);
  for (std::size_t i = begin; i < end; ++i) {
    work += instructions_[i].work;
    one_op = one_op && instructions_[i].kernel == instructions_[begin].kernel;
  }
  if (work < executor_->parallel_grain()) {
    for (std::size_t i = begin; i < end; ++i) run_instruction(instructions_[i]);
  } else if (one_op) {
    run_joined(begin, end);
  } else {
    run_mixed(begin, end);
  }
}

void Program::run_joined(std::size_t begin, std::size_t end) {
  struct Joined {
    const Instruction* instructions;
    std::size_t count;
    int64_t task_ends[kMostJoined];
  };
  Joined joined{&instructions_[begin], end - begin, {}};
  int64_t num_tasks = 0;
  for (std::size_t i = 0; i < joined.count; ++i) {
    const Instruction& at = joined.instructions[i];
    num_tasks += at.kernel->num_tasks(at.call);
    joined.task_ends[i] = num_tasks;
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
  executor_->pool().run(run, &joined, num_tasks);
}

void Program::run_mixed(std::size_t begin, std::size_t end) {
  struct Part {
    const Instruction* instruction;
    int64_t tasks, pieces;
  };
  struct Mixed {
    int32_t stage;
    std::size_t count;
    Part parts[kMostMixed];
  };
  // Piece `piece` of all: some tasks of one call.
  const ThreadPool::Run run = [](const void* pointer, int64_t piece_begin, int64_t piece_end) {
    const Mixed& mixed = *static_cast<const Mixed*>(pointer);
    int64_t first = 0;  // of the call's pieces
    for (std::size_t i = 0; i < mixed.count && first < piece_end; first += mixed.parts[i++].pieces) {
      const Part& part = mixed.parts[i];
      const int64_t from = std::max(piece_begin, first) - first, to = std::min(piece_end, first + part.pieces) - first;
      if (from >= to) continue;
      const int64_t task_begin = part.tasks * from / part.pieces, task_end = part.tasks * to / part.pieces;
      const OpKernel& kernel = *part.instruction->kernel;
      if (kernel.num_stages) kernel.run_stage(part.instruction->call, mixed.stage, task_begin, task_end);
      else kernel.run(part.instruction->call, task_begin, task_end);
    }
  };
  const double pieces_at_once = static_cast<double>(executor_->pool().num_threads() * ThreadPool::kChunksPerThread);
  bool more = true;
  for (int32_t stage = 0; more; ++stage) {
    Mixed mixed{stage, 0, {}};
    double work = 0;
    more = false;
    for (std::size_t i = begin; i < end; ++i) {
      const Instruction& at = instructions_[i];
      const int32_t stages = at.kernel->num_stages ? at.kernel->num_stages(at.call) : 1;
      more = more || stages > stage + 1;
      if (stages <= stage) continue;
      const int64_t tasks = at.kernel->num_stages ? at.kernel->stage_tasks(at.call, stage) : at.kernel->num_tasks(at.call);
      if (tasks <= 0) continue;
      mixed.parts[mixed.count++] = {&at, tasks, 0};
      work += at.work;
    }
    // By work, so that a call of many short tasks does not have the pool hand out those of another one by the handful.
    int64_t num_pieces = 0;
    for (std::size_t i = 0; i < mixed.count; ++i) {
      Part& part = mixed.parts[i];
      const int64_t share = work > 0 ? std::llround(pieces_at_once * part.instruction->work / work) : 1;
      part.pieces = std::min(part.tasks, std::max<int64_t>(1, share));
      num_pieces += part.pieces;
    }
    executor_->pool().run(run, &mixed, num_pieces);
  }
  for (std::size_t i = begin; i < end; ++i) {
    if (instructions_[i].kernel->finish) instructions_[i].kernel->finish(instructions_[i].call);
  }
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

}  // namespace espalier
