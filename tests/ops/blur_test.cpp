// SPDX-License-Identifier: Apache-2.0
#include <anodiff/ops/blur_cpu.hpp>
#include "op_support.hpp"

namespace op_test::blur_test {

namespace {

template <class T, class Run>
std::vector<T> blurred(const std::vector<T>& x, const shape<4>& s, double sigma, Run&& run) {
  std::vector<T> y(x.size()), scratch(x.size());
  const auto weights = ops::gaussian_weights<T>(sigma);
  run(ops::blur<T>{x.data(), y.data(), scratch.data(), &weights, s[0], s[1], s[2], s[3]});
  return y;
}
const auto plain = [](const auto& op) { ops::reference::run(op); };
auto on(thread_pool& pool) {
  return [&pool](const auto& op) { ops::cpu::run(op, pool); };
}

}  // namespace

TEST_CASE("a mirrored border leaves its outermost pixel out", "[blur]") {
  std::vector<index> places;
  for (index i = -4; i < 7; ++i) places.push_back(reflected(i, 3));
  CHECK(places == std::vector<index>{0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2});
  CHECK(reflected(-7, 1) == 0);
}

TEST_CASE("a blur keeps constants and spreads a point as a Gaussian", "[blur]") {
  const shape<4> s{1, 31, 29, 1};
  const std::vector<double> flat(31 * 29, 2.5);
  for (const double v : blurred(flat, s, 1.5, plain)) CHECK(v == Approx(2.5).epsilon(1e-12));
  std::vector<double> point(31 * 29);
  point[15 * 29 + 14] = 1;
  const auto y = blurred(point, s, 2, plain);
  CHECK(y[15 * 29 + 14] == Approx(1 / (2 * M_PI * 4)).epsilon(1e-3));
  CHECK(y[15 * 29 + 17] / y[15 * 29 + 14] == Approx(std::exp(-9.0 / 8)).epsilon(1e-9));
  double second = 0;
  for (index i = 0; i < 31; ++i)
    for (index j = 0; j < 29; ++j)
      second += static_cast<double>((i - 15) * (i - 15)) * y[static_cast<std::size_t>(i * 29 + j)];
  CHECK(second == Approx(4).epsilon(2e-3));
}

TEST_CASE("a box of weights is the mean of its pixels", "[blur]") {
  const shape<4> s{1, 5, 7, 1};
  const auto x = values<double>(35, 5), weights = ops::box_weights<double>(1);
  std::vector<double> y(35), scratch(35);
  ops::reference::run(ops::blur<double>{x.data(), y.data(), scratch.data(), &weights, s[0], s[1], s[2], s[3]});
  double sum = 0;
  for (const std::size_t i : {1U, 2U, 3U})
    for (const std::size_t j : {3U, 4U, 5U}) sum += x[i * 7 + j];
  CHECK(y[2 * 7 + 4] == Approx(sum / 9));
  CHECK(ops::box_weights<double>(0) == std::vector<double>{1});
  CHECK_THROWS_WITH(ops::box_weights<double>(-1), "blur: radius must lie in [0, 1000] pixels, got -1");
}

TEST_CASE("the vectorised blur is the reference, on any number of threads and in place", "[blur]") {
  for (const shape<4>& s : {shape<4>{2, 7, 9, 3}, {1, 1, 1, 1}, {1, 2, 40, 1}, {3, 33, 5, 2}, {1, 40, 1, 1}})
    for (const double sigma : {0.3, 1.0, 6.0}) {
      const auto x = values<float>(volume(s), 5);
      const auto expected = blurred(x, s, sigma, plain), got = blurred(x, s, sigma, on(pool(1)));
      for (std::size_t i = 0; i < x.size(); ++i) CHECK(got[i] == Approx(expected[i]).margin(2e-6));
      CHECK(blurred(x, s, sigma, on(pool(3))) == got);
      auto y = x;
      std::vector<float> scratch(x.size());
      const auto weights = ops::gaussian_weights<float>(sigma);
      ops::cpu::run(ops::blur<float>{y.data(), y.data(), scratch.data(), &weights, s[0], s[1], s[2], s[3]}, pool(1));
      CHECK(y == got);
    }
  CHECK_THROWS_WITH(ops::gaussian_weights<float>(0), "blur: sigma must lie in (0, 1000] pixels, got 0");
}

}  // namespace op_test::blur_test
