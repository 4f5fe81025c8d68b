// thread_pool.h -- the threads of one executor, sharing the tasks of one op at a time.
//
// The thread that calls `run` works too. Tasks are claimed in chunks from one atomic counter, so that a core which is
// busy elsewhere takes fewer of them; the caller waits for tasks, never for threads. Waiting threads spin briefly, then
// park. Who runs a task never changes its result.
#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace espalier {

// What threads do while the job of the moment does not need them.
class SideWork {
 public:
  // Takes a piece and runs it; false when none was left to take.
  virtual bool run_some() = 0;
  // There are pieces left to take.
  virtual bool waiting() const = 0;

 protected:
  ~SideWork() = default;
};

class ThreadPool {
 public:
  // Chunks per thread that tasks are claimed in: enough that a slowed core leaves work to the others, few enough that
  // claiming costs nothing.
  static constexpr int64_t kChunksPerThread = 8;

  using Run = void (*)(const void* context, int64_t task_begin, int64_t task_end);

  // `num_threads` counts the calling thread, so num_threads - 1 are started.
  // One of these does side work before it takes tasks of a job, the others rather than park: `side_work` may be null.
  explicit ThreadPool(int num_threads, SideWork* side_work = nullptr);
  ~ThreadPool();

  // The calling thread included.
  int num_threads() const { return static_cast<int>(threads_.size()) + 1; }
  // Runs tasks [0, num_tasks) and returns when all are done. Called from one thread at a time.
  void run(Run run, const void* context, int64_t num_tasks);
  // There is side work where there was none.
  void wake_for_side_work();

 private:
  void work(bool side_work_first);
  // Claims and runs chunks of job `epoch` until none is left or another job has begun.
  void take_tasks(uint64_t epoch);
  // Returns for a job, or for side work; false when the pool ends.
  bool wait_for_work(uint64_t seen, bool side_work_first);

  // The job counter in the upper 32 bits, the next unclaimed task in the lower 32: a claim succeeds only while its job
  // is the current one, so a late thread can never run a task of a finished job.
  std::atomic<uint64_t> ticket_{0};
  std::atomic<Run> run_{nullptr};
  std::atomic<const void*> context_{nullptr};
  std::atomic<int64_t> num_tasks_{0};
  std::atomic<int64_t> chunk_{1};
  std::atomic<int64_t> done_{0};

  SideWork* const side_work_;
  std::mutex mutex_;
  std::condition_variable job_begins_;
  std::condition_variable job_ends_;
  std::atomic<int> parked_{0};
  std::atomic<bool> caller_parked_{false};
  std::atomic<bool> stopping_{false};
  std::vector<std::thread> threads_;
};

// For a turn of a loop that waits for another thread.
void pause_briefly();

}  // namespace espalier
