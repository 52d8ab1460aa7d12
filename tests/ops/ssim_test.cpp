// SPDX-License-Identifier: Apache-2.0
#include <anodiff/ops/ssim_cpu.hpp>
#include "op_support.hpp"

namespace op_test::ssim_test {

namespace {

template <class T, class Run>
std::vector<T> similarity(const std::vector<T>& x, const std::vector<T>& y, const shape<4>& s, double range,
                          Run&& run) {
  std::vector<T> out(x.size()), scratch(6 * static_cast<std::size_t>(s[1] * s[2] * s[3]));
  const auto window = ops::ssim_window<T>();
  run(ops::ssim_map<T>{x.data(), y.data(), out.data(), scratch.data(), &window, range, s[0], s[1], s[2], s[3]});
  return out;
}
const auto plain = [](const auto& op) { ops::reference::run(op); };

}  // namespace

TEST_CASE("the window of structural similarity", "[ssim]") {
  const auto w = ops::ssim_window<double>();
  REQUIRE(w.size() == 6);
  double sum = w[0];
  for (std::size_t k = 1; k < 6; ++k) sum += 2 * w[k];
  CHECK(sum == Approx(1).epsilon(1e-14));
  CHECK(w[3] / w[0] == Approx(std::exp(-2.0)));
  CHECK_THROWS_WITH(ops::ssim_window<double>(1.5, 10), "ssim: needs a positive sigma and an odd side, got 1.5 and 10");
}

TEST_CASE("equal pictures are alike, constants by their means alone", "[ssim]") {
  const shape<4> s{1, 9, 12, 2};
  const auto x = values<double>(9 * 12 * 2, 1);
  for (const double v : similarity(x, x, s, 4, plain)) CHECK(v == Approx(1).epsilon(1e-12));
  const std::vector<double> two(x.size(), 2), three(x.size(), 3);
  const double c1 = 0.0016;
  for (const double v : similarity(two, three, s, 4, plain)) CHECK(v == Approx((12 + c1) / (13 + c1)).epsilon(1e-9));
  auto turned = x;  // the opposite picture with the same mean of zero is as unlike as can be
  for (double& v : turned) v = -v;
  const auto unlike = similarity(x, turned, s, 0.01, plain);
  CHECK(*std::max_element(unlike.begin(), unlike.end()) <= 1);
  CHECK(*std::min_element(unlike.begin(), unlike.end()) >= -1);
}

TEMPLATE_TEST_CASE("the vectorised similarity matches its definition", "[ssim]", float, double) {
  const double bound = sizeof(TestType) == 4 ? ops::ssim_bound : 1e-10;
  for (const auto& s : {shape<4>{2, 1, 1, 1}, shape<4>{1, 5, 30, 3}, shape<4>{3, 33, 20, 1}}) {
    const index size = s[0] * s[1] * s[2] * s[3];
    const auto x = values<TestType>(size, 1, 1, 0.5), y = values<TestType>(size, 2, 1, 0.5);
    const auto want = similarity(as<double>(x), as<double>(y), s, 4, plain);
    const auto got = on_all_pools(
        [&](thread_pool& on) { return similarity(x, y, s, 4, [&](const auto& op) { ops::cpu::run(op, on); }); });
    CHECK(worst(got, want) <= bound);
    const auto back = similarity(y, x, s, 4, [](const auto& op) { ops::cpu::run(op, pool(1)); });
    CHECK(worst(back, want) <= bound);
  }
}

}  // namespace op_test::ssim_test
