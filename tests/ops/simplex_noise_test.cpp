// SPDX-License-Identifier: Apache-2.0
#include <anodiff/ops/simplex_noise_cpu.hpp>
#include "op_support.hpp"

namespace op_test::simplex_noise_test {

namespace {

template <class T>
std::vector<T> simplex(thread_pool* on, index rows, index height, index width, index channels, index octaves,
                       double period, const ops::row_noise& noise) {
  std::vector<T> out(static_cast<std::size_t>(rows * height * width * channels), T(-99));
  const ops::simplex_noise<T> op{out.data(), rows, height, width, channels, octaves, 0.8, period, noise};
  if (on == nullptr)
    ops::reference::run(op);
  else
    ops::cpu::run(op, *on);
  return out;
}

}  // namespace

TEST_CASE("simplex noise by hand: the corners of a cell, and the middle of an edge", "[noise][simplex]") {
  // 0 where the place is a corner and all others are farther than sqrt(1/2): they are at sqrt(3)/2 and 1
  CHECK(ops::reference::simplex_at(7, 0, 0, 0) == 0);
  // corner (1, 1, 1) lies at (1, 1, 1) / 2
  CHECK(ops::reference::simplex_at(7, 0.5, 0.5, 0.5) == Approx(0).margin(1e-15));
  // between them r² = 3/16, so that each gives (5/16)^4 g · r, and the corners about are at r² = 11/16 and farther
  const auto gradient = [](std::uint32_t h) {
    std::array<double, 3> g{};
    const std::uint32_t without = (h >> 16) * 3 >> 16;
    g[without == 0 ? 1 : 0] = (h & 1) != 0 ? -1 : 1;
    g[without == 2 ? 1 : 2] = (h & 2) != 0 ? -1 : 1;
    return g[0] + g[1] + g[2];
  };
  const double first = gradient(ops::simplex_hash(7, 0U, 0U, 0U)), last = gradient(ops::simplex_hash(7, 1U, 1U, 1U));
  CHECK(ops::reference::simplex_at(7, 0.25, 0.25, 0.25) ==
        Approx(std::pow(5.0 / 16, 4) * 0.25 * (first - last)).margin(1e-15));
}

TEST_CASE("simplex noise: the stated variance, by the integral", "[noise][simplex]") {
  double sum = 0;
  constexpr int n = 100000;
  for (int i = 0; i < n; ++i) {
    const double r = std::sqrt(0.5) * (i + 0.5) / n;
    sum += std::pow(0.5 - r * r, 8) * std::pow(r, 4) * std::sqrt(0.5) / n;
  }
  CHECK(16 * std::numbers::pi / 3 * sum == Approx(ops::simplex_variance).epsilon(1e-9));
}

TEST_CASE("simplex noise is continuous across cells", "[noise][simplex]") {
  double largest = 0;
  for (int i = 0; i < 200000; ++i) {
    const double at = 1e-4 * i;
    const auto value = [](double t) { return ops::reference::simplex_at(3, t, 0.37 * t + 0.2, 0.11 * t); };
    largest = std::max(largest, std::abs(value(at + 1e-4) - value(at)));
  }
  CHECK(largest < 1e-4 * 0.2);  // the slope of (1/2 − r²)⁴ g · r stays below 2^(−4) sqrt(2), a few of them together
}

TEST_CASE("simplex noise: the engine within its bound of the reference, in any batch and on any threads",
          "[noise][simplex]") {
  const std::vector<std::uint32_t> draws{4, 9, 1};
  const ops::row_noise noise{{.seed = 5, .step = 3, .use = purpose::corruption}, draws.data(), 0};
  thread_pool one{1}, three{3};
  for (const auto [height, width, channels] :
       {std::array<index, 3>{1, 1, 1}, std::array<index, 3>{37, 50, 1}, std::array<index, 3>{20, 33, 3}}) {
    const auto want = simplex<double>(nullptr, 3, height, width, channels, 6, 64, noise);
    const auto got = simplex<float>(&one, 3, height, width, channels, 6, 64, noise);
    const double bound = ops::simplex_bound * (static_cast<double>(width) / 2 + 4);
    double worst = 0;
    for (std::size_t e = 0; e < want.size(); ++e)
      worst = std::max(worst, std::abs(static_cast<double>(got[e]) - want[e]));
    CHECK(worst < bound);
    CHECK(simplex<float>(&three, 3, height, width, channels, 6, 64, noise) == got);
    const ops::row_noise last{noise.key, draws.data() + 2, 0};
    const auto alone = simplex<float>(&one, 1, height, width, channels, 6, 64, last);
    CHECK(std::equal(alone.begin(), alone.end(), got.end() - static_cast<std::ptrdiff_t>(alone.size())));
  }
}

TEST_CASE("simplex noise: mean 0 and variance 1 at each pixel, and neighbours alike", "[noise][simplex]") {
  constexpr index n = 4000, side = 6;
  std::vector<std::uint32_t> draws(n);
  for (std::uint32_t i = 0; i < n; ++i) draws[i] = i;
  thread_pool pool{2};
  for (const index octaves : {1, 6}) {
    const auto got = simplex<double>(&pool, n, side, side, 1, octaves, 64, {{.seed = 5}, draws.data(), 0});
    double sum = 0, square = 0, next = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const double* picture = got.data() + i * side * side;
      sum += picture[14];
      square += picture[14] * picture[14];
      next += picture[14] * picture[15];
    }
    CHECK(std::abs(sum / n) < 4 / std::sqrt(n));
    CHECK(std::abs(square / n - 1) < 0.12);
    CHECK(next / square > (octaves == 1 ? 0.97 : 0.6));
  }
}

}  // namespace op_test::simplex_noise_test
