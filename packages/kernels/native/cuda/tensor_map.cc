#include "cuda/tensor_map.h"

#include <cstring>

#if !defined(ESPALIER_EMULATED)
#include <dlfcn.h>
#endif

namespace espalier {
namespace cuda {

#if defined(ESPALIER_EMULATED)

bool describe_matrix(TensorMap& map, const void* data, int64_t rows, int64_t columns, int64_t stride, int box_rows) {
  return describe_matrices(map, data, 1, rows, columns, stride, box_rows);
}

bool describe_matrices(TensorMap& map, const void* data, int64_t matrices, int64_t rows, int64_t columns, int64_t stride, int box_rows) {
  const emulation::TileMap tile{static_cast<const char*>(data), columns, rows, 2 * stride, 64, box_rows, matrices, 2 * stride * rows};
  static_assert(sizeof(tile) <= sizeof(map.bytes), "fits");
  std::memcpy(map.bytes, &tile, sizeof(tile));
  return reinterpret_cast<std::uintptr_t>(data) % 16 == 0;
}

#else

namespace {

// cuda.h, CUtensorMap: data type, interleave, swizzle, promotion to L2, what lies outside.
constexpr int kBf16 = 9, kNoInterleave = 0, kSwizzle128 = 3, kPromote128 = 2, kZeros = 0;

using Encode = int (*)(void* map, int type, uint32_t rank, void* address, const uint64_t* sizes, const uint64_t* strides, const uint32_t* box,
                       const uint32_t* element_strides, int interleave, int swizzle, int promotion, int outside);

Encode encode() {
  static const Encode function = [] {
    void* const driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
    return driver ? reinterpret_cast<Encode>(dlsym(driver, "cuTensorMapEncodeTiled")) : nullptr;
  }();
  return function;
}

bool describe(TensorMap& map, const void* data, uint32_t rank, const uint64_t (&sizes)[3], int64_t stride, int box_rows) {
  if (!encode() || reinterpret_cast<std::uintptr_t>(data) % 16 || stride % 8) return false;
  const uint64_t strides[2] = {static_cast<uint64_t>(2 * stride), static_cast<uint64_t>(2 * stride) * sizes[1]};
  const uint32_t box[3] = {64, static_cast<uint32_t>(box_rows), 1}, each[3] = {1, 1, 1};
  return encode()(map.bytes, kBf16, rank, const_cast<void*>(data), sizes, strides, box, each, kNoInterleave, kSwizzle128, kPromote128, kZeros) == 0;
}

}  // namespace

bool describe_matrix(TensorMap& map, const void* data, int64_t rows, int64_t columns, int64_t stride, int box_rows) {
  return describe(map, data, 2, {static_cast<uint64_t>(columns), static_cast<uint64_t>(rows), 1}, stride, box_rows);
}

bool describe_matrices(TensorMap& map, const void* data, int64_t matrices, int64_t rows, int64_t columns, int64_t stride, int box_rows) {
  return describe(map, data, 3, {static_cast<uint64_t>(columns), static_cast<uint64_t>(rows), static_cast<uint64_t>(matrices)}, stride, box_rows);
}

#endif

}  // namespace cuda
}  // namespace espalier
