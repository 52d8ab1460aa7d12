// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/distances/gradient.hpp>
#include <anodiff/distances/l1.hpp>
#include <anodiff/distances/l2.hpp>
#include <anodiff/distances/ssim.hpp>
#include <anodiff/engines/cpu.hpp>
#include <cstring>
#include <functional>
#include <numeric>
#include <vector>
#include "policy_laws.hpp"

namespace laws {

using all_distances =
    std::tuple<anodiff::distances::gradient, anodiff::distances::l1, anodiff::distances::l2, anodiff::distances::ssim>;

/// (rows, d) seeded values in [-3, 3).
[[nodiscard]] inline anodiff::tensor<float, 2> rows(std::uint64_t seed, index n, index d) {
  anodiff::tensor<float, 2> x{{n, d}};
  for (std::size_t i = 0; i < x.flat().size(); ++i) x.flat()[i] = static_cast<float>(uniform(seed, i, -3, 3));
  return x;
}

/// The laws of concepts/distance.hpp; and a row's distance is the same alone and on any number of threads.
template <class D, class Engine>
requires anodiff::distance_on<D, Engine>
void check_distance(const D& distance, index n, std::vector<index> sample) {
  const index d = std::accumulate(sample.begin(), sample.end(), index{1}, std::multiplies<>{});
  Engine engine{1};
  const auto x = rows(1, n, d), y = rows(2, n, d);
  anodiff::tensor<float, 2> out{{n, d}}, other{{n, d}};
  distance.measure(engine, x, y, out, sample);
  bool positive = true;
  for (const float e : out.flat()) positive = positive && e >= 0;
  CHECK(positive);
  distance.measure(engine, y, x, other, sample);
  CHECK(other == out);
  for (const int threads : {2, 3}) {
    Engine more{threads};
    distance.measure(more, x, y, other, sample);
    CHECK(other == out);
  }
  for (const index i : {index{0}, n / 2, n - 1}) {
    anodiff::tensor<float, 2> alone{{1, d}};
    distance.measure(engine, x.view().slice(i, i + 1), y.view().slice(i, i + 1), alone, sample);
    CHECK(std::memcmp(alone.data(), out.row(i).data(), static_cast<std::size_t>(d) * sizeof(float)) == 0);
  }
  distance.measure(engine, x, x, out, sample);
  bool zero = true;
  for (const float e : out.flat()) zero = zero && e == 0;
  CHECK(zero);
}

}  // namespace laws
