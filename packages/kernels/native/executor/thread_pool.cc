#include "executor/thread_pool.h"

#include "executor/denormals.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace espalier {

namespace {
constexpr uint64_t kTaskBits = 32;
constexpr uint64_t kTaskMask = (uint64_t(1) << kTaskBits) - 1;
// About 20 to 40 microseconds: longer than the serial gap between two parallel ops of a small model, shorter than a
// time slice. Spinning longer takes the core from whoever else wants it.
constexpr int kSpins = 1500;
}  // namespace

void pause_briefly() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

ThreadPool::ThreadPool(int num_threads, SideWork* side_work) : side_work_(side_work) {
  for (int i = 1; i < num_threads; ++i) threads_.emplace_back([this, i] { work(i == 1); });
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  job_begins_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::run(Run run, const void* context, int64_t num_tasks) {
  if (num_tasks <= 0) return;
  if (threads_.empty() || num_tasks == 1) {
    run(context, 0, num_tasks);
    return;
  }
  const int64_t chunks = static_cast<int64_t>(threads_.size() + 1) * kChunksPerThread;
  // Close the finished job before its fields change: a late thread that reads new fields then fails its claim.
  const uint64_t closed = ((ticket_.load(std::memory_order_relaxed) >> kTaskBits) + 1) & kTaskMask;
  ticket_.store((closed << kTaskBits) | kTaskMask, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  run_.store(run, std::memory_order_relaxed);
  context_.store(context, std::memory_order_relaxed);
  num_tasks_.store(num_tasks, std::memory_order_relaxed);
  chunk_.store(num_tasks > chunks ? num_tasks / chunks : 1, std::memory_order_relaxed);
  done_.store(0, std::memory_order_relaxed);
  const uint64_t epoch = (closed + 1) & kTaskMask;
  ticket_.store(epoch << kTaskBits, std::memory_order_seq_cst);
  if (parked_.load(std::memory_order_seq_cst) > 0) {
    { std::lock_guard<std::mutex> lock(mutex_); }
    job_begins_.notify_all();
  }
  take_tasks(epoch);
  for (int i = 0; i < kSpins; ++i) {
    if (done_.load(std::memory_order_acquire) == num_tasks) return;
    pause_briefly();
  }
  std::unique_lock<std::mutex> lock(mutex_);
  caller_parked_.store(true, std::memory_order_seq_cst);
  job_ends_.wait(lock, [&] { return done_.load(std::memory_order_seq_cst) == num_tasks; });
  caller_parked_.store(false, std::memory_order_relaxed);
}

void ThreadPool::take_tasks(uint64_t epoch) {
  uint64_t ticket = ticket_.load(std::memory_order_acquire);
  while (ticket >> kTaskBits == epoch) {
    const Run run = run_.load(std::memory_order_relaxed);
    const void* context = context_.load(std::memory_order_relaxed);
    const int64_t num_tasks = num_tasks_.load(std::memory_order_relaxed);
    const int64_t begin = static_cast<int64_t>(ticket & kTaskMask);
    if (begin >= num_tasks) return;
    const int64_t left = num_tasks - begin;
    const int64_t chunk = chunk_.load(std::memory_order_relaxed);
    const int64_t end = begin + (chunk < left ? chunk : left);
    // Success proves that the job was current from the load of the ticket to here, so the fields read belong to it.
    std::atomic_thread_fence(std::memory_order_acquire);
    if (!ticket_.compare_exchange_weak(ticket, (epoch << kTaskBits) | static_cast<uint64_t>(end),
                                       std::memory_order_acq_rel, std::memory_order_acquire)) {
      continue;
    }
    run(context, begin, end);
    if (done_.fetch_add(end - begin, std::memory_order_seq_cst) + (end - begin) == num_tasks &&
        caller_parked_.load(std::memory_order_seq_cst)) {
      { std::lock_guard<std::mutex> lock(mutex_); }
      job_ends_.notify_one();
    }
    ticket = ticket_.load(std::memory_order_acquire);
  }
}

void ThreadPool::wake_for_side_work() {
  { std::lock_guard<std::mutex> lock(mutex_); }
  job_begins_.notify_all();
}

bool ThreadPool::wait_for_work(uint64_t seen, bool side_work_first) {
  const auto begun = [&] { return ticket_.load(std::memory_order_seq_cst) >> kTaskBits != seen; };
  const auto side_work = [&] { return side_work_ && side_work_->waiting(); };
  for (int i = 0; i < kSpins; ++i) {
    if (begun() || (side_work_first && side_work())) return true;
    pause_briefly();
  }
  while (side_work() && !begun()) side_work_->run_some();
  std::unique_lock<std::mutex> lock(mutex_);
  parked_.fetch_add(1, std::memory_order_seq_cst);
  job_begins_.wait(lock, [&] { return begun() || stopping_.load() || side_work(); });
  parked_.fetch_sub(1, std::memory_order_relaxed);
  return !stopping_.load();
}

void ThreadPool::work(bool side_work_first) {
  flush_denormals_on_this_thread();
  uint64_t seen = 0;
  while (wait_for_work(seen, side_work_first)) {
    while (side_work_first && side_work_ && side_work_->run_some()) {}
    seen = ticket_.load(std::memory_order_acquire) >> kTaskBits;
    take_tasks(seen);
  }
}

}  // namespace espalier
