// openblas.cc -- OpenBLAS's single-precision matrix product. Link with -lopenblas.
#include <cblas.h>

#include "protocol.h"

int main() {
  GemmRequest r;
  std::vector<float> a, b, c;
  while (read_gemm(r)) {
    fill(a, std::size_t(r.M) * r.K);
    fill(b, std::size_t(r.K) * r.N);
    c.resize(std::size_t(r.M) * r.N);
    openblas_set_num_threads(r.threads);
    const auto product = [&] {
      cblas_sgemm(CblasRowMajor, r.trans_a ? CblasTrans : CblasNoTrans, r.trans_b ? CblasTrans : CblasNoTrans, r.M, r.N,
                  r.K, 1.0f, a.data(), r.trans_a ? r.M : r.K, b.data(), r.trans_b ? r.K : r.N, 0.0f, c.data(), r.N);
    };
    product();
    answer_burst(r.seconds, product);
  }
}
