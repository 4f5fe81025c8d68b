#include "executor/instruction_path.h"

#include <cstring>

#if defined(__x86_64__) || defined(_M_X64)
#define ESPALIER_X86 1
#include <cpuid.h>
#endif

namespace espalier {

namespace portable { extern const OpTable op_table; }
#if ESPALIER_X86
namespace avx2 { extern const OpTable op_table; }
namespace avx512 { extern const OpTable op_table; }
namespace avx512bf16 { extern const OpTable op_table; }
#endif

namespace {

struct Candidate {
  InstructionPath path;
  bool (*supported)();
};

bool always() { return true; }

#if ESPALIER_X86
// cpuid and xgetbv by hand: __builtin_cpu_supports needs a symbol of the compiler's runtime that a shared library
// cannot always reach.
struct Features {
  bool avx2, avx512, avx512bf16;
};

Features features_of_processor() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return {};
  const bool fma = c >> 12 & 1, saves_vectors = c >> 27 & 1;  // the system saves vector registers when it switches
  if (!fma || !saves_vectors || !__get_cpuid_count(7, 0, &a, &b, &c, &d)) return {};
  unsigned low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  constexpr unsigned kYmm = 0x6, kZmm = 0xe6;
  constexpr unsigned kAvx512 = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31;  // F, DQ, BW, VL
  const bool avx2 = (low & kYmm) == kYmm && (b >> 5 & 1);
  const bool avx512 = avx2 && (low & kZmm) == kZmm && (b & kAvx512) == kAvx512;
  const bool bf16 = __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 5 & 1);
  return {avx2, avx512, avx512 && bf16};
}

bool has_avx2() { return features_of_processor().avx2; }
bool has_avx512() { return features_of_processor().avx512; }
bool has_avx512bf16() { return features_of_processor().avx512bf16; }
#endif

// Best first.
const Candidate kCandidates[] = {
#if ESPALIER_X86
    {{"avx512bf16", &avx512bf16::op_table}, has_avx512bf16},
    {{"avx512", &avx512::op_table}, has_avx512},
    {{"avx2", &avx2::op_table}, has_avx2},
#endif
    {{"portable", &portable::op_table}, always},
};

}  // namespace

const InstructionPath* find_instruction_path(const char* name) {
  for (const Candidate& candidate : kCandidates) {
    if ((!name || std::strcmp(name, candidate.path.name) == 0) && candidate.supported()) return &candidate.path;
  }
  return nullptr;
}

const OpTable& plainest_op_table() { return portable::op_table; }

}  // namespace espalier
