// tensor_map.h -- descriptions of matrices for bulk copies.
#pragma once
#include "cuda/hopper.h"

namespace espalier {
namespace cuda {

// A row-major matrix of bf16, `stride` elements from row to row, and boxes of box_rows x 64 of it, in the 128-byte swizzle.
// False where the driver cannot describe it: a driver before CUDA 12, or an address that is no multiple of 16 bytes.
bool describe_matrix(TensorMap& map, const void* data, int64_t rows, int64_t columns, int64_t stride, int box_rows);

// The same of matrices one behind the other, as copy_tile takes them with the matrix's number: a box that leaves the rows of one
// gets zeros, not rows of the next.
bool describe_matrices(TensorMap& map, const void* data, int64_t matrices, int64_t rows, int64_t columns, int64_t stride, int box_rows);

}  // namespace cuda
}  // namespace espalier
