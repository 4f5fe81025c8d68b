// program.h -- a loaded program: instructions resolved to kernels, tensors to places, and its replay.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "espalier.h"
#include "executor/executor.h"
#include "executor/memory.h"
#include "executor/op.h"

namespace espalier {

class Program {
 public:
  // Checks everything that does not depend on values: ids, sizes, op names, attribute names. Throws Failure.
  Program(std::shared_ptr<Executor> executor, const EspalierProgramSpec& spec);
  ~Program();  // after its runs have ended

  // The largest room of an op: what its tasks share, and what each thread has to itself.
  std::size_t scratch_bytes() const {
    return scratch_bytes_ + thread_bytes_ * static_cast<std::size_t>(executor_->num_threads());
  }
  void bind(int64_t tensor, std::shared_ptr<Memory> buffer);
  void submit(Job job, int64_t runtime_bytes, int64_t output_bytes);
  void cancel();
  void read_tensor(int64_t tensor, void* target, int64_t bytes);
  void profile(double* seconds, int64_t* calls, int64_t num_instructions) const;

  // On the executor's thread, and defined once a device (executor/run_cpu.cc, cuda/run_cuda.cc): `begin` starts a run, on
  // a CPU it is also its end; `finish` waits for it and hands out what it computed. Runs finish in the order they began.
  void begin(const Job& job);
  void finish(const Job& job);

 private:
  struct Tensor {
    std::vector<int64_t> dims;
    DType dtype;
    int64_t region;
    int64_t offset;
    int64_t count;
  };
  struct Instruction {
    const OpKernel* kernel;
    std::vector<int64_t> inputs, outputs;
    std::vector<double> attributes;
    std::vector<TensorView> input_views, output_views;
    OpCall call;
    double work;  // FLOPs, roughly
    bool parallel;
  };

  Instruction resolved(const EspalierInstructionSpec& spec, int64_t index) const;
  // Resolves every tensor; true when a place differs from the run before.
  bool point_at_memory();
  void expect_not_cancelled(const Job& job, int64_t instruction) const;
  void run_instruction(const Instruction& instruction);
  // On a CPU only: which instructions run together, and one run of such a region.
  std::shared_ptr<void> regions();
  std::size_t end_of_one_op(std::size_t begin, std::size_t last) const;
  std::size_t end_of_several_ops(std::size_t begin, std::size_t last) const;
  std::size_t deferrable_from() const;
  void defer(std::size_t begin);
  void learn_order_after_deferred();
  void complete_before(std::size_t begin, std::size_t end);
  void run_region(std::size_t begin, std::size_t end);
  void run_joined(std::size_t begin, std::size_t end);
  void run_mixed(std::size_t begin, std::size_t end);
  const Tensor& tensor_at(int64_t id) const;

  std::shared_ptr<Executor> executor_;
  std::vector<Tensor> tensors_;
  std::vector<Instruction> instructions_;
  int64_t arena_bytes_, runtime_bytes_, output_bytes_;
  std::size_t scratch_bytes_ = 0;
  std::size_t thread_bytes_ = 0;
  Memory runtime_, output_;

  std::mutex mutex_;  // bound_ and binding_changed_, written by any thread, read when a run begins
  std::vector<std::shared_ptr<Memory>> bound_;
  bool binding_changed_ = true;
  std::vector<std::shared_ptr<Memory>> in_use_;  // keeps what the current run points at
  char* seen_arena_ = nullptr;
  char* seen_scratch_ = nullptr;
  std::shared_ptr<void> device_state_;  // what the device keeps of a program: a captured graph; regions

  std::atomic<uint64_t> submitted_{0};
  std::atomic<uint64_t> cancelled_through_{0};
  std::vector<std::atomic<int64_t>> nanoseconds_;
  std::vector<std::atomic<int64_t>> calls_;
};

}  // namespace espalier
