// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/conditioner.hpp>

namespace anodiff::conditioning {

/// An unconditioned run: the input is seen only where the run starts.
class none {
 public:
  using params = no_params;
  static constexpr std::string_view name = "none";
  static constexpr bool steers = false;

  struct bound {
    [[nodiscard]] std::vector<noise_level> levels(std::vector<noise_level> list) const { return list; }
    void after_step(tensor_view<float, 2>, noise_level) const noexcept {}
  };

  explicit none(params = {}) {}
  [[nodiscard]] params parameters() const noexcept { return {}; }
  [[nodiscard]] bound bind(const run_inputs&) const noexcept { return {}; }
};
static_assert(conditioner<none>);

}  // namespace anodiff::conditioning
