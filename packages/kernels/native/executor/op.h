// op.h -- what an op is to the executor: how many independent tasks it has, and how to run a range of them.
//
// Every file in ops/ is compiled once per instruction set (portable, AVX2, AVX-512) inside namespace ESPALIER_ISA,
// so code here and there must not rely on inline functions of the standard library being the same in all of them.
// Functions defined in this header are always inlined for that reason.
#pragma once
#include <cstddef>
#include <cstdint>

namespace espalier {

struct CudaContext;  // cuda/launch.h

enum class DType : int32_t { f32 = 0, i32 = 1, bf16 = 2 };  // bf16: on devices that store it

struct TensorView {
  void* data;
  const int64_t* dims;
  int32_t rank;
  DType dtype;
  int64_t count;  // product of dims

  __attribute__((always_inline)) float* f32() const { return static_cast<float*>(data); }
  __attribute__((always_inline)) int32_t* i32() const { return static_cast<int32_t*>(data); }
  __attribute__((always_inline)) int64_t last() const { return rank ? dims[rank - 1] : 1; }
  __attribute__((always_inline)) int64_t rows() const { return last() ? count / last() : 0; }
};

// One instruction with its tensors resolved. Pointers stay valid for the whole run.
struct OpCall {
  const TensorView* inputs;
  const TensorView* outputs;
  int32_t num_inputs;
  int32_t num_outputs;
  const double* attributes;  // in the order of OpKernel::attributes
  void* scratch;             // scratch_bytes(call) bytes, 64-byte aligned, shared by all tasks of this call
};

// Room of the calling thread alone, 64-byte aligned, at least `bytes` long; valid until the next call on this thread.
// For packed panels and row blocks inside one task; its contents are undefined at first.
void* thread_scratch(std::size_t bytes);

// The split into tasks depends on shapes and attributes only, never on the number of threads: results are the same
// bits for any thread count. `finish`, when present, runs on one thread after all tasks (ordered reductions).
//
// An op whose work has an order (pack, then multiply; rows, then columns) states stages instead: `num_tasks` and `run`
// are null, `num_stages`, `stage_tasks` and `run_stage` are set, and a stage begins when the one before it is complete.
struct OpKernel {
  const char* name;
  const char* attributes;  // comma-separated names, as in docs/ops.md; with a ? behind it one may be left out, and is 0
  int64_t (*num_tasks)(const OpCall&);
  void (*run)(const OpCall&, int64_t task_begin, int64_t task_end);
  void (*finish)(const OpCall&);              // may be null
  std::size_t (*scratch_bytes)(const OpCall&);  // may be null: none
  double (*flops)(const OpCall&);             // rough work of the whole call, for the serial/parallel decision
  int32_t (*num_stages)(const OpCall&);         // null: one stage, num_tasks and run
  int64_t (*stage_tasks)(const OpCall&, int32_t stage);
  void (*run_stage)(const OpCall&, int32_t stage, int64_t task_begin, int64_t task_end);
  // On a CUDA device instead of all of the above but scratch_bytes: puts the kernels of the op into a stream.
  void (*launch)(const OpCall&, const CudaContext&) = nullptr;
  // What each thread takes by thread_scratch, where it is more than the panels of one product; null: no more than that.
  std::size_t (*thread_bytes)(const OpCall&) = nullptr;
  // May be null: task t writes elements [t n, (t + 1) n) of every output, and no others; the answer is n.
  int64_t (*elements_a_task)(const OpCall&) = nullptr;
  // An input that is read only at the rows whose numbers input 0 holds (row 0 for numbers that it has not); -1: none.
  int32_t rows_read_of = -1;
  // May be null. Instead of `launch` of each of several calls in a row, with the same bits: many small tensors at once.
  void (*launch_together)(const OpCall* const* calls, int32_t num_calls, const CudaContext&) = nullptr;
};

// Each ops/<file>_cpu.cc defines, inside namespace ESPALIER_ISA, `extern const OpKernel <op>_kernel;` and has its line in
// ops/op_list.h.
struct OpTable {
  const OpKernel* const* kernels;
  int32_t count;
};

}  // namespace espalier
