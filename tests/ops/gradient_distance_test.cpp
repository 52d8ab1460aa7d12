// SPDX-License-Identifier: Apache-2.0
#include <anodiff/ops/gradient_distance_cpu.hpp>
#include "op_support.hpp"

namespace op_test::gradient_distance_test {

namespace {

template <class T, class Run>
std::vector<T> apart(const std::vector<T>& x, const std::vector<T>& y, const shape<4>& s, index scales, Run&& run) {
  std::vector<T> out(x.size()), scratch(3 * static_cast<std::size_t>(s[1] * s[2] * s[3]));
  run(ops::gradient_distance<T>{x.data(), y.data(), out.data(), scratch.data(), 2, scales, s[0], s[1], s[2], s[3]});
  return out;
}
const auto plain = [](const auto& op) { ops::reference::run(op); };

}  // namespace

TEST_CASE("a slope against flat ground by hand, at one scale and at two", "[gradient_distance]") {
  const shape<4> s{1, 4, 6, 1};
  std::vector<double> slope, flat(24, 3);
  for (index i = 0; i < 24; ++i) slope.push_back(0.1 * static_cast<double>(i % 6));
  const double c = 0.0104, once = 0.04 / (0.04 + c), twice = 0.16 / (0.16 + c);  // gradients 0.2, then 0.4
  const auto at = [](index i, index j) { return static_cast<std::size_t>(i * 6 + j); };
  const auto fine = apart(slope, flat, s, 1, plain), both = apart(slope, flat, s, 2, plain);
  CHECK(fine[at(1, 2)] == Approx(once));
  CHECK(fine[at(2, 0)] == Approx(0).margin(1e-12));  // the border is mirrored
  CHECK(both[at(1, 2)] == Approx((once + twice) / 2));
  CHECK(both[at(1, 1)] == Approx(once / 2));
  auto brighter = slope;
  for (double& v : brighter) v += 7;
  for (const double v : apart(slope, brighter, s, 3, plain)) CHECK(v == Approx(0).margin(1e-12));
}

TEST_CASE("scales end before a picture of one pixel", "[gradient_distance]") {
  CHECK(ops::gradient_scales(1, 1, 4) == 1);
  CHECK(ops::gradient_scales(2, 2, 4) == 1);
  CHECK(ops::gradient_scales(3, 1, 4) == 2);
  CHECK(ops::gradient_scales(64, 64, 3) == 3);
}

TEMPLATE_TEST_CASE("the vectorised gradient distance matches its definition", "[gradient_distance]", float, double) {
  const double bound = sizeof(TestType) == 4 ? ops::gradient_distance_bound : 1e-10;
  for (const auto& s : {shape<4>{2, 1, 1, 1}, shape<4>{1, 5, 30, 3}, shape<4>{3, 33, 20, 1}, shape<4>{1, 1, 7, 2}})
    for (const index scales : {1, 3}) {
      const index size = volume(s);
      const auto x = values<TestType>(size, 1, 0.2), y = values<TestType>(size, 2, 0.2);
      const auto want = apart(as<double>(x), as<double>(y), s, scales, plain);
      const auto got = on_all_pools(
          [&](thread_pool& on) { return apart(x, y, s, scales, [&](const auto& op) { ops::cpu::run(op, on); }); });
      CHECK(worst(got, want) <= bound);
      const auto fast = [](const auto& op) { ops::cpu::run(op, pool(1)); };
      CHECK(same_bits(apart(y, x, s, scales, fast), got));
      CHECK(apart(x, x, s, scales, fast) == std::vector<TestType>(x.size()));
    }
}

}  // namespace op_test::gradient_distance_test
