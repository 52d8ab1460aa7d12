// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/philox.hpp>
#include <anodiff/core/tensor.hpp>
#include <vector>

namespace anodiff::test {

/// Pictures of waves with a little noise: (side, side, 1), values about 0.5.
[[nodiscard]] inline std::vector<tensor<float, 3>> textured(std::uint32_t count, index side, std::uint32_t first = 0) {
  std::vector<tensor<float, 3>> out;
  for (std::uint32_t n = first; n < first + count; ++n) {
    tensor<float, 3> picture{{side, side, 1}};
    const noise_key key{.seed = 9, .draw = n};
    const double phase = 6 * random_uniform(key, 1);
    for (index e = 0; e < picture.size(); ++e)
      picture.data()[e] = static_cast<float>(0.5 + 0.15 * std::sin(0.7 * static_cast<double>(e % side) + phase) +
                                             0.02 * random_normal(key, static_cast<std::uint64_t>(8 + e)));
    out.push_back(std::move(picture));
  }
  return out;
}

/// A bright square of `side` pixels with its corner at (top, left).
[[nodiscard]] inline tensor<float, 3> with_square(tensor<float, 3> picture, index top, index left, index side) {
  for (index i = top; i < top + side; ++i)
    for (index j = left; j < left + side; ++j) picture.data()[i * picture.extent(1) + j] = 1;
  return picture;
}

}  // namespace anodiff::test
