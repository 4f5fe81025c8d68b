#include "instruction_set.h"

#include <cstring>

#if defined(__x86_64__) || defined(_M_X64)
#define ESPALIER_X86 1
#include <cpuid.h>
#endif

namespace espalier {

namespace portable { extern const EncodeCore encode_core; }
#if ESPALIER_X86
namespace avx2 { extern const EncodeCore encode_core; }
namespace avx512 { extern const EncodeCore encode_core; }
#endif

namespace {

struct Features {
  bool avx2, avx512;
};

// cpuid by hand, as in the executor: __builtin_cpu_supports needs a symbol that a shared library cannot always reach.
Features features_of_processor() {
#if ESPALIER_X86
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return {};
  const bool fma = c >> 12 & 1, saves_vectors = c >> 27 & 1;  // the system saves vector registers when it switches
  if (!fma || !saves_vectors || !__get_cpuid_count(7, 0, &a, &b, &c, &d)) return {};
  unsigned low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  constexpr unsigned kYmm = 0x6, kZmm = 0xe6;
  constexpr unsigned kAvx512 = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31;  // F, DQ, BW, VL
  const bool avx2 = (low & kYmm) == kYmm && (b >> 5 & 1);
  return {avx2, avx2 && (low & kZmm) == kZmm && (b & kAvx512) == kAvx512};
#else
  return {};
#endif
}

}  // namespace

const EncodeCore* find_encode_core(const char* name) {
  const Features features = features_of_processor();
  (void)features;
  const auto wanted = [name](const EncodeCore& core) { return !name || std::strcmp(name, core.name) == 0; };
#if ESPALIER_X86
  if (features.avx512 && wanted(avx512::encode_core)) return &avx512::encode_core;
  if (features.avx2 && wanted(avx2::encode_core)) return &avx2::encode_core;
#endif
  return wanted(portable::encode_core) ? &portable::encode_core : nullptr;
}

}  // namespace espalier
