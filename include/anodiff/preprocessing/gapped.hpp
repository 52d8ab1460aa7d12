// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/preprocessing/standardize.hpp>

namespace anodiff::preprocessing {

/// Standardises what is known of each column; a missing value (NaN) stays missing, for conditioning::imputation to
/// fill. A column of which nothing is known keeps its scale.
class gapped {
 public:
  using params = no_params;
  using fitted = affine_columns;
  static constexpr std::string_view name = "gapped";
  static constexpr bool handles_missing = true;
  static constexpr bool leaves_gaps = true;

  explicit gapped(params = {}) {}
  [[nodiscard]] params parameters() const noexcept { return {}; }
  /// x (n, d), finite or NaN, n >= 1. Throws data_error where a column's values lie too far apart for a double.
  [[nodiscard]] fitted fit(tensor_view<const double, 2> x) const {
    const auto d = static_cast<std::size_t>(x.row_size());
    std::vector<double> offset(d, 0.0), scale(d, 1.0), known;
    for (std::size_t j = 0; j < d; ++j) {
      known.clear();
      for (index i = 0; i < x.rows(); ++i)
        if (const double v = x.row(i)[j]; !std::isnan(v)) known.push_back(v);
      if (known.empty()) continue;
      const auto learned = standardize{}.fit({known.data(), {static_cast<index>(known.size()), 1}}, j);
      offset[j] = learned.offset()[0];
      scale[j] = learned.scale()[0];
    }
    return {std::move(offset), std::move(scale)};
  }
};
static_assert(preprocessor<gapped>);

}  // namespace anodiff::preprocessing
