// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/check.hpp>
#include <limits>

namespace anodiff {

/// How clean estimates are kept in range: each element clipped to ±limit; or, with a share above 0, a sample's elements
/// clipped where that share of them is not larger, and scaled back to ±limit, so that they do not all pile up there
/// (dynamic thresholding, Saharia et al. 2022, arXiv:2205.11487, section 2.3). See ops::dynamic_threshold.
struct clipping {
  double limit = 0;                                       ///< 0: no clipping; at least 0
  double share = 0;                                       ///< 0: a fixed threshold; [0, 1]
  double most = std::numeric_limits<double>::infinity();  ///< largest dynamic threshold; at least limit

  [[nodiscard]] bool clips() const noexcept { return limit > 0; }
  [[nodiscard]] bool dynamic() const noexcept { return limit > 0 && share > 0; }
  /// Throws invalid_argument on numbers outside these ranges.
  void verify() const {
    check(limit >= 0, "clipping: the limit must not be negative, got ", limit);
    check(share >= 0 && share <= 1, "clipping: the share must lie in [0, 1], got ", share);
    check(share == 0 || most >= limit, "clipping: the largest threshold must be at least the limit ", limit, ", got ",
          most);
  }
};

}  // namespace anodiff
