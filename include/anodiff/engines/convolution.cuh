// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/conv2d.cuh>

namespace anodiff {

/// Who convolves for a cuda_engine: cudnn_convolution (engines/cudnn.cuh), or what a program brings. False means that
/// it has no way for this operation and has put nothing on the stream; the engine then unfolds and multiplies. What it
/// puts there neither waits nor allocates from the second call of a shape on, and always sums in one order.
class convolution {
 public:
  virtual ~convolution() = default;
  [[nodiscard]] virtual bool run(const ops::conv2d_forward<float>& operation, device::stream on) = 0;
  [[nodiscard]] virtual bool run(const ops::conv2d_backward<float>& operation, device::stream on) = 0;
};

}  // namespace anodiff
