// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/sampler.hpp>

namespace anodiff::samplers {

/// One call of the network at the noisiest level, whose clean estimate is taken straight to the end of the run. Ho et
/// al. 2020, arXiv:2006.11239, eq. 15; the step itself is that of DDIM. Levels between are left out.
class one_step {
 public:
  using params = no_params;
  static constexpr std::string_view name = "one_step";

  explicit one_step(params = {}) {}
  [[nodiscard]] params parameters() const noexcept { return {}; }
  [[nodiscard]] bool deterministic() const noexcept { return true; }

  [[nodiscard]] std::vector<stage> program(std::span<const noise_level> levels) const {
    detail::check_run("samplers::one_step", levels);
    return {detail::first_order(levels.front(), levels.back())};
  }
};
static_assert(sampler<one_step>);

}  // namespace anodiff::samplers
