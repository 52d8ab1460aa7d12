// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/concepts/distance.hpp>
#include <anodiff/ops/ssim.hpp>

namespace anodiff::distances {

/// 1 − SSIM of a pixel's surroundings (ops::ssim_map), in [0, 2], for values that lie in [−1, 1].
class ssim {
 public:
  using params = no_params;
  static constexpr std::string_view name = "ssim";
  static constexpr double range = 2;

  explicit ssim(params = {}) {}
  [[nodiscard]] params parameters() const noexcept { return {}; }
  template <class Engine>
  void measure(Engine& engine, tensor_view<const float, 2> x, tensor_view<const float, 2> y, tensor_view<float, 2> out,
               std::span<const index> sample) const {
    check_is_picture("distances::ssim", sample);
    auto scratch = engine.allocate(6 * x.row_size());
    engine.run(ops::ssim_map<float>{x.data(), y.data(), out.data(), scratch.data(), &window_, range, x.rows(),
                                    sample[0], sample[1], sample[2]});
    for (float& similarity : out.flat()) similarity = std::max(0.0F, 1 - similarity);
  }

 private:
  std::vector<float> window_ = ops::ssim_window<float>();
};

}  // namespace anodiff::distances
