// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cublasLt.h>

#include <anodiff/engines/cuda.cuh>
#include <memory>
#include <vector>

namespace anodiff {

/// Matrix products by cuBLASLt; link cublasLt. The algorithm is chosen once for each shape, so that a shape always
/// gives the same bits. Not to be used by two threads at once.
class cublas_product final : public matrix_product {
 public:
  /// Throws cuda_error where cuBLASLt cannot start, memory_error where its workspace does not fit.
  explicit cublas_product(device::stream on) : on_{on} {
    device::require_gpu();
    cublasLtHandle_t made = nullptr;
    check(cublasLtCreate(&made), "cublasLtCreate");
    handle_.reset(made);
    workspace_ = device::allocate_bytes(workspace_bytes, on_);
  }
  ~cublas_product() override {
    if (workspace_ != nullptr) device::release_bytes(workspace_, on_);
  }
  cublas_product(const cublas_product&) = delete;
  cublas_product& operator=(const cublas_product&) = delete;

  void run(const ops::cuda::dense_product<float>& product, device::stream on) override { multiply(product, on); }
  void run(const ops::cuda::dense_product<device::bfloat16>& product, device::stream on) override {
    multiply(product, on);
  }

 private:
  static constexpr std::size_t workspace_bytes = 32 << 20;

  struct destroy {
    void operator()(cublasLtHandle_t h) const noexcept { (void)cublasLtDestroy(h); }
    void operator()(cublasLtMatmulDesc_t d) const noexcept { (void)cublasLtMatmulDescDestroy(d); }
    void operator()(cublasLtMatrixLayout_t l) const noexcept { (void)cublasLtMatrixLayoutDestroy(l); }
    void operator()(cublasLtMatmulPreference_t p) const noexcept { (void)cublasLtMatmulPreferenceDestroy(p); }
  };
  template <class Handle>
  using owned = std::unique_ptr<std::remove_pointer_t<Handle>, destroy>;

  struct plan {
    cudaDataType_t type;
    index m, n, k;
    bool a_transposed, b_transposed;
    owned<cublasLtMatmulDesc_t> product;
    owned<cublasLtMatrixLayout_t> a, b, c;
    cublasLtMatmulAlgo_t algorithm;
  };

  template <class T>
  void multiply(const ops::cuda::dense_product<T>& product, device::stream on) {
    const plan& p = plan_for(std::is_same_v<T, float> ? CUDA_R_32F : CUDA_R_16BF, product);
    const float one = 1, keep = product.add ? 1 : 0;
    check(cublasLtMatmul(handle_.get(), p.product.get(), &one, product.b, p.b.get(), product.a, p.a.get(), &keep,
                         product.c, p.c.get(), product.c, p.c.get(), &p.algorithm, workspace_, workspace_bytes, on),
          "cublasLtMatmul");
  }

  static void check(cublasStatus_t code, const char* what) {
    anodiff::check<cuda_error>(code == CUBLAS_STATUS_SUCCESS, "cublas_product: ", what, " gave ",
                               cublasLtGetStatusName(code));
  }
  /// cuBLASLt counts columns first: a row-major product is that of the transposes, the other way round.
  [[nodiscard]] static owned<cublasLtMatrixLayout_t> layout(cudaDataType_t type, index rows, index columns) {
    cublasLtMatrixLayout_t made = nullptr;
    check(cublasLtMatrixLayoutCreate(&made, type, static_cast<std::uint64_t>(columns), static_cast<std::uint64_t>(rows),
                                     columns),
          "cublasLtMatrixLayoutCreate");
    return owned<cublasLtMatrixLayout_t>{made};
  }
  template <class T>
  [[nodiscard]] const plan& plan_for(cudaDataType_t type, const ops::cuda::dense_product<T>& of) {
    for (const auto& p : plans_)
      if (p.type == type && p.m == of.m && p.n == of.n && p.k == of.k && p.a_transposed == of.a_transposed &&
          p.b_transposed == of.b_transposed)
        return p;
    plan p{.type = type,
           .m = of.m,
           .n = of.n,
           .k = of.k,
           .a_transposed = of.a_transposed,
           .b_transposed = of.b_transposed};
    cublasLtMatmulDesc_t product = nullptr;
    check(cublasLtMatmulDescCreate(&product, CUBLAS_COMPUTE_32F, CUDA_R_32F), "cublasLtMatmulDescCreate");
    p.product.reset(product);
    const auto transpose = [&](cublasLtMatmulDescAttributes_t which, bool wanted) {
      const cublasOperation_t how = wanted ? CUBLAS_OP_T : CUBLAS_OP_N;
      check(cublasLtMatmulDescSetAttribute(product, which, &how, sizeof how), "cublasLtMatmulDescSetAttribute");
    };
    transpose(CUBLASLT_MATMUL_DESC_TRANSA, of.b_transposed);
    transpose(CUBLASLT_MATMUL_DESC_TRANSB, of.a_transposed);
    p.a = of.a_transposed ? layout(type, of.k, of.m) : layout(type, of.m, of.k);
    p.b = of.b_transposed ? layout(type, of.n, of.k) : layout(type, of.k, of.n);
    p.c = layout(type, of.m, of.n);
    cublasLtMatmulPreference_t preference = nullptr;
    check(cublasLtMatmulPreferenceCreate(&preference), "cublasLtMatmulPreferenceCreate");
    const owned<cublasLtMatmulPreference_t> kept{preference};
    check(cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &workspace_bytes,
                                               sizeof workspace_bytes),
          "cublasLtMatmulPreferenceSetAttribute");
    cublasLtMatmulHeuristicResult_t found{};
    int count = 0;
    check(cublasLtMatmulAlgoGetHeuristic(handle_.get(), product, p.b.get(), p.a.get(), p.c.get(), p.c.get(), preference,
                                         1, &found, &count),
          "cublasLtMatmulAlgoGetHeuristic");
    anodiff::check<cuda_error>(count == 1, "cublas_product: cuBLASLt has no algorithm for (", of.m, ", ", of.k,
                               ") times (", of.k, ", ", of.n, ")");
    p.algorithm = found.algo;
    plans_.push_back(std::move(p));
    return plans_.back();
  }

  device::stream on_;
  owned<cublasLtHandle_t> handle_;
  void* workspace_ = nullptr;
  std::vector<plan> plans_;
};

/// An engine that multiplies by cuBLASLt: what a network on the GPU needs.
[[nodiscard]] inline cuda_engine cuda_engine_with_cublas() {
  cuda_engine on;
  on.multiply_by(std::make_shared<cublas_product>(on.stream()));
  return on;
}

}  // namespace anodiff
