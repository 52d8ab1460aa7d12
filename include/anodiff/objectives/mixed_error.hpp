// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/objectives/squared_error.hpp>
#include <anodiff/ops/classes.hpp>

namespace anodiff::objectives {

struct mixed_error_params {
  double classes = 1;  ///< what a category counts beside a number; at least 0

  static constexpr void fields(auto& self, auto&& field) { field("classes", self.classes); }
};

/// The mean over a row's numbers and categories of the squared error of a number and the cross-entropy of a category's
/// class before the noise. The latter is least where the soft-max is the law of the class given the noised row; it is
/// the auxiliary loss of Austin et al. 2021 (D3PM), arXiv:2107.03006, eq. 5, in place of the bound that TabDDPM adds.
class mixed_error {
 public:
  using params = mixed_error_params;
  static constexpr std::string_view name = "mixed_error";

  explicit mixed_error(params p = {}) : params_{p} {
    check(p.classes >= 0 && p.classes <= 1e6, "objectives::mixed_error: classes must lie in [0, 1e6], got ", p.classes);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }

  [[nodiscard]] double weigh(noise_level, double) const noexcept { return 1; }
  template <class Engine>
  void measure(Engine& engine, const objective_batch<typename Engine::real>& b) const {
    using real = typename Engine::real;
    if (b.groups.empty()) return squared_error{}.measure(engine, b);
    const auto columns = static_cast<double>(b.groups.size());
    for (index i = 0; i < b.rows; ++i) {
      const auto weight = static_cast<double>(b.weight[b.level[i]]) / columns;
      const double share = weight / static_cast<double>(b.rows);
      double loss = 0;
      index at = i * b.row_size;
      for (const index size : b.groups) {
        real* const slope = b.gradient == nullptr ? nullptr : b.gradient + at;
        if (size == 1) {
          const double off = static_cast<double>(b.output[at]) - static_cast<double>(b.target[at]);
          loss += off * off;
          if (slope != nullptr) *slope = static_cast<real>(2 * share * off);
        } else {
          const index held = ops::held_class(b.target + at, size);
          loss += params_.classes * ops::class_surprise(b.output + at, held, size, slope, share * params_.classes);
        }
        at += size;
      }
      b.row_loss[i] = weight * loss;
    }
  }

 private:
  params params_;
};

}  // namespace anodiff::objectives
