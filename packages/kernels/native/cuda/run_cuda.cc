// run_cuda.cc -- a run on a CUDA device: inputs in, one replay of the captured graph, outputs out, nothing waited for.
//
// The first run after loading, and after a tensor has moved, launches every instruction with an event before and after
// (the profile); the second captures the launches into a graph, which later runs replay. Inputs are staged on a stream of
// their own, so that those of the next run arrive while this one computes; inside a run the host waits for nothing.
// ESPALIER_CUDA_GRAPHS=0 keeps to single launches, with the time of every instruction in every run.
#include <cstdlib>
#include <cstring>

#include "cuda/device.h"
#include "executor/device.h"
#include "executor/program.h"

namespace espalier {

namespace {

constexpr std::size_t kSlots = 2;  // runs under way

void* pinned(std::size_t bytes) {
  void* pointer = nullptr;
  expect_success(cudaMallocHost(&pointer, bytes ? bytes : 1), "allocating page-locked memory");
  return pointer;
}

cudaEvent_t new_event() {
  cudaEvent_t event = nullptr;
  expect_success(cudaEventCreate(&event), "creating an event");
  return event;
}

// What one run has of its own.
struct Slot {
  Slot(std::size_t runtime_bytes, std::size_t output_bytes)
      : host_inputs(pinned(runtime_bytes)), host_outputs(pinned(output_bytes)), staged(runtime_bytes),
        arrived(new_event()), began(new_event()), ended(new_event()) {
    if (!staged.data()) throw std::bad_alloc();
  }
  ~Slot() {
    for (void* pointer : {host_inputs, host_outputs}) cudaFreeHost(pointer);
    for (cudaEvent_t event : {arrived, began, ended}) cudaEventDestroy(event);
  }
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;

  void* host_inputs;
  void* host_outputs;
  Memory staged;  // inputs on the device
  cudaEvent_t arrived, began, ended;
  bool timed_each = false;  // this run launched every instruction between events
};

struct Replay {
  Replay(std::size_t num_instructions, std::size_t runtime_bytes, std::size_t output_bytes) : shares(num_instructions, 0.0) {
    for (auto& slot : slots) slot.reset(new Slot(runtime_bytes, output_bytes));
    for (std::size_t i = 0; i <= num_instructions; ++i) between.push_back(new_event());
  }
  ~Replay() {
    forget_graph();
    for (cudaEvent_t event : between) cudaEventDestroy(event);
  }
  Replay(const Replay&) = delete;
  Replay& operator=(const Replay&) = delete;

  void forget_graph() {
    if (exec) cudaGraphExecDestroy(exec);
    exec = nullptr;
    warm = false;
  }

  std::unique_ptr<Slot> slots[kSlots];
  std::vector<cudaEvent_t> between;  // before each instruction, and after the last
  std::vector<double> shares;        // of the time of a run, as the last one that was timed instruction by instruction had them
  cudaGraphExec_t exec = nullptr;
  bool warm = false;  // a run has been made since the last move: kernels are loaded and can be captured
};

bool graphs_wanted() {
  const char* setting = std::getenv("ESPALIER_CUDA_GRAPHS");
  return !setting || std::strcmp(setting, "0") != 0;
}

}  // namespace

void Program::begin(const Job& job) {
  const CudaStreams& streams = *static_cast<const CudaStreams*>(executor_->device());
  const CudaContext context{streams.compute};
#if defined(ESPALIER_EMULATED)
  emulation::set_seed(streams.seed);
#endif
  if (!device_state_) {
    device_state_ = std::make_shared<Replay>(instructions_.size(), static_cast<std::size_t>(runtime_bytes_), static_cast<std::size_t>(output_bytes_));
  }
  Replay& replay = *static_cast<Replay*>(device_state_.get());
  expect_not_cancelled(job, 0);
  if (point_at_memory()) replay.forget_graph();
  executor_->last_program = this;
  Slot& slot = *replay.slots[job.number % kSlots];

  if (runtime_bytes_) {
    const auto bytes = static_cast<std::size_t>(runtime_bytes_);
    std::memcpy(slot.host_inputs, job.runtime, bytes);
    expect_success(cudaMemcpyAsync(slot.staged.data(), slot.host_inputs, bytes, cudaMemcpyHostToDevice, streams.copy), "copying inputs");
    expect_success(cudaEventRecord(slot.arrived, streams.copy), "copying inputs");
    expect_success(cudaStreamWaitEvent(streams.compute, slot.arrived, 0), "copying inputs");
    expect_success(cudaMemcpyAsync(runtime_.data(), slot.staged.data(), bytes, cudaMemcpyDeviceToDevice, streams.compute), "copying inputs");
  }
  // Timed, each instruction is launched alone; else those in a row that can be are launched together.
  const auto launch_all = [&](bool timed) {
    for (std::size_t i = 0; i < instructions_.size();) {
      try {
        if (timed) expect_success(cudaEventRecord(replay.between[i], streams.compute), "timing");
        const OpKernel* const kernel = instructions_[i].kernel;
        std::vector<const OpCall*> together{&instructions_[i].call};
        while (!timed && kernel->launch_together && i + together.size() < instructions_.size() &&
               instructions_[i + together.size()].kernel == kernel) {
          together.push_back(&instructions_[i + together.size()].call);
        }
        if (together.size() > 1) kernel->launch_together(together.data(), static_cast<int32_t>(together.size()), context);
        else kernel->launch(instructions_[i].call, context);
        i += together.size();
      } catch (Failure& failure) {
        failure.instruction = static_cast<int64_t>(i);
        throw;
      }
    }
    if (timed) expect_success(cudaEventRecord(replay.between[instructions_.size()], streams.compute), "timing");
  };
  expect_success(cudaEventRecord(slot.began, streams.compute), "timing");
  slot.timed_each = !replay.warm || !graphs_wanted();
  if (slot.timed_each) {
    launch_all(true);
    replay.warm = true;
  } else {
    if (!replay.exec) {
      cudaGraph_t graph = nullptr;
      expect_success(cudaStreamBeginCapture(streams.compute, cudaStreamCaptureModeThreadLocal), "capturing");
      try {
        launch_all(false);
      } catch (...) {
        if (cudaStreamEndCapture(streams.compute, &graph) == cudaSuccess && graph) cudaGraphDestroy(graph);
        throw;
      }
      expect_success(cudaStreamEndCapture(streams.compute, &graph), "capturing");
      const cudaError_t error = cudaGraphInstantiate(&replay.exec, graph, 0);
      cudaGraphDestroy(graph);
      expect_success(error, "making a graph of the program");
    }
    expect_success(cudaGraphLaunch(replay.exec, streams.compute), "replaying the program");
  }
  if (output_bytes_) {
    expect_success(cudaMemcpyAsync(slot.host_outputs, output_.data(), static_cast<std::size_t>(output_bytes_), cudaMemcpyDeviceToHost, streams.compute), "copying outputs");
  }
  expect_success(cudaEventRecord(slot.ended, streams.compute), "timing");
}

void Program::finish(const Job& job) {
  Replay& replay = *static_cast<Replay*>(device_state_.get());
  Slot& slot = *replay.slots[job.number % kSlots];
  expect_success(cudaEventSynchronize(slot.ended), "running the program");
  if (output_bytes_) std::memcpy(job.output, slot.host_outputs, static_cast<std::size_t>(output_bytes_));
  float total_ms = 0;
  if (cudaEventElapsedTime(&total_ms, slot.began, slot.ended) != cudaSuccess) cudaGetLastError();
  double sum = 0;
  for (std::size_t i = 0; i < instructions_.size(); ++i) {
    if (slot.timed_each) {
      float ms = 0;
      if (cudaEventElapsedTime(&ms, replay.between[i], replay.between[i + 1]) != cudaSuccess) cudaGetLastError();
      replay.shares[i] = ms;
    }
    sum += replay.shares[i];
  }
  for (std::size_t i = 0; i < instructions_.size(); ++i) {
    const double ms = sum > 0 ? total_ms * replay.shares[i] / sum : 0;
    nanoseconds_[i] += static_cast<int64_t>(1e6 * ms);
    ++calls_[i];
  }
}

}  // namespace espalier
