// round_bf16.h -- a matrix rounded to bf16 in scratch memory, for products on tensor cores whose factors are kept in fp32.
// Rows are padded with zeros to a multiple of eight elements, so that every row begins at a multiple of 16 bytes.
#pragma once
#include "cuda/elementwise.h"

namespace espalier {
namespace cuda {

inline int64_t padded_row(int64_t columns) { return (columns + kWide - 1) / kWide * kWide; }
// Bytes of a rounded matrix, a multiple of 256.
inline std::size_t rounded_bytes(int64_t rows, int64_t columns) {
  return static_cast<std::size_t>((rows * padded_row(columns) * 2 + 255) / 256 * 256);
}

// Elements of the padded matrix, eight at a time.
struct RoundRows {
  Out to;
  In from;
  int64_t columns, padded, stride;  // of a row: as read, as written, from one to the next
  template <int W>
  __device__ void at(int64_t i) const {
    const int64_t row = i / padded, column = i % padded;
    float v[W];
    if (stride % W == 0 && column + W <= columns) {
      from.load<W>(row * stride + column, v);
    } else {
#pragma unroll
      for (int j = 0; j < W; ++j) v[j] = column + j < columns ? from[row * stride + column + j] : 0.0f;
    }
    to.store<W>(i, v);
  }
};

// A matrix ready for 16-byte copies: itself when it is bf16 with such rows, else rounded into `room`, which then begins
// behind it.
struct Rounded {
  const uint16_t* data;
  int64_t stride;
};
inline bool needs_rounding(const In& x, int64_t stride) { return !x.bf16 || stride % kWide != 0; }
inline Rounded rounded(const CudaContext& context, const In& x, int64_t rows, int64_t columns, int64_t stride, char*& room) {
  if (!needs_rounding(x, stride)) return {static_cast<const uint16_t*>(x.data), stride};
  const int64_t padded = padded_row(columns);
  const RoundRows f{{room, true}, x, columns, padded, stride};
  launch_elementwise(context, "rounding to bf16", f, rows * padded);
  const Rounded made{reinterpret_cast<const uint16_t*>(room), padded};
  room += rounded_bytes(rows, columns);
  return made;
}

}  // namespace cuda
}  // namespace espalier
