// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/grids/picked.hpp>

namespace anodiff::grids {

struct leading_params {
  index offset = 0;  ///< added to each place; at least 0, as long as the noisiest place stays within the schedule
  bool inner =
      false;  ///< strides of ⌊size / (steps + 1)⌋ without the cleanest level, as diffusers' multistep solvers take

  static constexpr void fields(auto& self, auto&& field) {
    field("offset", self.offset);
    field("inner", self.inner);
  }
};

/// Whole strides of ⌊size / steps⌋ that begin at the cleanest level: 0, k, 2k, … The noisiest level is left out unless
/// the stride is 1. Song et al. 2020, arXiv:2010.02502, appendix D.2.
class leading {
 public:
  using params = leading_params;
  static constexpr std::string_view name = "leading";

  explicit leading(params p = {}) : params_{p} {
    check(p.offset >= 0, "grids::leading: offset must be at least 0, got ", p.offset);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] std::vector<noise_level> pick(std::span<const noise_level> schedule, index steps) const {
    const auto size = static_cast<index>(schedule.size());
    check_steps("grids::leading", schedule, steps, params_.inner ? 1 : 0);
    const index first = params_.inner ? 1 : 0, stride = size / (steps + first);
    const index last = (steps - 1 + first) * stride + params_.offset;
    check(last < size, "grids::leading: offset must keep ", steps, " steps within ", size, " levels, got ",
          params_.offset);
    return picked(schedule, steps, [&](index i) { return (i + first) * stride + params_.offset; });
  }

 private:
  params params_;
};
static_assert(grid<leading>);

}  // namespace anodiff::grids
