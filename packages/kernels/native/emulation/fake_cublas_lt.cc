// fake_cublas_lt.cc -- a stand-in for cuBLASLt, for tests without a GPU: the functions that cuda/cublas_lt.cc opens, by
// plain loops over host memory in the library's own (column-major) terms. Built as a library of that name, found through
// ESPALIER_CUDA_LIBRARIES. It has no algorithm for products of K = 9, for GELU and its
// gradient of K = 32, for an argument of GELU whose rows are no multiple of 8 elements, and for a result in bf16 whose bias is
// fp32 (as the library's documentation has it), and for gradients of biases beside another epilogue or of K = 40. With ESPALIER_FAKE_CUBLASLT_LOG it appends a line for every heuristic and
// product to that file.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

enum { R_32F = 0, R_16BF = 14 };

struct Desc {
  int32_t pointer_mode = 0, trans_a = 0, trans_b = 0, aux_type = -1, bias_type = -1;
  uint32_t epilogue = 1;
  const void* bias = nullptr;
  void* aux = nullptr;
  int64_t aux_stride = 0;
};
struct Layout {
  int type;
  uint64_t rows, columns;
  int64_t stride;
};
struct Preference {
  uint64_t workspace = 0;
  uint32_t alignment[4] = {256, 256, 256, 256};
};
struct Result {
  uint64_t algorithm[8];
  size_t workspace;
  int state;
  float waves;
  int reserved[4];
};

float element(const void* data, int type, int64_t i) {
  if (type == R_32F) return static_cast<const float*>(data)[i];
  const uint32_t bits = static_cast<uint32_t>(static_cast<const uint16_t*>(data)[i]) << 16;
  float x;
  std::memcpy(&x, &bits, 4);
  return x;
}

void put(void* data, int type, int64_t i, float x) {
  if (type == R_32F) {
    static_cast<float*>(data)[i] = x;
    return;
  }
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  static_cast<uint16_t*>(data)[i] = static_cast<uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

void note(const char* what, const Desc& desc, const Layout& a, const Layout& d) {
  const char* path = std::getenv("ESPALIER_FAKE_CUBLASLT_LOG");
  if (!path) return;
  if (FILE* file = std::fopen(path, "a")) {
    const uint64_t k = desc.trans_a ? a.rows : a.columns;
    std::fprintf(file, "%s m=%llu n=%llu k=%llu epilogue=%u\n", what, static_cast<unsigned long long>(d.rows),
                 static_cast<unsigned long long>(d.columns), static_cast<unsigned long long>(k), desc.epilogue);
    std::fclose(file);
  }
}

constexpr int kInvalid = 7, kUnsupported = 15;
constexpr uint64_t kMark = 0x6573;  // of an algorithm that this library gave out

}  // namespace

EXPORT size_t cublasLtGetVersion() { return 130002; }

EXPORT int cublasLtCreate(void** handle) {
  *handle = new int(0);
  return 0;
}

EXPORT int cublasLtMatmulDescCreate(void** desc, int compute_type, int scale_type) {
  if (compute_type != 68 || scale_type != R_32F) return kUnsupported;
  *desc = new Desc;
  return 0;
}
EXPORT int cublasLtMatmulDescDestroy(void* desc) {
  delete static_cast<Desc*>(desc);
  return 0;
}

EXPORT int cublasLtMatmulDescSetAttribute(void* desc, int attribute, const void* value, size_t bytes) {
  Desc& d = *static_cast<Desc*>(desc);
  const auto take = [&](auto& field) {
    if (bytes != sizeof(field)) return kInvalid;
    std::memcpy(&field, value, bytes);
    return 0;
  };
  switch (attribute) {
    case 2: return take(d.pointer_mode);
    case 3: return take(d.trans_a);
    case 4: return take(d.trans_b);
    case 7: return take(d.epilogue);
    case 8: return take(d.bias);
    case 11: return take(d.aux);
    case 12: return take(d.aux_stride);
    case 22: return take(d.aux_type);
    case 26: return take(d.bias_type);
    default: return kInvalid;
  }
}

EXPORT int cublasLtMatrixLayoutCreate(void** layout, int type, uint64_t rows, uint64_t columns, int64_t stride) {
  if ((type != R_32F && type != R_16BF) || stride < static_cast<int64_t>(rows)) return kInvalid;
  *layout = new Layout{type, rows, columns, stride};
  return 0;
}
EXPORT int cublasLtMatrixLayoutDestroy(void* layout) {
  delete static_cast<Layout*>(layout);
  return 0;
}

EXPORT int cublasLtMatmulPreferenceCreate(void** preference) {
  *preference = new Preference;
  return 0;
}
EXPORT int cublasLtMatmulPreferenceDestroy(void* preference) {
  delete static_cast<Preference*>(preference);
  return 0;
}
EXPORT int cublasLtMatmulPreferenceSetAttribute(void* preference, int attribute, const void* value, size_t bytes) {
  Preference& p = *static_cast<Preference*>(preference);
  if (attribute == 1 && bytes == 8) std::memcpy(&p.workspace, value, 8);
  else if (attribute >= 5 && attribute <= 8 && bytes == 4) std::memcpy(&p.alignment[attribute - 5], value, 4);
  else return kInvalid;
  return 0;
}

EXPORT int cublasLtMatmulAlgoGetHeuristic(void*, void* desc, void* a, void* b, void* c, void* d, void* preference, int wanted, Result* results, int* found) {
  const Desc& of = *static_cast<Desc*>(desc);
  const Layout &A = *static_cast<Layout*>(a), &B = *static_cast<Layout*>(b), &D = *static_cast<Layout*>(d);
  const uint64_t m = of.trans_a ? A.columns : A.rows, k = of.trans_a ? A.rows : A.columns;
  const uint64_t k_of_b = of.trans_b ? B.columns : B.rows, n = of.trans_b ? B.rows : B.columns;
  *found = 0;
  if (m != D.rows || n != D.columns || k != k_of_b || A.type != B.type || c != d || wanted < 1) return kInvalid;
  if (static_cast<Preference*>(preference)->workspace == 0) return kInvalid;
  note("heuristic", of, A, D);
  if (k == 9 || (k == 32 && (of.epilogue & (32 | 64)))) return kUnsupported;
  if ((of.epilogue & 128) && of.aux_stride % 8 != 0) return kUnsupported;
  if ((of.epilogue & 4) && D.type == R_16BF && of.bias_type != R_16BF) return kUnsupported;
  const uint32_t sums = of.epilogue & (256 | 512);
  if (sums && (sums != of.epilogue || k == 40 || !of.bias || of.bias_type < 0)) return kUnsupported;
  *results = Result{};
  results->algorithm[0] = kMark;
  *found = 1;
  return 0;
}

EXPORT int cublasLtMatmul(void*, void* desc, const void* alpha, const void* a, void* a_layout, const void* b, void* b_layout, const void* beta,
                          const void* c, void* c_layout, void* d, void* d_layout, const uint64_t* algorithm, void* workspace, size_t workspace_bytes, void*) {
  const Desc& of = *static_cast<Desc*>(desc);
  const Layout &A = *static_cast<Layout*>(a_layout), &B = *static_cast<Layout*>(b_layout), &C = *static_cast<Layout*>(c_layout), &D = *static_cast<Layout*>(d_layout);
  if (algorithm[0] != kMark || workspace_bytes == 0) return kInvalid;
  std::memset(workspace, 0xff, workspace_bytes);  // it is the library's to write on
  note(of.pointer_mode ? "product with scales of the device" : "product", of, A, D);
  const float scale = *static_cast<const float*>(alpha), old = *static_cast<const float*>(beta);
  const int64_t K = static_cast<int64_t>(of.trans_a ? A.rows : A.columns);
  const bool with_bias = of.epilogue & 4, with_gelu = of.epilogue & 32, with_aux = of.epilogue & 128, with_gelu_grad = of.epilogue & 64;
  // The gradient of a bias: of A a number for each row of D, of B one for each column; overwritten.
  const auto sum_over_k = [&](const void* x, const Layout& X, bool k_along_rows, int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      double sum = 0;
      for (int64_t k = 0; k < K; ++k) sum += static_cast<double>(element(x, X.type, k_along_rows ? k + i * X.stride : i + k * X.stride));
      put(const_cast<void*>(of.bias), of.bias_type, i, static_cast<float>(sum));
    }
  };
  if (of.epilogue & 256) sum_over_k(a, A, of.trans_a, static_cast<int64_t>(D.rows));
  if (of.epilogue & 512) sum_over_k(b, B, !of.trans_b, static_cast<int64_t>(D.columns));
  for (int64_t j = 0; j < static_cast<int64_t>(D.columns); ++j) {
    for (int64_t i = 0; i < static_cast<int64_t>(D.rows); ++i) {
      double sum = 0;
      for (int64_t k = 0; k < K; ++k) {
        sum += static_cast<double>(element(a, A.type, of.trans_a ? k + i * A.stride : i + k * A.stride)) *
               static_cast<double>(element(b, B.type, of.trans_b ? j + k * B.stride : k + j * B.stride));
      }
      float z = scale * static_cast<float>(sum);
      if (old != 0.0f) z += old * element(c, C.type, i + j * C.stride);
      if (with_bias) z += element(of.bias, of.bias_type, i);
      if (with_gelu_grad) {
        const float x = element(of.aux, of.aux_type, i + j * of.aux_stride), t = std::tanh(0.7978845608f * (x + 0.044715f * x * x * x));
        z *= 0.5f * (1.0f + t) + 0.5f * x * (1.0f - t * t) * 0.7978845608f * (1.0f + 3.0f * 0.044715f * x * x);
      } else if (with_aux) put(of.aux, of.aux_type, i + j * of.aux_stride, z);
      if (with_gelu) z = 0.5f * z * (1.0f + std::tanh(0.7978845608f * (z + 0.044715f * z * z * z)));
      put(d, D.type, i + j * D.stride, z);
    }
  }
  return 0;
}
