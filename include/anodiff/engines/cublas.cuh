// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cublasLt.h>

#include <anodiff/core/device.cuh>
#include <memory>
#include <vector>

namespace anodiff {

/// Matrix products by cuBLASLt, as ops::cuda::run(linear_forward, product, stream) asks for them; link cublasLt. The
/// algorithm is chosen once for each shape, so that a shape always gives the same bits. Not to be used by two threads
/// at once.
class cublas_product {
 public:
  /// Throws cuda_error where cuBLASLt cannot start, memory_error where its workspace does not fit.
  explicit cublas_product(device::stream on) : on_{on} {
    device::require_gpu();
    cublasLtHandle_t made = nullptr;
    check(cublasLtCreate(&made), "cublasLtCreate");
    handle_.reset(made);
    workspace_ = device::allocate_bytes(workspace_bytes, on_);
  }
  ~cublas_product() {
    if (workspace_ != nullptr) device::release_bytes(workspace_, on_);
  }
  cublas_product(const cublas_product&) = delete;
  cublas_product& operator=(const cublas_product&) = delete;

  /// z (rows, out) = x (rows, in) weight (in, out), all row-major; T is float (in full float) or device::bfloat16 (sums
  /// in float).
  template <class T>
  void operator()(const T* x, const T* weight, T* z, index rows, index in, index out, device::stream on) {
    static_assert(std::is_same_v<T, float> || std::is_same_v<T, device::bfloat16>);
    const plan& p = plan_for(std::is_same_v<T, float> ? CUDA_R_32F : CUDA_R_16BF, rows, in, out);
    const float one = 1, zero = 0;
    check(cublasLtMatmul(handle_.get(), p.product.get(), &one, weight, p.a.get(), x, p.b.get(), &zero, z, p.c.get(), z,
                         p.c.get(), &p.algorithm, workspace_, workspace_bytes, on),
          "cublasLtMatmul");
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
    index rows, in, out;
    owned<cublasLtMatmulDesc_t> product;
    owned<cublasLtMatrixLayout_t> a, b, c;
    cublasLtMatmulAlgo_t algorithm;
  };

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
  [[nodiscard]] const plan& plan_for(cudaDataType_t type, index rows, index in, index out) {
    for (const auto& p : plans_)
      if (p.type == type && p.rows == rows && p.in == in && p.out == out) return p;
    plan p{.type = type, .rows = rows, .in = in, .out = out};
    cublasLtMatmulDesc_t product = nullptr;
    check(cublasLtMatmulDescCreate(&product, CUBLAS_COMPUTE_32F, CUDA_R_32F), "cublasLtMatmulDescCreate");
    p.product.reset(product);
    p.a = layout(type, in, out);
    p.b = layout(type, rows, in);
    p.c = layout(type, rows, out);
    cublasLtMatmulPreference_t preference = nullptr;
    check(cublasLtMatmulPreferenceCreate(&preference), "cublasLtMatmulPreferenceCreate");
    const owned<cublasLtMatmulPreference_t> kept{preference};
    check(cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &workspace_bytes,
                                               sizeof workspace_bytes),
          "cublasLtMatmulPreferenceSetAttribute");
    cublasLtMatmulHeuristicResult_t found{};
    int count = 0;
    check(cublasLtMatmulAlgoGetHeuristic(handle_.get(), product, p.a.get(), p.b.get(), p.c.get(), p.c.get(), preference,
                                         1, &found, &count),
          "cublasLtMatmulAlgoGetHeuristic");
    anodiff::check<cuda_error>(count == 1, "cublas_product: cuBLASLt has no algorithm for (", rows, ", ", in,
                               ") times (", in, ", ", out, ")");
    p.algorithm = found.algo;
    plans_.push_back(std::move(p));
    return plans_.back();
  }

  device::stream on_;
  owned<cublasLtHandle_t> handle_;
  void* workspace_ = nullptr;
  std::vector<plan> plans_;
};

}  // namespace anodiff
