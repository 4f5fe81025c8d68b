// write_rows_cuda.cu -- see write_rows.h.
#include "ops/write_rows.h"

#include "cuda/elementwise.h"

namespace espalier {
namespace cuda {
namespace {

struct WriteRows {
  Out pool;
  In x;
  const int32_t* rows;
  int64_t size, P;  // of a row; rows of the pool
  template <int W>
  __device__ void at(int64_t i) const {
    const int64_t row = rows[i / size];
    if (row < 0 || row >= P) return;
    float v[W];
    x.load<W>(i, v);
    pool.store<W>(row * size + i % size, v);
  }
};

void launch_write_rows(const OpCall& call, const CudaContext& context) {
  const int64_t R = call.inputs[1].count;
  if (R == 0) return;
  const int64_t size = call.inputs[0].count / R;
  const WriteRows f{out(call.outputs[0]), in(call.inputs[0]), call.inputs[1].i32(), size, size ? call.outputs[0].count / size : 0};
  launch_elementwise(context, "writeRows", f, call.inputs[0].count, size % kWide == 0);
}

}  // namespace

const OpKernel write_rows_kernel = cuda_op("writeRows", "", launch_write_rows);

}  // namespace cuda
}  // namespace espalier
