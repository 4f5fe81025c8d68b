// onednn.cc -- oneDNN's matmul primitive, fp32; with `prepacked`, b is reordered beforehand into the layout that the
// primitive asks for. Link with -ldnnl -fopenmp.
#include <dnnl.hpp>
#include <omp.h>

#include "protocol.h"

using dnnl::memory;

int main() {
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  dnnl::stream stream(engine);
  GemmRequest r;
  std::vector<float> a, b, c;
  while (read_gemm(r)) {
    omp_set_num_threads(r.threads);
    fill(a, std::size_t(r.M) * r.K);
    fill(b, std::size_t(r.K) * r.N);
    c.resize(std::size_t(r.M) * r.N);
    const auto f32 = memory::data_type::f32;
    const auto layout = [](int transposed) { return transposed ? memory::format_tag::ba : memory::format_tag::ab; };
    const memory::desc a_desc({r.M, r.K}, f32, layout(r.trans_a)), b_desc({r.K, r.N}, f32, layout(r.trans_b));
    const memory::desc c_desc({r.M, r.N}, f32, memory::format_tag::ab);
    const memory::desc any({r.K, r.N}, f32, memory::format_tag::any);
    const dnnl::matmul::primitive_desc description({a_desc, r.prepacked ? any : b_desc, c_desc}, engine);
    const dnnl::matmul primitive(description);
    memory a_memory(a_desc, engine, a.data()), b_memory(b_desc, engine, b.data()), c_memory(c_desc, engine, c.data());
    memory packed = b_memory;
    if (description.weights_desc() != b_desc) {
      packed = memory(description.weights_desc(), engine);
      dnnl::reorder(b_memory, packed).execute(stream, b_memory, packed);
      stream.wait();
    }
    const auto product = [&] {
      primitive.execute(stream, {{DNNL_ARG_SRC, a_memory}, {DNNL_ARG_WEIGHTS, packed}, {DNNL_ARG_DST, c_memory}});
      stream.wait();
    };
    product();
    answer_burst(r.seconds, product);
  }
}
