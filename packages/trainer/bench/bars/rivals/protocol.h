// protocol.h -- how a rival is driven: one request a line on stdin, one line of numbers back. A process of its own keeps
// its thread pool apart from ours; it answers bursts, so that rivals can take turns.
#pragma once
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

// Wall time, or with ESPALIER_BENCH_CLOCK=cpu the processor time of all threads: what a shared machine does not distort.
inline double now() {
  static const char* const clock = std::getenv("ESPALIER_BENCH_CLOCK");
  if (clock && std::strcmp(clock, "cpu") == 0) {
    timespec spent;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
    return static_cast<double>(spent.tv_sec) + 1e-9 * static_cast<double>(spent.tv_nsec);
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Calls `work` for about `seconds`, at least twice, and prints the seconds of each call.
template <typename Work>
void answer_burst(double seconds, Work work) {
  const double end = now() + seconds;
  int calls = 0;
  for (double start = now(); calls < 2 || start < end; ++calls) {
    work();
    const double done = now();
    std::printf("%.9g ", done - start);
    start = done;
  }
  std::printf("\n");
  std::fflush(stdout);
}

struct GemmRequest {
  int M, N, K, trans_a, trans_b, threads, prepacked, bf16;
  double seconds;
};

// "gemm M N K transA transB threads prepacked bf16 seconds"
inline bool read_gemm(GemmRequest& r) {
  return std::scanf(" gemm %d %d %d %d %d %d %d %d %lf", &r.M, &r.N, &r.K, &r.trans_a, &r.trans_b, &r.threads,
                    &r.prepacked, &r.bf16, &r.seconds) == 9;
}

// The same numbers as ours: value i is a small fraction made from i.
inline void fill(std::vector<float>& values, std::size_t count) {
  values.resize(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>(static_cast<int>(i * 2654435761u >> 20) - 2048) / 2048.0f;
}
