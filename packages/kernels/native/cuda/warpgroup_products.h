// warpgroup_products.h -- products of a warpgroup, 64 rows by 64 or 128 columns and 16 deep (wgmma), whose left factor lies in shared
// memory or in registers; see hopper.h for descriptors, groups and waits, and for which sums a thread has.
//
// d = a b, or d += a b when `adds`. Registers of the left factor, and the sums, must not be touched until the wait for the group.
#pragma once
#include "cuda/hopper.h"

#if defined(ESPALIER_HOPPER) && (defined(ESPALIER_EMULATED) || defined(__CUDACC__))
namespace espalier {
namespace cuda {

#define ESPALIER_EIGHT(i) "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3]), "+f"(d[i + 4]), "+f"(d[i + 5]), "+f"(d[i + 6]), "+f"(d[i + 7])

// Both factors in shared memory.
template <bool kAAcross, bool kBAcross, int kSums>
__device__ __forceinline__ void multiply_tiles(float (&d)[kSums], uint64_t a, uint64_t b, bool adds) {
  static_assert(kSums == 32 || kSums == 64, "64 or 128 columns");
#if defined(ESPALIER_EMULATED)
  emulation::warpgroup_product(d, 2 * kSums, {a, kAAcross, nullptr}, b, kBAcross, adds);
#else
  if constexpr (kSums == 32) {
    asm volatile(
        "{\n"
        ".reg .pred adds;\n"
        "setp.ne.b32 adds, %34, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {"
        "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
        "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
        "}, %32, %33, adds, 1, 1, %35, %36;\n"
        "}\n"
        : ESPALIER_EIGHT(0), ESPALIER_EIGHT(8), ESPALIER_EIGHT(16), ESPALIER_EIGHT(24)
        : "l"(a), "l"(b), "r"(static_cast<int>(adds)), "n"(kAAcross ? 1 : 0), "n"(kBAcross ? 1 : 0));
  } else {
    asm volatile(
        "{\n"
        ".reg .pred adds;\n"
        "setp.ne.b32 adds, %66, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {"
        "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
        "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
        "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
        "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
        "}, %64, %65, adds, 1, 1, %67, %68;\n"
        "}\n"
        : ESPALIER_EIGHT(0), ESPALIER_EIGHT(8), ESPALIER_EIGHT(16), ESPALIER_EIGHT(24), ESPALIER_EIGHT(32), ESPALIER_EIGHT(40), ESPALIER_EIGHT(48), ESPALIER_EIGHT(56)
        : "l"(a), "l"(b), "r"(static_cast<int>(adds)), "n"(kAAcross ? 1 : 0), "n"(kBAcross ? 1 : 0));
  }
#endif
}

// The left factor [64 x 16] in registers. Of warp w and lane l a thread has, as pairs of bf16:
//   a[0]: row 16 w + l / 4, columns 2 (l % 4) and the next;  a[1]: eight rows below;  a[2], a[3]: of both eight columns on.
// Sums rounded in pairs have this layout: for k, 16 columns wide, those from 8 k on.
template <bool kBAcross, int kSums>
__device__ __forceinline__ void multiply_registers(float (&d)[kSums], const uint32_t (&a)[4], uint64_t b, bool adds) {
  static_assert(kSums == 32 || kSums == 64, "64 or 128 columns");
#if defined(ESPALIER_EMULATED)
  emulation::warpgroup_product(d, 2 * kSums, {0, false, a}, b, kBAcross, adds);
#else
  if constexpr (kSums == 32) {
    asm volatile(
        "{\n"
        ".reg .pred adds;\n"
        "setp.ne.b32 adds, %37, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {"
        "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
        "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
        "}, {%32, %33, %34, %35}, %36, adds, 1, 1, %38;\n"
        "}\n"
        : ESPALIER_EIGHT(0), ESPALIER_EIGHT(8), ESPALIER_EIGHT(16), ESPALIER_EIGHT(24)
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(static_cast<int>(adds)), "n"(kBAcross ? 1 : 0));
  } else {
    asm volatile(
        "{\n"
        ".reg .pred adds;\n"
        "setp.ne.b32 adds, %69, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {"
        "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
        "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
        "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
        "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
        "}, {%64, %65, %66, %67}, %68, adds, 1, 1, %70;\n"
        "}\n"
        : ESPALIER_EIGHT(0), ESPALIER_EIGHT(8), ESPALIER_EIGHT(16), ESPALIER_EIGHT(24), ESPALIER_EIGHT(32), ESPALIER_EIGHT(40), ESPALIER_EIGHT(48), ESPALIER_EIGHT(56)
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(static_cast<int>(adds)), "n"(kBAcross ? 1 : 0));
  }
#endif
}

#undef ESPALIER_EIGHT

}  // namespace cuda
}  // namespace espalier
#endif
