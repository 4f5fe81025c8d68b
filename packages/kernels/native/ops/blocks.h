// blocks.h -- how ops that touch every element once or twice are split into tasks, and how gradients accumulate.
//
// A split depends on shapes alone. About 16k elements (64 KB an operand) make a task: some microseconds of work, and
// small enough that what one op has written is still in a core's L2 when the next op reads it.
#pragma once
#include "executor/op.h"

namespace espalier {
namespace ESPALIER_ISA {

constexpr int64_t kTaskElements = 16384;

inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
inline int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

// Half-open range of elements or rows.
struct Range {
  int64_t begin, end;
};

// Elementwise: tasks over the elements of the first output.
inline int64_t element_tasks(const OpCall& call) { return ceil_div(call.outputs[0].count, kTaskElements); }
inline Range element_range(const OpCall& call, int64_t task_begin, int64_t task_end) {
  return {task_begin * kTaskElements, smaller(task_end * kTaskElements, call.outputs[0].count)};
}

// Row-wise: tasks over whole rows of the first output.
inline int64_t rows_per_task(const TensorView& x) { return larger(1, kTaskElements / larger(1, x.last())); }
inline int64_t row_tasks(const OpCall& call) {
  return ceil_div(call.outputs[0].rows(), rows_per_task(call.outputs[0]));
}
inline Range row_range(const OpCall& call, int64_t task_begin, int64_t task_end) {
  const int64_t rows = rows_per_task(call.outputs[0]);
  return {task_begin * rows, smaller(task_end * rows, call.outputs[0].rows())};
}

// Sums over rows: at most 64 blocks of at least 32 rows, each summed by one task into its own row of the scratch
// memory; the rows are then added in order.
inline int64_t reduction_block_rows(int64_t rows) { return larger(32, ceil_div(rows, 64)); }
inline int64_t reduction_blocks(int64_t rows) { return ceil_div(rows, reduction_block_rows(rows)); }

// Work of a memory-bound op for the serial/parallel decision, in FLOPs that take as long: an element that is read and
// written from L2 takes about as long as 8 multiply-adds.
inline double elementwise_work(const OpCall& call) { return 16.0 * static_cast<double>(call.outputs[0].count); }

// Whether a parameter gradient is added to: attribute `accumulate` 0 no, 1 yes, 2 if the last input, an i32, is not 0.
inline bool accumulates(const OpCall& call, double mode) {
  if (mode != 2.0) return mode == 1.0;
  return call.inputs[call.num_inputs - 1].i32()[0] != 0;
}

}  // namespace ESPALIER_ISA
}  // namespace espalier
