#include "cuda/cublas_lt.h"

#include <cstdlib>
#include <cstring>

#include "cuda/launch.h"
#include "cuda/libraries.h"

namespace espalier {

namespace {

// Values of cublasLt.h, cublas_api.h and library_types.h; the same from CUDA 11 to 13.
constexpr int kF32 = 0, kBf16 = 14;                 // cudaDataType_t
constexpr int kComputeF32 = 68;                     // cublasComputeType_t
constexpr int32_t kTransposed = 1;                  // cublasOperation_t
constexpr int32_t kScalesOnDevice = 1;              // cublasLtPointerMode_t
constexpr int kDescPointerMode = 2, kDescTransA = 3, kDescTransB = 4, kDescEpilogue = 7, kDescBias = 8, kDescAux = 11,
              kDescAuxStride = 12, kDescAuxType = 22, kDescBiasType = 26;  // cublasLtMatmulDescAttributes_t
constexpr uint32_t kEpilogueNone = 1, kEpilogueBias = 4, kEpilogueGelu = 32, kEpilogueGeluGrad = 64, kEpilogueAux = 128,
                   kEpilogueSumsA = 256, kEpilogueSumsB = 512;  // bits of cublasLtEpilogue_t
constexpr int kPreferWorkspace = 1, kPreferAlignment = 5;  // of a; b, c and d follow
constexpr int kNotSupported = 15;                   // cublasStatus_t

struct Algorithm {  // cublasLtMatmulAlgo_t
  uint64_t data[8];
};
struct HeuristicResult {  // cublasLtMatmulHeuristicResult_t
  Algorithm algorithm;
  std::size_t workspace_bytes;
  int state;
  float waves;
  int reserved[4];
};
static_assert(sizeof(HeuristicResult) == 96, "the layout of cublasLt.h");

}  // namespace

bool operator<(const LtKind& a, const LtKind& b) {
  const auto key = [](const LtKind& k) {
    return std::make_tuple(k.M, k.N, k.K, k.lda, k.ldb, k.trans_a, k.trans_b, k.bf16_factors, k.bf16_result, k.bias, k.bf16_bias, k.gelu,
                           k.save_pre, k.gelu_grad, k.bias_grad_of, k.device_scales);
  };
  return key(a) < key(b);
}

struct CublasLt::Functions {
  std::size_t (*get_version)();
  int (*create)(void** handle);
  int (*desc_create)(void** desc, int compute_type, int scale_type);
  int (*desc_set)(void* desc, int attribute, const void* value, std::size_t bytes);
  int (*desc_destroy)(void* desc);
  int (*layout_create)(void** layout, int dtype, uint64_t rows, uint64_t columns, int64_t stride);
  int (*layout_destroy)(void* layout);
  int (*preference_create)(void** preference);
  int (*preference_set)(void* preference, int attribute, const void* value, std::size_t bytes);
  int (*preference_destroy)(void* preference);
  int (*heuristic)(void* handle, void* desc, void* a, void* b, void* c, void* d, void* preference, int wanted, HeuristicResult* results, int* found);
  int (*matmul)(void* handle, void* desc, const void* alpha, const void* a, void* a_layout, const void* b, void* b_layout, const void* beta,
                const void* c, void* c_layout, void* d, void* d_layout, const Algorithm* algorithm, void* workspace, std::size_t workspace_bytes,
                cudaStream_t stream);

  Functions() {
    const OpenedLibrary& library = cublas_lt_library();
    const auto set = [&](auto& function, const char* symbol) {
      function = reinterpret_cast<std::decay_t<decltype(function)>>(library.function(symbol));
    };
    set(get_version, "cublasLtGetVersion");
    set(create, "cublasLtCreate");
    set(desc_create, "cublasLtMatmulDescCreate");
    set(desc_set, "cublasLtMatmulDescSetAttribute");
    set(desc_destroy, "cublasLtMatmulDescDestroy");
    set(layout_create, "cublasLtMatrixLayoutCreate");
    set(layout_destroy, "cublasLtMatrixLayoutDestroy");
    set(preference_create, "cublasLtMatmulPreferenceCreate");
    set(preference_set, "cublasLtMatmulPreferenceSetAttribute");
    set(preference_destroy, "cublasLtMatmulPreferenceDestroy");
    set(heuristic, "cublasLtMatmulAlgoGetHeuristic");
    set(matmul, "cublasLtMatmul");
  }
};

namespace {

bool has_aux(const LtKind& kind) { return (kind.gelu && kind.save_pre) || kind.gelu_grad; }

void expect_ok(int status, const char* what) {
  if (status) throw Failure{ESPALIER_DEVICE, std::string("cuBLASLt: ") + what + ": status " + std::to_string(status) + ". Set ESPALIER_CUDA_PRODUCTS=own to multiply without it."};
}

}  // namespace

// Descriptors and algorithm of one kind of product.
struct CublasLt::Plan {
  explicit Plan(std::shared_ptr<Functions> functions) : lt(std::move(functions)) {}
  ~Plan() {
    for (void* layout : {a, b, d}) {
      if (layout) lt->layout_destroy(layout);
    }
    if (desc) lt->desc_destroy(desc);
  }
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  template <class T>
  void set(int attribute, const T& value) {
    expect_ok(lt->desc_set(desc, attribute, &value, sizeof(value)), "describing a product");
  }

  std::shared_ptr<Functions> lt;
  void *desc = nullptr, *a = nullptr, *b = nullptr, *d = nullptr;
  bool possible = false;
  Algorithm algorithm{};
};

// How opening went.
struct CublasLt::Start {
  std::unique_ptr<CublasLt> made;
  std::string sentence;
  bool required = false;

  Start() {
    const char* setting = std::getenv("ESPALIER_CUDA_PRODUCTS");
    required = setting && std::strcmp(setting, "cublasLt") == 0;
    if (setting && std::strcmp(setting, "own") == 0) {
      sentence = "cuBLASLt not wanted (ESPALIER_CUDA_PRODUCTS=own)";
      return;
    }
    try {
      cublas_lt_library().expect_there("products");
      made.reset(new CublasLt(std::make_shared<Functions>()));
      const std::size_t version = made->functions_->get_version();  // 130100, from 13 on; 120805 before
      sentence = "cuBLASLt " + std::to_string(version / 10000) + "." + std::to_string(version / 100 % 100) + "." + std::to_string(version % 100) +
                 " from " + cublas_lt_library().path;
    } catch (const Failure& failure) {
      sentence = cublas_lt_library().handle ? failure.message : cublas_lt_library().sentence();
    }
  }
};

CublasLt::CublasLt(std::shared_ptr<Functions> functions) : functions_(std::move(functions)) {
  const int status = functions_->create(&handle_);
  if (status) throw Failure{ESPALIER_UNSUPPORTED, "cuBLASLt: " + cublas_lt_library().path + " does not start: status " + std::to_string(status) + "."};
}

const CublasLt::Start& CublasLt::start() {
  static const Start started;
  return started;
}

CublasLt* CublasLt::get() {
  const Start& started = start();
  if (started.required && !started.made) throw Failure{ESPALIER_UNSUPPORTED, "products: " + started.sentence + ". Install it, name its directory in ESPALIER_CUDA_LIBRARIES, or unset ESPALIER_CUDA_PRODUCTS."};
  return started.made.get();
}

std::string CublasLt::sentence() { return start().sentence; }

std::shared_ptr<CublasLt::Plan> CublasLt::planned(const LtKind& kind) {
  const auto known = plans_.find(kind);
  if (known != plans_.end()) return known->second;
  const Functions& lt = *functions_;
  auto plan = std::make_shared<Plan>(functions_);
  expect_ok(lt.desc_create(&plan->desc, kComputeF32, kF32), "describing a product");
  // The library's A is our b, its B our a.
  if (kind.trans_b) plan->set(kDescTransA, kTransposed);
  if (kind.trans_a) plan->set(kDescTransB, kTransposed);
  if (kind.device_scales) plan->set(kDescPointerMode, kScalesOnDevice);
  const bool aux = has_aux(kind);
  uint32_t epilogue = (kind.bias ? kEpilogueBias : 0) | (kind.gelu ? kEpilogueGelu : 0) | (kind.gelu_grad ? kEpilogueGeluGrad : 0) | (aux ? kEpilogueAux : 0);
  if (kind.bias_grad_of) epilogue |= kind.bias_grad_of == 1 ? kEpilogueSumsB : kEpilogueSumsA;
  if (epilogue == 0) epilogue = kEpilogueNone;
  plan->set(kDescEpilogue, epilogue);
  const int factors = kind.bf16_factors ? kBf16 : kF32, result = kind.bf16_result ? kBf16 : kF32;
  void* const aligned = reinterpret_cast<void*>(uintptr_t(256));  // the heuristic looks at the alignment of addresses alone
  if (kind.bias || kind.bias_grad_of) {
    plan->set(kDescBias, aligned);
    plan->set(kDescBiasType, kind.bf16_bias ? kBf16 : kF32);
  }
  if (aux) {
    plan->set(kDescAux, aligned);
    plan->set(kDescAuxStride, kind.N);
    plan->set(kDescAuxType, result);
  }
  const auto unsigned_of = [](int64_t size) { return static_cast<uint64_t>(size); };
  expect_ok(lt.layout_create(&plan->a, factors, unsigned_of(kind.trans_a ? kind.M : kind.K), unsigned_of(kind.trans_a ? kind.K : kind.M), kind.lda), "describing a matrix");
  expect_ok(lt.layout_create(&plan->b, factors, unsigned_of(kind.trans_b ? kind.K : kind.N), unsigned_of(kind.trans_b ? kind.N : kind.K), kind.ldb), "describing a matrix");
  expect_ok(lt.layout_create(&plan->d, result, unsigned_of(kind.N), unsigned_of(kind.M), kind.N), "describing a matrix");
  void* preference = nullptr;
  expect_ok(lt.preference_create(&preference), "choosing an algorithm");
  const uint64_t workspace = kWorkspaceBytes;
  lt.preference_set(preference, kPreferWorkspace, &workspace, sizeof(workspace));
  const uint32_t alignment = 16;  // rows of a chunk begin anywhere else
  for (int operand = 0; operand < 4; ++operand) lt.preference_set(preference, kPreferAlignment + operand, &alignment, sizeof(alignment));
  HeuristicResult best{};
  int found = 0;
  const int status = lt.heuristic(handle_, plan->desc, plan->b, plan->a, plan->d, plan->d, preference, 1, &best, &found);
  lt.preference_destroy(preference);
  if (status && status != kNotSupported) expect_ok(status, "choosing an algorithm");
  plan->possible = status == 0 && found > 0 && best.state == 0;
  plan->algorithm = best.algorithm;
  return plans_[kind] = plan;
}

bool CublasLt::multiply(cudaStream_t stream, const LtKind& kind, const LtOperands& operands) {
  std::lock_guard<std::mutex> lock(mutex_);
  const std::shared_ptr<Plan> plan = planned(kind);
  if (!plan->possible) return false;
  // Scales on the host are read when the call is made: the emulation may make it later.
  const float alpha = kind.device_scales ? 0.0f : *operands.alpha, beta = kind.device_scales ? 0.0f : *operands.beta;
  const auto call = [this, plan, kind, operands, alpha, beta, stream] {
    if (kind.bias) plan->set(kDescBias, operands.bias);
    if (kind.bias_grad_of) plan->set(kDescBias, operands.bias_grad);
    if (has_aux(kind)) plan->set(kDescAux, operands.pre);
    const void* const first = kind.device_scales ? operands.alpha : &alpha;
    const void* const second = kind.device_scales ? operands.beta : &beta;
    expect_ok(functions_->matmul(handle_, plan->desc, first, operands.b, plan->b, operands.a, plan->a, second, operands.c, plan->d, operands.d,
                                 plan->d, &plan->algorithm, operands.workspace, kWorkspaceBytes, stream),
              "multiplying");
  };
#if defined(ESPALIER_EMULATED)
  expect_success(emulation::enqueue(stream, call), "cuBLASLt");
#else
  call();
#endif
  return true;
}

}  // namespace espalier
