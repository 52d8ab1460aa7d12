// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/preprocessing/standardize.hpp>

namespace anodiff::preprocessing {

/// Leaves the values as they are: for data that already has the model's scale.
class identity {
 public:
  using params = no_params;
  using fitted = affine_columns;
  static constexpr std::string_view name = "identity";

  explicit identity(params = {}) {}
  [[nodiscard]] params parameters() const noexcept { return {}; }
  [[nodiscard]] fitted fit(tensor_view<const double, 2> x) const {
    const auto d = static_cast<std::size_t>(x.row_size());
    return {std::vector<double>(d, 0.0), std::vector<double>(d, 1.0)};
  }
};
static_assert(preprocessor<identity>);

}  // namespace anodiff::preprocessing
