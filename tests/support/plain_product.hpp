// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/engines/cuda.cuh>
#if defined(__CUDACC__)
#include <anodiff/engines/cublas.cuh>
#endif

namespace anodiff::test {

#if defined(__CUDACC__)
using device_product = cublas_product;
#else
/// Stands in for cublas_product on the host: sums in double.
class device_product final : public matrix_product {
 public:
  explicit device_product(device::stream) noexcept {}
  void run(const ops::cuda::dense_product<float>& p, device::stream on) override { multiply(p, on); }
  void run(const ops::cuda::dense_product<device::bfloat16>& p, device::stream on) override { multiply(p, on); }

 private:
  template <class T>
  static void multiply(const ops::cuda::dense_product<T>& p, device::stream on) {
    shim::put_on(on, [p] {
      for (index i = 0; i < p.m; ++i)
        for (index j = 0; j < p.n; ++j) {
          double sum = p.add ? static_cast<double>(device::to_float(p.c[i * p.n + j])) : 0.0;
          for (index k = 0; k < p.k; ++k)
            sum += static_cast<double>(device::to_float(p.a[p.a_transposed ? k * p.m + i : i * p.k + k])) *
                   static_cast<double>(device::to_float(p.b[p.b_transposed ? j * p.k + k : k * p.n + j]));
          p.c[i * p.n + j] = device::from_float<T>(static_cast<float>(sum));
        }
    });
  }
};
#endif

/// An engine for networks, on the GPU or on the host in its place.
[[nodiscard]] inline cuda_engine network_engine() {
  cuda_engine on;
  on.multiply_by(std::make_shared<device_product>(on.stream()));
  return on;
}

}  // namespace anodiff::test
