#include "executor/deferred.h"

#include <chrono>

namespace espalier {

namespace {

// FLOPs of a part, which a thread takes at a time: one task of AdamW, about 16k parameters or 10 microseconds. Larger ones would
// make an instruction that needs some rows of a table wait for many others.
constexpr double kWorkOfPart = 3e5;
// As in thread_pool.cc: waits are short where another thread has the last tasks.
constexpr int kSpins = 1500;

int64_t now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

void Deferred::begin(const std::vector<Call>& calls, const std::vector<int32_t>& order,
                     std::vector<std::shared_ptr<Memory>> memory, const void* owner, ThreadPool& pool) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    calls_ = std::vector<Pending>(calls.size());
    std::size_t num_parts = 0;
    int64_t left = 0;
    for (const int32_t number : order) {
      const Call& call = calls[static_cast<std::size_t>(number)];
      Pending& pending = calls_[static_cast<std::size_t>(number)];
      const int64_t num_tasks = call.kernel->num_tasks(*call.call);
      const double tasks = kWorkOfPart * static_cast<double>(num_tasks) / (call.work + 1);
      pending.call = call;
      pending.tasks_a_part = tasks < 1 ? 1 : static_cast<int64_t>(tasks);
      const int64_t count = (num_tasks + pending.tasks_a_part - 1) / pending.tasks_a_part;
      pending.parts = {num_parts, num_parts + static_cast<std::size_t>(count)};
      pending.unfinished.store(count, std::memory_order_relaxed);
      num_parts = pending.parts.end;
      if (count > 0) ++left;
    }
    parts_ = std::vector<Part>(num_parts);
    for (const int32_t number : order) {
      const Pending& pending = calls_[static_cast<std::size_t>(number)];
      const int64_t num_tasks = pending.call.kernel->num_tasks(*pending.call.call);
      int64_t task = 0;
      for (std::size_t at = pending.parts.begin; at < pending.parts.end; ++at, task += pending.tasks_a_part) {
        Part& part = parts_[at];
        part.call = number;
        part.task_begin = task;
        part.task_end = num_tasks - task < pending.tasks_a_part ? num_tasks : task + pending.tasks_a_part;
      }
    }
    front_ = 0;
    memory_ = std::move(memory);
    if (left > 0) {
      for (const auto& each : memory_) each->touched_by(this);
    }
    owner_.store(owner, std::memory_order_relaxed);
    unfinished_.store(left, std::memory_order_release);
    unclaimed_.store(static_cast<int64_t>(num_parts), std::memory_order_release);
  }
  pool.wake_for_side_work();
}

Deferred::Parts Deferred::parts_of_tasks(int32_t call, int64_t task_begin, int64_t task_end) const {
  const Pending& pending = calls_[static_cast<std::size_t>(call)];
  const std::size_t first = pending.parts.begin + static_cast<std::size_t>(task_begin / pending.tasks_a_part);
  const std::size_t end = pending.parts.begin + static_cast<std::size_t>((task_end + pending.tasks_a_part - 1) / pending.tasks_a_part);
  return {first, end < pending.parts.end ? end : pending.parts.end};
}

bool Deferred::run_some() { return waiting() && run_some_of({0, SIZE_MAX}); }

bool Deferred::run_some_of(Parts parts) {
  std::unique_lock<std::mutex> lock(mutex_);
  while (front_ < parts_.size() && parts_[front_].claimed) ++front_;
  const std::size_t end = parts.end < parts_.size() ? parts.end : parts_.size();
  std::size_t at = parts.begin > front_ ? parts.begin : front_;
  while (at < end && parts_[at].claimed) ++at;
  if (at >= end) return false;
  Part& part = parts_[at];
  Pending& of = calls_[static_cast<std::size_t>(part.call)];
  part.claimed = true;
  if (++running_ == 1) counted_to_ = now();
  unclaimed_.fetch_sub(1, std::memory_order_release);
  lock.unlock();
  of.call.kernel->run(*of.call.call, part.task_begin, part.task_end);
  lock.lock();
  --running_;
  const int64_t time = now();
  *of.call.nanoseconds += time - counted_to_;
  counted_to_ = time;
  const bool last_of_call = of.unfinished.load(std::memory_order_relaxed) == 1;
  if (last_of_call) {
    ++*of.call.calls;
    if (unfinished_.load(std::memory_order_relaxed) == 1) {
      for (const auto& each : memory_) each->touched_by(nullptr);
      memory_.clear();
    }
  }
  of.unfinished.fetch_sub(1, std::memory_order_release);
  if (last_of_call) unfinished_.fetch_sub(1, std::memory_order_release);
  part.done.store(true, std::memory_order_release);  // last: who has seen all parts done finds nothing pending
  lock.unlock();
  part_done_.notify_all();
  return true;
}

bool Deferred::done(Parts parts) const {
  for (std::size_t at = parts.begin; at < parts.end; ++at) {
    if (!parts_[at].done.load(std::memory_order_acquire)) return false;
  }
  return true;
}

void Deferred::complete(const std::vector<Parts>& needed, ThreadPool& pool) {
  struct Help {
    Deferred* deferred;
    const std::vector<Parts>* needed;
  } help{this, &needed};
  bool all = true;
  for (const Parts& parts : needed) all = all && done(parts);
  if (all) return;
  pool.run(
      [](const void* pointer, int64_t, int64_t) {
        const Help& help = *static_cast<const Help*>(pointer);
        for (const Parts& parts : *help.needed) {
          while (help.deferred->run_some_of(parts)) {}
        }
      },
      &help, pool.num_threads());
  for (const Parts& parts : needed) {
    for (int i = 0; i < kSpins && !done(parts); ++i) pause_briefly();
    if (done(parts)) continue;
    std::unique_lock<std::mutex> lock(mutex_);
    part_done_.wait(lock, [&] { return done(parts); });
  }
}

void Deferred::complete_all(ThreadPool& pool) {
  if (pending()) complete({{0, parts_.size()}}, pool);
}

void Deferred::wait() {
  if (!pending()) return;
  std::unique_lock<std::mutex> lock(mutex_);
  part_done_.wait(lock, [this] { return !pending(); });
}

}  // namespace espalier
