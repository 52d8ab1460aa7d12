// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/schedules/beta_range.hpp>
#include <numbers>

namespace anodiff::schedules {

struct cosine_params {
  double offset = 0.008;    ///< the paper's s: keeps the first steps from being too small; [0, 1]
  double beta_cap = 0.999;  ///< no β exceeds it, so that some signal is left at the end; in (0, 1)
  index steps = 1000;       ///< T; at least 1

  static constexpr void fields(auto& self, auto&& field) {
    field("offset", self.offset);
    field("beta_cap", self.beta_cap);
    field("steps", self.steps);
  }
};

/// ᾱ falls as a squared cosine. Nichol & Dhariwal 2021, arXiv:2102.09672, eq. 17, with β capped as in section 3.2.
class cosine {
 public:
  using params = cosine_params;
  static constexpr std::string_view name = "cosine";
  static constexpr bool variance_preserving = true;
  static constexpr bool ends_in_pure_noise = false;

  explicit cosine(params p = {}) : params_{p} {
    check(p.offset >= 0 && p.offset <= 1, "schedules::cosine: offset must lie in [0, 1], got ", p.offset);
    check(p.beta_cap > 0 && p.beta_cap < 1, "schedules::cosine: beta_cap must lie in (0, 1), got ", p.beta_cap);
    check(p.steps >= 1 && p.steps <= 1'000'000, "schedules::cosine: steps must lie in [1, 1000000], got ", p.steps);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] std::vector<noise_level> levels() const {
    return from_signal_curve(params_.steps, params_.beta_cap, [this](double time) {
      const double c = std::cos((time + params_.offset) / (1 + params_.offset) * std::numbers::pi / 2);
      return c * c;
    });
  }

 private:
  params params_;
};
static_assert(schedule<cosine>);

}  // namespace anodiff::schedules
