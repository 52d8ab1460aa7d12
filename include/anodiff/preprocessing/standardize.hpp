// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/concepts/preprocessor.hpp>
#include <cmath>

namespace anodiff::preprocessing {

/// What a preprocessor of this folder has learned: z = (x − offset) / scale, column by column, in double.
class affine_columns {
 public:
  affine_columns() = default;
  affine_columns(std::vector<double> offset, std::vector<double> scale)
      : offset_{std::move(offset)}, scale_{std::move(scale)} {}
  void apply(std::span<const double> in, std::span<float> out) const noexcept {
    for (std::size_t j = 0; j < in.size(); ++j) out[j] = static_cast<float>((in[j] - offset_[j]) / scale_[j]);
  }
  [[nodiscard]] double invert(index column, float z) const noexcept {
    const auto j = static_cast<std::size_t>(column);
    return offset_[j] + scale_[j] * static_cast<double>(z);
  }
  [[nodiscard]] std::span<const double> offset() const noexcept { return offset_; }
  [[nodiscard]] std::span<const double> scale() const noexcept { return scale_; }

 private:
  std::vector<double> offset_, scale_;
};

/// Zero mean and unit population standard deviation on the training rows; a constant column keeps its scale (1), so
/// that a value that differs from it at scoring time stands out by its raw difference.
class standardize {
 public:
  using params = no_params;
  using fitted = affine_columns;
  static constexpr std::string_view name = "standardize";

  explicit standardize(params = {}) {}
  [[nodiscard]] params parameters() const noexcept { return {}; }
  /// x (n, d), finite, n >= 1. Throws data_error where a column's values lie too far apart for a double; the message
  /// counts columns from first_column.
  [[nodiscard]] fitted fit(tensor_view<const double, 2> x, std::size_t first_column = 0) const {
    const auto d = static_cast<std::size_t>(x.row_size());
    const auto n = static_cast<double>(x.rows());
    std::vector<double> mean(d), scale(d), largest(d);
    // measured from the first row, so that the sum over a constant column is 0 and not a rounding error that grows with
    // n
    const auto first = x.row(0);
    for (index i = 1; i < x.rows(); ++i)
      for (std::size_t j = 0; j < d; ++j) mean[j] += x.row(i)[j] - first[j];
    for (std::size_t j = 0; j < d; ++j) mean[j] = first[j] + mean[j] / n;
    for (index i = 0; i < x.rows(); ++i)
      for (std::size_t j = 0; j < d; ++j) largest[j] = std::max(largest[j], std::abs(x.row(i)[j] - mean[j]));
    for (index i = 0; i < x.rows(); ++i)
      for (std::size_t j = 0; j < d; ++j) {
        const double share = largest[j] > 0 ? (x.row(i)[j] - mean[j]) / largest[j] : 0;  // its square cannot overflow
        scale[j] += share * share;
      }
    for (std::size_t j = 0; j < d; ++j) {
      const double deviation = largest[j] * std::sqrt(scale[j] / n);
      check<data_error>(std::isfinite(mean[j]) && std::isfinite(deviation),
                        "preprocessing::standardize: the values of column ", first_column + j,
                        " lie too far apart to be standardised");
      scale[j] = deviation > constant_tolerance * std::abs(mean[j]) ? deviation : 1;
    }
    return {std::move(mean), std::move(scale)};
  }

 private:
  static constexpr double constant_tolerance = 1e-13;  // rounding of the mean alone must not pass for a deviation
};
static_assert(preprocessor<standardize>);

}  // namespace anodiff::preprocessing
