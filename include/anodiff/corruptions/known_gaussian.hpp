// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/corruptions/gaussian.hpp>
#include <cmath>
#include <vector>

namespace anodiff::corruptions {

/// Gaussian noise on rows with missing values (NaN): the network sees them as noise about 0, the mean of a standardised
/// column, and its loss counts where a value is known. Ouyang et al. 2023 (MissDiff), arXiv:2307.00467, section 3.
class known_gaussian {
 public:
  using params = no_params;
  static constexpr std::string_view name = "known_gaussian";
  static constexpr bool takes_gaps = true;

  explicit known_gaussian(params = {}) {}
  [[nodiscard]] params parameters() const noexcept { return {}; }
  template <class Engine>
  void corrupt(Engine& engine, const corruption_batch<typename Engine::real>& b) const {
    thread_local std::vector<typename Engine::real> known;  // a step allocates nothing once it has grown
    known.assign(b.x, b.x + b.rows * b.row_size);
    for (auto& v : known)
      if (std::isnan(v)) v = 0;
    auto filled = b;
    filled.x = known.data();
    gaussian{}.corrupt(engine, filled);
  }
  template <class Engine>
  void narrow(Engine&, const corruption_batch<typename Engine::real>& b, const typename Engine::real* output) const {
    for (index e = 0; e < b.rows * b.row_size; ++e)
      if (std::isnan(b.x[e])) b.target[e] = output[e];
  }
};

}  // namespace anodiff::corruptions
