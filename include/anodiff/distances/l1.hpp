// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/distance.hpp>
#include <anodiff/ops/row_distance.hpp>

namespace anodiff::distances {

/// |x − y|, element by element.
class l1 {
 public:
  using params = no_params;
  static constexpr std::string_view name = "l1";

  explicit l1(params = {}) {}
  [[nodiscard]] params parameters() const noexcept { return {}; }
  template <class Engine>
  void measure(Engine& engine, tensor_view<const float, 2> x, tensor_view<const float, 2> y, tensor_view<float, 2> out,
               std::span<const index>) const {
    ops::row_distance<float> op{};
    op.x = x.data();
    op.y = y.data();
    op.evidence = out.data();
    op.rows = x.rows();
    op.row_size = x.row_size();
    op.kind = ops::distance_kind::l1;
    engine.run(op);
  }
};

}  // namespace anodiff::distances
