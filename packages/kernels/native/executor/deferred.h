// deferred.h -- the calls that a run leaves to be done after it has been answered, beside the runs that follow.
//
// AdamW waits for memory, products for arithmetic: with the parameters of one step updated by one thread while the others
// compute the next step's forward pass, each fills the gaps of the other. What is left is a program's last calls, each
// of them independent of the others (executor/run_cpu.cc). Whoever reads or writes what a call of it touches waits for that
// call, or for the tasks of it that write there: an instruction of a later run, a buffer's reader, a program that ends. Nobody
// sees a difference but in time.
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

  // Neighbouring parts: a part is some tasks of a call.
  struct Parts {
    std::size_t begin, end;
  };

  // On the executor's thread, while nothing is pending. Calls are begun in `order`, which names each of them. `memory` is
  // all that they read or write; `owner` says whose they are, and stays until they are done.
  void begin(const std::vector<Call>& calls, const std::vector<int32_t>& order, std::vector<std::shared_ptr<Memory>> memory,
             const void* owner, ThreadPool& pool);
  // Some call has not been done.
  bool pending() const { return unfinished_.load(std::memory_order_acquire) > 0; }
  bool pending_of(const void* whose) const { return pending() && owner() == whose; }
  const void* owner() const { return owner_.load(std::memory_order_relaxed); }
  // Of a call, numbered as at `begin`, while its owner's calls are pending.
  bool done(int32_t call) const { return calls_[static_cast<std::size_t>(call)].unfinished.load(std::memory_order_acquire) == 0; }
  Parts parts_of(int32_t call) const { return calls_[static_cast<std::size_t>(call)].parts; }
  Parts parts_of_tasks(int32_t call, int64_t task_begin, int64_t task_end) const;

  bool waiting() const override { return unclaimed_.load(std::memory_order_acquire) > 0; }
  bool run_some() override;

  // On the executor's thread: returns when these parts are done, having helped.
  void complete(const std::vector<Parts>& needed, ThreadPool& pool);
  void complete_all(ThreadPool& pool);
  // On threads that run no tasks: returns when all is done.
  void wait();

 private:
  struct Pending {
    Call call{};
    int64_t tasks_a_part = 1;
    Parts parts{};
    std::atomic<int64_t> unfinished{0};  // parts
  };
  struct Part {
    int32_t call = 0;
    int64_t task_begin = 0, task_end = 0;
    bool claimed = false;
    std::atomic<bool> done{false};
  };

  bool done(Parts parts) const;
  // The first of these parts that nobody has claimed; false when there is none.
  bool run_some_of(Parts parts);

  std::mutex mutex_;
  std::condition_variable part_done_;
  std::vector<Pending> calls_;
  std::vector<Part> parts_;
  std::size_t front_ = 0;  // parts before it are claimed
  int64_t running_ = 0;     // parts
  int64_t counted_to_ = 0;  // nanoseconds of a steady clock: the time before it is some call's
  std::vector<std::shared_ptr<Memory>> memory_;
  std::atomic<const void*> owner_{nullptr};
  std::atomic<int64_t> unclaimed_{0};   // parts
  std::atomic<int64_t> unfinished_{0};  // calls
};

}  // namespace espalier
