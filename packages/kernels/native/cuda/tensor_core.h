// tensor_core.h -- the warp's matrix instructions for bf16 (sm_80): mma.sync m16n8k16 and ldmatrix, as functions that the
// emulation computes with the same layout of fragments.
//
// Fragments of lane l, with g = l / 4 and t = l % 4 (PTX ISA, "Matrix Fragments for mma.m16n8k16"):
//   a [16 x 16]: a[0] (g, 2t..2t+1)   a[1] (g+8, 2t..)   a[2] (g, 2t+8..)   a[3] (g+8, 2t+8..)
//   b [16 x 8]:  b[0] (2t..2t+1, g)   b[1] (2t+8.., g)
//   d [16 x 8]:  d[0..1] (g, 2t..2t+1)   d[2..3] (g+8, 2t..2t+1)
#pragma once
#include "cuda/device_math.h"

namespace espalier {
namespace cuda {

// d += a b, in fp32.
__device__ __forceinline__ void mma_bf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
#if defined(ESPALIER_EMULATED)
  struct Fragments {
    uint32_t a[4], b[2];
  } mine;
  for (int i = 0; i < 4; ++i) mine.a[i] = a[i];
  for (int i = 0; i < 2; ++i) mine.b[i] = b[i];
  emulation::warp_exchange(~0u, &mine, sizeof(mine));
  const int lane = emulation::lane(), g = lane / 4, t = lane % 4;
  const auto half_of = [](uint32_t pair, int i) { return from_bf16(static_cast<uint16_t>(pair >> (16 * i))); };
  for (int owner = 0; owner < 4; ++owner) {  // lanes 4g + owner hold k = 2 owner, +1, +8, +9 of row g
    const auto* row = static_cast<const Fragments*>(emulation::lane_bytes(4 * g + owner));
    for (int n = 0; n < 2; ++n) {
      const auto* column = static_cast<const Fragments*>(emulation::lane_bytes(4 * (2 * t + n) + owner));
      for (int part = 0; part < 2; ++part) {
        for (int i = 0; i < 2; ++i) {
          const float x = half_of(column->b[part], i);
          d[n] += half_of(row->a[2 * part], i) * x;
          d[2 + n] += half_of(row->a[2 * part + 1], i) * x;
        }
      }
    }
  }
#else
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}

// Four 8 x 8 matrices of bf16: lane l gives the address of row l % 8 of matrix l / 8, 16 bytes each, and gets of matrix i
// row l / 4, columns 2 (l % 4) and the next; transposed: of its columns instead of its rows.
template <bool kTransposed>
__device__ __forceinline__ void load_matrices(uint32_t (&to)[4], const void* shared_row) {
#if defined(ESPALIER_EMULATED)
  emulation::warp_exchange(~0u, &shared_row, sizeof(shared_row));
  const int lane = emulation::lane();
  const auto element = [&](int matrix, int row, int column) {
    const uint16_t* at;
    std::memcpy(&at, emulation::lane_bytes(8 * matrix + row), sizeof(at));
    return static_cast<uint32_t>(at[column]);
  };
  for (int i = 0; i < 4; ++i) {
    const int line = lane / 4, first = 2 * (lane % 4);
    to[i] = kTransposed ? element(i, first, line) | element(i, first + 1, line) << 16
                        : element(i, line, first) | element(i, line, first + 1) << 16;
  }
  emulation::warp_exchange(~0u, nullptr, 0);  // all have read before anybody writes there again, as on the device
#else
  const unsigned at = static_cast<unsigned>(__cvta_generic_to_shared(shared_row));
  if (kTransposed) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3]) : "r"(at) : "memory");
  } else {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3]) : "r"(at) : "memory");
  }
#endif
}

}  // namespace cuda
}  // namespace espalier
