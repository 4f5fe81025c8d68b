// tensor_map.h -- descriptions of matrices for bulk copies.
#pragma once
#include "cuda/hopper.h"

namespace espalier {
namespace cuda {

// A row-major matrix of bf16, `stride` elements from row to row, and boxes of box_rows x 64 of it, in the 128-byte swizzle.
// False where the driver cannot describe it: a driver before CUDA 12, or an address that is no multiple of 16 bytes.
bool describe_matrix(TensorMap& map, const void* data, int64_t rows, int64_t columns, int64_t stride, int box_rows);

}  // namespace cuda
}  // namespace espalier
