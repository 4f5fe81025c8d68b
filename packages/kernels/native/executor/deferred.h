// deferred.h -- the calls that a run leaves to be done after it has been answered, beside the runs that follow.
//
// AdamW waits for memory, products for arithmetic: with the parameters of one step updated by one thread while the others
// compute the next step's forward pass, each fills the gaps of the other. What is left is a program's last calls, each
// of them independent of the others (executor/run_cpu.cc). Whoever reads or writes what a call of it touches waits for that
// call: an instruction of a later run, a buffer's reader, a program that ends. Nobody sees a difference but in time.
#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "executor/memory.h"
#include "executor/op.h"
#include "executor/thread_pool.h"

namespace espalier {

class Deferred : public SideWork {
 public:
  struct Call {
    const OpKernel* kernel;  // with num_tasks and run alone
    const OpCall* call;
    double work;                                   // FLOPs, roughly
    std::atomic<int64_t>* nanoseconds;  // while tasks run, shared out among those that end
    std::atomic<int64_t>* calls;
  };

  // On the executor's thread, while nothing is pending. `memory` is all that the calls read or write; `owner` says whose
  // they are, and stays until they are done.
  void begin(const std::vector<Call>& calls, std::vector<std::shared_ptr<Memory>> memory, const void* owner, ThreadPool& pool);
  // Some call has not been done.
  bool pending() const { return unfinished_.load(std::memory_order_acquire) > 0; }
  bool pending_of(const void* whose) const { return pending() && owner() == whose; }
  const void* owner() const { return owner_.load(std::memory_order_relaxed); }
  bool done(std::size_t call) const { return parts_[call].done.load(std::memory_order_acquire); }

  bool waiting() const override { return unclaimed_.load(std::memory_order_acquire) > 0; }
  bool run_some() override;

  // On the executor's thread: returns when these calls are done, having helped.
  void complete(const std::vector<int32_t>& calls, ThreadPool& pool);
  void complete_all(ThreadPool& pool);
  // On threads that run no tasks: returns when all is done.
  void wait();

 private:
  struct Part {
    Call call{};
    int64_t num_tasks = 0, tasks_a_claim = 1;
    int64_t claimed = 0, finished = 0;
    std::atomic<bool> done{false};
  };

  bool run_some_of(std::size_t begin, std::size_t end);

  std::mutex mutex_;
  std::condition_variable part_done_;
  std::vector<Part> parts_;
  std::size_t front_ = 0;  // parts before it are claimed
  int64_t running_ = 0;     // claims
  int64_t counted_to_ = 0;  // nanoseconds of a steady clock: the time before it is some call's
  std::vector<std::shared_ptr<Memory>> memory_;
  std::atomic<const void*> owner_{nullptr};
  std::atomic<int64_t> unclaimed_{0}, unfinished_{0};  // parts
};

}  // namespace espalier
