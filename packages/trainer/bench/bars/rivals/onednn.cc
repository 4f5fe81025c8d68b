// onednn.cc -- oneDNN's matmul primitive, fp32 or bf16 in and fp32 out; with `prepacked`, b is reordered beforehand into
// the layout that the primitive asks for. Link with -ldnnl -fopenmp.
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
    const auto type = r.bf16 ? memory::data_type::bf16 : f32;
    const memory::desc a_desc({r.M, r.K}, type, layout(r.trans_a)), b_desc({r.K, r.N}, type, layout(r.trans_b));
    const memory::desc c_desc({r.M, r.N}, f32, memory::format_tag::ab);
    const memory::desc any({r.K, r.N}, type, memory::format_tag::any);
    const dnnl::matmul::primitive_desc description({a_desc, r.prepacked ? any : b_desc, c_desc}, engine);
    const dnnl::matmul primitive(description);
    memory a_memory(a_desc, engine), b_memory(b_desc, engine), c_memory(c_desc, engine, c.data());
    const auto take = [&](memory& to, float* from, memory::desc desc, memory::dim rows, memory::dim cols, int transposed) {
      memory source({{rows, cols}, f32, layout(transposed)}, engine, from);
      if (r.bf16) dnnl::reorder(source, to).execute(stream, source, to);
      else to = memory(desc, engine, from);
      stream.wait();
    };
    take(a_memory, a.data(), a_desc, r.M, r.K, r.trans_a);
    take(b_memory, b.data(), b_desc, r.K, r.N, r.trans_b);
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
