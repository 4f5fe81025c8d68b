// denormals.h -- numbers below 1.2e-38 count as zero on the threads that run kernels.
//
// They carry no information that training uses, and one of them costs 50 to 150 cycles on many processors: a GELU far
// on the negative side, or a forgotten second moment, would otherwise slow an op several times. Every thread of an
// executor is set alike, so results stay independent of who runs a task.
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace espalier {

inline void flush_denormals_on_this_thread() {
#if defined(__x86_64__)
  constexpr unsigned kFlushToZero = 0x8000, kDenormalsAreZero = 0x0040;
  _mm_setcsr(_mm_getcsr() | kFlushToZero | kDenormalsAreZero);
#elif defined(__aarch64__)
  unsigned long control;
  __asm__ volatile("mrs %0, fpcr" : "=r"(control));
  __asm__ volatile("msr fpcr, %0" : : "r"(control | 1ul << 24));
#endif
}

}  // namespace espalier
