// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/corruption.hpp>
#include <anodiff/ops/noise.hpp>

namespace anodiff::corruptions {

/// x_t = alpha x_0 + sigma ε, ε ~ N(0, I). Ho et al. 2020, arXiv:2006.11239, eq. 4.
class gaussian {
 public:
  using params = no_params;
  static constexpr std::string_view name = "gaussian";

  explicit gaussian(params = {}) {}
  [[nodiscard]] params parameters() const noexcept { return {}; }
  template <class Engine>
  void corrupt(Engine& engine, const corruption_batch<typename Engine::real>& b) const {
    engine.run(ops::corrupt_rows<typename Engine::real>{b.x,
                                                        b.damaged,
                                                        b.target,
                                                        b.rows,
                                                        b.row_size,
                                                        b.alpha,
                                                        b.sigma,
                                                        b.clean,
                                                        b.noise,
                                                        b.level,
                                                        {b.key, b.draws, 0, b.when_run}});
  }
};

}  // namespace anodiff::corruptions
