#include "executor/executor.h"

#include "executor/denormals.h"
#include "executor/device.h"
#include "executor/program.h"
#include "executor/status.h"

namespace espalier {

namespace {
// Below this much work an op runs on the executor's thread alone and joins its neighbours without waking the pool.
// Measured on two Zen 5 cores: a GELU over 32k elements (5e5 FLOPs) takes 6.8 us alone and 3.8 us shared with a spinning
// thread; waking a parked one costs tens of microseconds. At 2e5 an op lasts 1 to 3 us.
constexpr double kParallelGrain = 2e5;
}  // namespace

Executor::Executor(int num_threads, const InstructionPath& path, double parallel_grain)
    : path_(path), parallel_grain_(parallel_grain < 0 ? kParallelGrain : parallel_grain), pool_(num_threads, &deferred_), device_(open_device(num_threads)), thread_([this] { work(); }) {}

Executor::~Executor() { stop(); }

void Executor::submit(const Job& job) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (stopping_) throw Failure{ESPALIER_CANCELLED, "the executor has been stopped. Create another one."};
    jobs_.push_back(job);
  }
  job_arrived_.notify_one();
}

void Executor::stop() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  job_arrived_.notify_one();
  if (thread_.joinable()) thread_.join();
}

bool Executor::idle() {
  std::lock_guard<std::mutex> lock(mutex_);
  return jobs_.empty() && under_way_.empty();
}

namespace {

// Runs `body` and returns how it ended.
template <class Body>
Failure outcome_of(Body body) {
  try {
    body();
    return {ESPALIER_OK, ""};
  } catch (const Failure& thrown) {
    return thrown;
  } catch (const std::bad_alloc&) {
    return {ESPALIER_OUT_OF_MEMORY, "there is not enough memory for the arena of this program."};
  } catch (...) {
    return {ESPALIER_INTERNAL, "an unexpected exception ended the run."};
  }
}

}  // namespace

void Executor::work() {
  flush_denormals_on_this_thread();
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    if (!jobs_.empty() && under_way_.size() < runs_under_way()) begin_next(lock);
    else if (!under_way_.empty()) finish_oldest(lock);
    else if (deferred_.pending()) {
      lock.unlock();
      if (!deferred_.run_some()) deferred_.wait();  // what is left is another thread's
      lock.lock();
    } else if (stopping_) return;
    else job_arrived_.wait(lock, [this] { return !jobs_.empty() || stopping_; });
  }
}

void Executor::begin_next(std::unique_lock<std::mutex>& lock) {
  const Job job = jobs_.front();
  jobs_.pop_front();
  under_way_.push_back(job);
  lock.unlock();
  const Failure failure = outcome_of([&] { job.program->begin(job); });
  lock.lock();
  if (failure.status == ESPALIER_OK) return;
  while (under_way_.size() > 1) finish_oldest(lock);  // earlier runs are answered first
  under_way_.pop_front();
  lock.unlock();
  job.done(job.context, failure.status, failure.message.c_str(), failure.instruction);
  lock.lock();
}

void Executor::finish_oldest(std::unique_lock<std::mutex>& lock) {
  const Job job = under_way_.front();
  lock.unlock();
  const Failure failure = outcome_of([&] { job.program->finish(job); });
  lock.lock();
  under_way_.pop_front();
  lock.unlock();
  job.done(job.context, failure.status, failure.message.c_str(), failure.instruction);
  lock.lock();
}

char* Executor::grown(Memory& memory, std::size_t bytes) {
  if (memory.bytes() < bytes) {
    memory = Memory();  // first give back, then ask: the peak is the larger one, not the sum
    memory = Memory(bytes);
    if (!memory.data()) throw std::bad_alloc();
  }
  return memory.data();
}

}  // namespace espalier
