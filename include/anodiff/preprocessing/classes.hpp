// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/preprocessing/mixed.hpp>

namespace anodiff::preprocessing {

/// What `classes` has learned: mixed_columns, and the sizes of the groups of outputs.
class class_columns : public mixed_columns {
 public:
  class_columns() = default;
  explicit class_columns(mixed_columns learned) : mixed_columns{std::move(learned)} {}

  [[nodiscard]] std::vector<index> groups() const {
    std::vector<index> out;
    for (const index k : categories())
      if (k == 0)
        out.insert(out.end(), outputs_of(k), 1);
      else
        out.push_back(static_cast<index>(outputs_of(k)));
    return out;
  }
  template <class Read>
  [[nodiscard]] static class_columns restored(index d, Read&& read) {
    return class_columns{mixed_columns::restored(d, read)};
  }
};

/// Numbers, categories and missing values as `mixed` has them, but each category's indicators are 0 and 1, one of them
/// 1: that of the class held, of "other" or of "was missing". For diffusion that takes categories as such.
class classes {
 public:
  using params = mixed_params;
  using fitted = class_columns;
  static constexpr std::string_view name = "classes";
  static constexpr bool handles_missing = true;

  explicit classes(params p = {}) : columns_{p} {}
  [[nodiscard]] const params& parameters() const noexcept { return columns_.parameters(); }
  [[nodiscard]] index outputs(std::span<const index> categories) const noexcept { return columns_.outputs(categories); }
  /// As mixed::fit.
  [[nodiscard]] fitted fit(tensor_view<const double, 2> x, std::span<const index> categories) const {
    auto learned = columns_.fit(x, categories);
    for (std::size_t j = 0; j < categories.size(); ++j)
      if (categories[j] > 0)
        for (std::size_t k = 0; k < mixed_columns::outputs_of(categories[j]); ++k) learned.set_output(j, k, 0, 1);
    return class_columns{std::move(learned)};
  }
  [[nodiscard]] fitted fit(tensor_view<const double, 2> x) const {
    return fit(x, std::vector<index>(static_cast<std::size_t>(x.row_size())));
  }

 private:
  mixed columns_;
};
static_assert(preprocessor<classes>);

}  // namespace anodiff::preprocessing
