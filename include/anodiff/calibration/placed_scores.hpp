// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/calibration/check_scores.hpp>
#include <anodiff/core/philox.hpp>
#include <anodiff/core/tensor.hpp>
#include <cmath>
#include <vector>

namespace anodiff::calibration {

/// Scores of calibration rows with the rows, dealt into two parts by their order alone, so that what one part teaches
/// is judged by rows that have not taught it.
struct placed_scores {
  std::vector<double> scores;
  tensor<float, 2> rows;             ///< (n, d)
  std::vector<index> learn, decide;  ///< places of each part

  placed_scores() = default;
  /// Throws invalid_argument unless there is a row for each score, numeric_error for a NaN.
  placed_scores(std::string_view who, std::span<const double> given, tensor_view<const float, 2> places, double share)
      : scores{given.begin(), given.end()}, rows{places} {
    check(places.rows() == static_cast<index>(given.size()), who, ": needs a row for each score, got ", places.rows(),
          " rows and ", given.size(), " scores");
    check_scores(who, scores);
    for (index i = 0; i < places.rows(); ++i) (learns(i, share) ? learn : decide).push_back(i);
  }
  /// Whether place i teaches, which is drawn for each place, whatever the rows.
  [[nodiscard]] static bool learns(index i, double share) noexcept {
    return random_uniform({.seed = 0, .use = purpose::split}, static_cast<std::uint64_t>(i)) < share;
  }
  [[nodiscard]] static index deciding(index n, double share) noexcept {
    index count = 0;
    for (index i = 0; i < n; ++i) count += learns(i, share) ? 0 : 1;
    return count;
  }
};

/// Squared distance of two rows.
[[nodiscard]] inline double square_distance(std::span<const float> a, std::span<const float> b) noexcept {
  double sum = 0;
  for (std::size_t j = 0; j < a.size(); ++j) {
    const double off = static_cast<double>(a[j]) - static_cast<double>(b[j]);
    sum += off * off;
  }
  return sum;
}

/// Throws invalid_argument where `deciding` rows cannot support a false-alarm rate of alpha.
inline void check_rate(std::string_view who, double alpha, index deciding, index rows) {
  check(alpha * static_cast<double>(deciding + 1) * (1 + 1e-12) >= 1, who, ": a false-alarm rate of ", alpha,
        " needs at least ", static_cast<index>(std::ceil(1 / alpha * (1 - 1e-12))) - 1, " deciding rows, got ",
        deciding, " of ", rows, "; no rate below 1/", deciding + 1, " can be promised");
}

}  // namespace anodiff::calibration
