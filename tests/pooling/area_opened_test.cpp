// SPDX-License-Identifier: Apache-2.0
#include <anodiff/core/philox.hpp>
#include <anodiff/metrics/components.hpp>
#include <anodiff/pooling/area_opened.hpp>
#include <catch2/catch.hpp>

namespace {

using anodiff::index;
using map = anodiff::tensor<float, 2>;
using mask = anodiff::tensor<std::uint8_t, 2>;

map map_of(anodiff::shape<2> extents, std::initializer_list<float> values) {
  map out{extents};
  std::ranges::copy(values, out.data());
  return out;
}
mask all_of(anodiff::shape<2> extents) {
  mask out{extents};
  std::ranges::fill(out.flat(), std::uint8_t{1});
  return out;
}

}  // namespace

TEST_CASE("area opening by hand", "[pooling]") {
  const auto row = map_of({1, 7}, {1, 9, 2, 5, 6, 1, 3});
  const auto everywhere = all_of({1, 7});
  CHECK(anodiff::pooling::area_opened(row, everywhere, 1) == row);
  CHECK(anodiff::pooling::area_opened(row, everywhere, 2) == map_of({1, 7}, {1, 2, 2, 5, 5, 1, 1}));
  CHECK(anodiff::pooling::area_opened(row, everywhere, 4) == map_of({1, 7}, {1, 2, 2, 2, 2, 1, 1}));
  CHECK(anodiff::pooling::area_opened(row, everywhere, 7) == map_of({1, 7}, {1, 1, 1, 1, 1, 1, 1}));
  CHECK(anodiff::pooling::area_opened(row, everywhere, 100) == map_of({1, 7}, {1, 1, 1, 1, 1, 1, 1}));
  // a pixel that does not count joins nothing, and lends nobody its size
  auto cut = everywhere;
  cut(0, 3) = 0;
  CHECK(anodiff::pooling::area_opened(row, cut, 2) == map_of({1, 7}, {1, 2, 2, 1, 1, 1, 1}));
  // corners touch
  CHECK(anodiff::pooling::area_opened(map_of({2, 2}, {4, 0, 0, 3}), all_of({2, 2}), 2) == map_of({2, 2}, {3, 0, 0, 3}));
}

TEST_CASE("area opening keeps exactly the regions of that size, at every threshold", "[pooling]") {
  for (std::uint32_t trial = 0; trial < 30; ++trial) {
    const anodiff::shape<2> extents{9 + trial % 4, 11};
    map values{extents};
    mask counts{extents};
    for (index e = 0; e < values.size(); ++e) {  // few levels, so that there are ties
      const anodiff::noise_key key{.seed = 3, .draw = trial};
      values.data()[e] = static_cast<float>(anodiff::random_below(key, static_cast<std::uint64_t>(2 * e), 6)) - 2;
      counts.data()[e] = anodiff::random_below(key, static_cast<std::uint64_t>(2 * e + 1), 8) > 0;
    }
    counts.data()[0] = 1;
    const index area = 1 + trial % 7;
    const auto opened = anodiff::pooling::area_opened(values, counts, area);
    for (float threshold = -1.5F; threshold < 4; threshold += 1) {
      mask above{extents};
      for (index e = 0; e < values.size(); ++e)
        above.data()[e] = counts.data()[e] != 0 && values.data()[e] > threshold ? 1 : 0;
      const auto found = anodiff::metrics::connected_components(above);
      index differing = 0;
      for (index e = 0; e < values.size(); ++e) {
        const auto number = found.number.data()[e];
        const bool stays = number > 0 && found.parts[static_cast<std::size_t>(number - 1)].pixels >= area;
        differing += stays == (opened.data()[e] > threshold) ? 0 : 1;
      }
      CAPTURE(trial, area, threshold);
      // below the lowest value that counts everything is above
      float lowest = 9;
      for (index e = 0; e < values.size(); ++e)
        if (counts.data()[e] != 0) lowest = std::min(lowest, values.data()[e]);
      if (threshold > lowest) CHECK(differing == 0);
    }
  }
}
