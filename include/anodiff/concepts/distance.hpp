// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/policy.hpp>
#include <anodiff/core/tensor.hpp>
#include <span>

namespace anodiff {

namespace part {
template <class D, class Engine>
concept measures_elements = requires(const D d, Engine& engine, tensor_view<const float, 2> x,
                                     tensor_view<float, 2> out, std::span<const index> sample) {
  d.measure(engine, x, x, out, sample);
};
}  // namespace part

/// How far a rebuilt sample lies from its input, element by element: measure(engine, x, rebuilt, out, sample), the
/// first three (n, d), sample the extents of one: (d) of a row, (height, width, channels) of a picture; a distance that
/// looks at a pixel's surroundings throws invalid_argument for what is no picture.
/// Laws: never negative; zero where both are equal; symmetric.
template <class D, class Engine>
concept distance_on = policy<D> && part::measures_elements<D, Engine>;

/// Throws invalid_argument unless the sample has the three extents of a picture.
inline void check_is_picture(std::string_view who, std::span<const index> sample) {
  check(sample.size() == 3, who, ": needs pictures (height, width, channels), got samples of ", sample.size(),
        " dimensions");
}

}  // namespace anodiff
