#include "executor/deferred.h"

#include <chrono>

namespace espalier {

namespace {

// FLOPs that a thread takes at a time: about 64k parameters of AdamW, some 40 microseconds.
constexpr double kClaimedWork = 1e6;
// As in thread_pool.cc: waits are short where another thread has the last tasks.
constexpr int kSpins = 1500;

int64_t now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

void Deferred::begin(const std::vector<Call>& calls, std::vector<std::shared_ptr<Memory>> memory, const void* owner, ThreadPool& pool) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    parts_ = std::vector<Part>(calls.size());
    int64_t left = 0;
    for (std::size_t i = 0; i < calls.size(); ++i) {
      Part& part = parts_[i];
      part.call = calls[i];
      part.num_tasks = calls[i].kernel->num_tasks(*calls[i].call);
      const double tasks = kClaimedWork * static_cast<double>(part.num_tasks) / (calls[i].work + 1);
      part.tasks_a_claim = tasks < 1 ? 1 : static_cast<int64_t>(tasks);
      if (part.num_tasks > 0) ++left;
      else part.done = true;
    }
    front_ = 0;
    memory_ = std::move(memory);
    if (left > 0) {
      for (const auto& each : memory_) each->touched_by(this);
    }
    owner_.store(owner, std::memory_order_relaxed);
    unfinished_.store(left, std::memory_order_release);
    unclaimed_.store(left, std::memory_order_release);
  }
  pool.wake_for_side_work();
}

bool Deferred::run_some() { return waiting() && run_some_of(0, SIZE_MAX); }

bool Deferred::run_some_of(std::size_t begin, std::size_t end) {
  std::unique_lock<std::mutex> lock(mutex_);
  end = end < parts_.size() ? end : parts_.size();
  while (front_ < parts_.size() && parts_[front_].claimed == parts_[front_].num_tasks) ++front_;
  begin = begin > front_ ? begin : front_;
  while (begin < end && parts_[begin].claimed == parts_[begin].num_tasks) ++begin;
  if (begin >= end) return false;
  Part& part = parts_[begin];
  const int64_t first = part.claimed;
  const int64_t left = part.num_tasks - first;
  const int64_t count = part.tasks_a_claim < left ? part.tasks_a_claim : left;
  part.claimed += count;
  if (++running_ == 1) counted_to_ = now();
  if (count == left) unclaimed_.fetch_sub(1, std::memory_order_release);
  lock.unlock();
  part.call.kernel->run(*part.call.call, first, first + count);
  lock.lock();
  --running_;
  const int64_t time = now();
  *part.call.nanoseconds += time - counted_to_;
  counted_to_ = time;
  part.finished += count;
  if (part.finished < part.num_tasks) return true;
  ++*part.call.calls;
  if (unfinished_.load(std::memory_order_relaxed) == 1) {
    for (const auto& each : memory_) each->touched_by(nullptr);
    memory_.clear();
  }
  part.done.store(true, std::memory_order_release);
  unfinished_.fetch_sub(1, std::memory_order_release);
  lock.unlock();
  part_done_.notify_all();
  return true;
}

void Deferred::complete(const std::vector<int32_t>& calls, ThreadPool& pool) {
  struct Help {
    Deferred* deferred;
    const std::vector<int32_t>* calls;
  } help{this, &calls};
  bool all = true;
  for (const int32_t call : calls) all = all && done(static_cast<std::size_t>(call));
  if (all) return;
  pool.run(
      [](const void* pointer, int64_t, int64_t) {
        const Help& help = *static_cast<const Help*>(pointer);
        for (const int32_t call : *help.calls) {
          const auto at = static_cast<std::size_t>(call);
          while (help.deferred->run_some_of(at, at + 1)) {}
        }
      },
      &help, pool.num_threads());
  for (const int32_t call : calls) {
    const auto at = static_cast<std::size_t>(call);
    for (int i = 0; i < kSpins && !done(at); ++i) pause_briefly();
    if (done(at)) continue;
    std::unique_lock<std::mutex> lock(mutex_);
    part_done_.wait(lock, [&] { return done(at); });
  }
}

void Deferred::complete_all(ThreadPool& pool) {
  if (!pending()) return;
  std::vector<int32_t> calls(parts_.size());
  for (std::size_t i = 0; i < calls.size(); ++i) calls[i] = static_cast<int32_t>(i);
  complete(calls, pool);
}

void Deferred::wait() {
  if (!pending()) return;
  std::unique_lock<std::mutex> lock(mutex_);
  part_done_.wait(lock, [this] { return !pending(); });
}

}  // namespace espalier
