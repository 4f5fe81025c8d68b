// executor.h -- one device: an instruction path, a thread of its own that takes runs from a queue, the pool it shares
// tasks with, and the arena and scratch memory that all programs of this executor use in turn.
#pragma once
#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

#include "espalier.h"
#include "executor/deferred.h"
#include "executor/instruction_path.h"
#include "executor/memory.h"
#include "executor/thread_pool.h"

namespace espalier {

class Program;

struct Job {
  Program* program;
  uint64_t number;  // of this program's runs; compared with the program's cancel mark
  const void* runtime;
  void* output;
  EspalierDone done;
  void* context;
};

class Executor {
 public:
  Executor(int num_threads, const InstructionPath& path, double parallel_grain);
  ~Executor();

  const InstructionPath& path() const { return path_; }
  int num_threads() const { return pool_.num_threads(); }
  // Ops of less work than this, in FLOPs, run on the executor's thread alone.
  double parallel_grain() const { return parallel_grain_; }
  void submit(const Job& job);
  // Ends what runs at its next instruction, refuses the rest, does what was deferred, joins the thread. Idempotent.
  void stop();
  bool stopping() const { return stopping_.load(std::memory_order_relaxed); }
  bool idle();

  // For the thread that runs programs:
  ThreadPool& pool() { return pool_; }
  // For any thread to wait for; begun and completed by the thread that runs programs.
  Deferred& deferred() { return deferred_; }
  // Memory of at least `bytes`, contents kept only while it need not grow.
  char* arena(std::size_t bytes) { return grown(arena_, bytes); }
  char* scratch(std::size_t bytes) { return grown(scratch_, bytes); }
  // The program whose intermediates the arena holds.
  std::atomic<const Program*> last_program{nullptr};
  void* device() const { return device_.get(); }

 private:
  void work();
  void begin_next(std::unique_lock<std::mutex>& lock);
  void finish_oldest(std::unique_lock<std::mutex>& lock);
  static char* grown(Memory& memory, std::size_t bytes);

  InstructionPath path_;
  double parallel_grain_;
  Deferred deferred_;
  ThreadPool pool_;
  std::shared_ptr<void> device_;
  Memory arena_;
  Memory scratch_;
  std::mutex mutex_;
  std::condition_variable job_arrived_;
  std::deque<Job> jobs_;
  std::deque<Job> under_way_;  // begun, in order
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace espalier
