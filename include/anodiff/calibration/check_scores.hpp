// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/shape.hpp>
#include <cmath>
#include <span>

namespace anodiff::calibration {

/// Throws numeric_error where a score is NaN: it has no place among the others, and sorting would be undefined.
inline void check_scores(std::string_view who, std::span<const double> scores) {
  for (std::size_t i = 0; i < scores.size(); ++i)
    check<numeric_error>(!std::isnan(scores[i]), who, ": the score of calibration row ", i + 1, " is not a number");
}

}  // namespace anodiff::calibration
