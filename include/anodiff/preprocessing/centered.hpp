// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/concepts/picture_preprocessor.hpp>

namespace anodiff::preprocessing {

/// [0, 1] to [-1, 1], as diffusion models of pictures are trained (Ho et al. 2020, arXiv:2006.11239, section 3.3).
class centered {
 public:
  using params = no_params;
  static constexpr std::string_view name = "centered";
  static constexpr bool prepares_pictures = true;

  explicit centered(params = {}) {}
  [[nodiscard]] params parameters() const noexcept { return {}; }
  template <class Engine>
  void apply(const Engine&, tensor_view<const float, 3> in, tensor_view<float, 3> out, index = 0) const {
    std::transform(in.data(), in.data() + in.size(), out.data(), [](float v) { return 2 * v - 1; });
  }
};

}  // namespace anodiff::preprocessing
