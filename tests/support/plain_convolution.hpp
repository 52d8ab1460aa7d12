// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "plain_product.hpp"
#if defined(__CUDACC__) && defined(ANODIFF_HAS_CUDNN)
#include <anodiff/engines/cudnn.cuh>
#endif

namespace anodiff::test {

#if defined(__CUDACC__)
inline constexpr bool convolves =
#if defined(ANODIFF_HAS_CUDNN)
    true;
using device_convolution = cudnn_convolution;
#else
    false;  // unfolding is all there is
#endif
#else
inline constexpr bool convolves = true;
/// Stands in for cudnn_convolution on the host, and leaves to others what that one leaves.
class device_convolution final : public convolution {
 public:
  explicit device_convolution(device::stream) noexcept {}
  [[nodiscard]] bool run(const ops::conv2d_forward<float>& op, device::stream on) override { return sum(op, on); }
  [[nodiscard]] bool run(const ops::conv2d_backward<float>& op, device::stream on) override { return sum(op, on); }

 private:
  template <class Operation>
  static bool sum(const Operation& op, device::stream on) {
    if (op.shape.is_pointwise() || op.shape.same_everywhere) return false;
    shim::put_on(on, [op] { ops::reference::run(op); });
    return true;
  }
};
#endif

/// An engine that convolves where it can, on the GPU or on the host in its place.
[[nodiscard]] inline cuda_engine convolving_engine() {
  auto on = network_engine();
#if !defined(__CUDACC__) || defined(ANODIFF_HAS_CUDNN)
  on.convolve_by(std::make_shared<device_convolution>(on.stream()));
#endif
  return on;
}

}  // namespace anodiff::test
