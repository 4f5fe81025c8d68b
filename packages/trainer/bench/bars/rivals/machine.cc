// machine.cc -- what this machine can do at most: fp32 multiply-adds in registers, and copying memory.
//   "fma threads seconds": GFLOP/s of fp32 multiply-adds in registers, of each burst of some milliseconds.
//   "dot threads seconds": the same for bf16 pairs summed into fp32 (0 where the processor has no such instruction).
//   "read threads seconds": GB/s of each pass that sums 128 MB in huge pages.
//   "copy threads seconds": GB/s of each pass over 256 MB, bytes read plus bytes written, huge pages, stores that bypass
//   the caches: with ordinary ones the memory would move every target line twice, and the bar would be a third lower.
#include <immintrin.h>
#include <sys/mman.h>

#include <thread>

#include "protocol.h"

#if defined(__AVX512F__)
using Vector = __m512;
static Vector fma(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }
static Vector splat(float x) { return _mm512_set1_ps(x); }
static float first(Vector a) { return _mm512_cvtss_f32(a); }
static void stream(float* to, const float* from) { _mm512_stream_ps(to, _mm512_load_ps(from)); }
#else
using Vector = __m256;
static Vector fma(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }
static Vector splat(float x) { return _mm256_set1_ps(x); }
static float first(Vector a) { return _mm256_cvtss_f32(a); }
static void stream(float* to, const float* from) { _mm256_stream_ps(to, _mm256_load_ps(from)); }
#endif
// As many sums as registers hold, so that two units are busy whatever the latency of their instructions.
constexpr int kSums = sizeof(Vector) == 64 ? 24 : 12;
constexpr int kRounds = 1 << 21;  // 6 ms and more: threads that begin on one core are apart by then
#if defined(__AVX512BF16__)
static Vector dot(Vector sum, Vector x, Vector y) {
  return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(x), reinterpret_cast<__m512bh>(y));
}
constexpr int kDotWork = 2;
#else
static Vector dot(Vector sum, Vector, Vector) { return sum; }
constexpr int kDotWork = 0;
#endif

static volatile float sink;

template <bool kDot>
static void multiply_add() {
  Vector sums[kSums];
  for (int i = 0; i < kSums; ++i) sums[i] = splat(static_cast<float>(i));
  const Vector x = splat(0.999f), y = splat(0.001f);
  for (int round = 0; round < kRounds; ++round) {
#pragma GCC unroll 32
    for (int i = 0; i < kSums; ++i) sums[i] = kDot ? dot(sums[i], x, y) : fma(sums[i], x, y);
  }
  Vector total = splat(0);
#pragma GCC unroll 32
  for (int i = 0; i < kSums; ++i) total = fma(sums[i], x, total);
  sink = first(total);
}

static void sum_of(const float* from, std::size_t count) {
  constexpr std::size_t kLanes = sizeof(Vector) / sizeof(float);
  const Vector one = splat(1);
  Vector sums[8];
  for (Vector& sum : sums) sum = splat(0);
  for (std::size_t at = 0; at < count; at += 8 * kLanes) {
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) sums[i] = fma(*reinterpret_cast<const Vector*>(from + at + static_cast<std::size_t>(i) * kLanes), one, sums[i]);
  }
  Vector total = splat(0);
  for (const Vector& sum : sums) total = fma(sum, one, total);
  sink = first(total);
}

template <typename Work>
static double seconds_of(int threads, Work work) {
  std::vector<std::thread> others;
  const double start = now();
  for (int i = 1; i < threads; ++i) others.emplace_back([&, i] { work(i); });
  work(0);
  for (std::thread& other : others) other.join();
  return now() - start;
}

int main() {
  constexpr std::size_t kBytes = std::size_t(128) << 20, kHuge = std::size_t(2) << 20;
  char* const mapped = static_cast<char*>(
      mmap(nullptr, 2 * kBytes + kHuge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  if (mapped == MAP_FAILED) return 1;
  char* const from = reinterpret_cast<char*>((reinterpret_cast<std::size_t>(mapped) + kHuge - 1) & ~(kHuge - 1));
  char* const to = from + kBytes;
  madvise(from, 2 * kBytes, MADV_HUGEPAGE);
  std::memset(from, 1, 2 * kBytes);
  char what[16];
  int threads;
  double seconds;
  while (std::scanf(" %15s %d %lf", what, &threads, &seconds) == 3) {
    const bool copies = std::string(what) == "copy", dots = std::string(what) == "dot", reads = std::string(what) == "read";
    const double end = now() + seconds;
    do {
      const double spent = seconds_of(threads, [&](int i) {
        if (!copies && !reads) return dots ? multiply_add<true>() : multiply_add<false>();
        const std::size_t share = kBytes / static_cast<std::size_t>(threads) / sizeof(Vector);
        const float* source = reinterpret_cast<const float*>(from) + share * sizeof(Vector) / 4 * static_cast<std::size_t>(i);
        if (reads) return sum_of(source, share * sizeof(Vector) / 4);
        float* target = reinterpret_cast<float*>(to) + (source - reinterpret_cast<const float*>(from));
        for (std::size_t v = 0; v < share * sizeof(Vector) / 4; v += sizeof(Vector) / 4) stream(target + v, source + v);
        _mm_sfence();
      });
      const double flops = 2.0 * (dots ? kDotWork : 1) * sizeof(Vector) / sizeof(float) * kSums * kRounds * threads;
      std::printf("%.6g ", (copies ? 2.0 * kBytes : reads ? 1.0 * kBytes : flops) / spent / 1e9);
    } while (now() < end);
    std::printf("\n");
    std::fflush(stdout);
  }
}
