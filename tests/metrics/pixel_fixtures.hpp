// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/philox.hpp>
#include <anodiff/core/tensor.hpp>
#include <initializer_list>
#include <string_view>
#include <vector>

namespace metrics_fixtures {

/// A mask drawn with letters: '#' is 1.
inline anodiff::tensor<std::uint8_t, 2> mask_of(std::initializer_list<std::string_view> rows) {
  anodiff::tensor<std::uint8_t, 2> out{
      {static_cast<anodiff::index>(rows.size()), static_cast<anodiff::index>(rows.begin()->size())}};
  auto* to = out.data();
  for (const auto row : rows)
    for (const char c : row) *to++ = c == '#' ? 1 : 0;
  return out;
}

inline anodiff::tensor<std::uint8_t, 2> random_mask(std::uint32_t draw, anodiff::index height, anodiff::index width,
                                                    double share) {
  anodiff::tensor<std::uint8_t, 2> out{{height, width}};
  for (anodiff::index i = 0; i < out.size(); ++i) {
    const auto word = anodiff::random_word({3, draw, 0, anodiff::purpose::repeat}, static_cast<std::uint64_t>(i));
    out.data()[i] = word * 0x1p-32 < share ? 1 : 0;
  }
  return out;
}

/// The number of each pixel's component, from 1 in the order of first pixels; 0 outside: the oracle.
inline std::vector<int> flood_fill(const anodiff::tensor<std::uint8_t, 2>& mask) {
  const auto height = mask.extent(0), width = mask.extent(1);
  std::vector<int> out(static_cast<std::size_t>(mask.size()), 0);
  int count = 0;
  for (anodiff::index first = 0; first < mask.size(); ++first) {
    if (mask.data()[first] == 0 || out[static_cast<std::size_t>(first)] != 0) continue;
    ++count;
    std::vector<anodiff::index> open{first};
    out[static_cast<std::size_t>(first)] = count;
    while (!open.empty()) {
      const auto i = open.back() / width, j = open.back() % width;
      open.pop_back();
      for (auto k = i - 1; k <= i + 1; ++k)
        for (auto l = j - 1; l <= j + 1; ++l) {
          if (k < 0 || l < 0 || k >= height || l >= width || mask(k, l) == 0) continue;
          auto& number = out[static_cast<std::size_t>(k * width + l)];
          if (number != 0) continue;
          number = count;
          open.push_back(k * width + l);
        }
    }
  }
  return out;
}

}  // namespace metrics_fixtures
