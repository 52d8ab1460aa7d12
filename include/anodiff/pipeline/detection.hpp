// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/tensor.hpp>
#include <vector>

namespace anodiff {

/// What a detector says of n samples.
struct detection {
  std::vector<double> score;             ///< (n); higher is more anomalous
  std::vector<double> p_value;           ///< (n), (0, 1]; empty without calibration
  std::vector<std::uint8_t> is_anomaly;  ///< (n), 1 where the score exceeds the threshold; empty without calibration
  tensor<float, 2> evidence;  ///< (n, elements of a sample): how much each element adds; (0, 0) where not wanted

  /// The evidence of sample i, in the order of the sample's elements.
  [[nodiscard]] std::span<const float> map(index i) const noexcept { return evidence.row(i); }
  [[nodiscard]] index size() const noexcept { return static_cast<index>(score.size()); }
};

}  // namespace anodiff
