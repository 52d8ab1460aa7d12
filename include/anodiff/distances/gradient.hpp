// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/distance.hpp>
#include <anodiff/ops/gradient_distance.hpp>

namespace anodiff::distances {

/// How differently both pictures rise and fall around a pixel, at three scales (ops::gradient_distance), in [0, 1], for
/// values that lie in [−1, 1]. Blind to a change of brightness alone.
class gradient {
 public:
  using params = no_params;
  static constexpr std::string_view name = "gradient";
  static constexpr double range = 2;
  static constexpr index scales = 3;

  explicit gradient(params = {}) {}
  [[nodiscard]] params parameters() const noexcept { return {}; }
  template <class Engine>
  void measure(Engine& engine, tensor_view<const float, 2> x, tensor_view<const float, 2> y, tensor_view<float, 2> out,
               std::span<const index> sample) const {
    check_is_picture("distances::gradient", sample);
    auto scratch = engine.allocate(3 * x.row_size());
    engine.run(ops::gradient_distance<float>{x.data(), y.data(), out.data(), scratch.data(), range, scales, x.rows(),
                                             sample[0], sample[1], sample[2]});
  }
};

}  // namespace anodiff::distances
