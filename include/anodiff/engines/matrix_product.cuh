// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/linear.cuh>

namespace anodiff {

/// Who multiplies matrices for a cuda_engine: cublas_product (engines/cublas.cuh), or what a program brings. What it
/// puts on the stream neither waits nor allocates from the second call of a shape on, and always sums in one order.
class matrix_product {
 public:
  virtual ~matrix_product() = default;
  virtual void run(const ops::cuda::dense_product<float>& product, device::stream on) = 0;
  virtual void run(const ops::cuda::dense_product<device::bfloat16>& product, device::stream on) = 0;
};

}  // namespace anodiff
