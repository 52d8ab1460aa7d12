// SPDX-License-Identifier: Apache-2.0
#include <anodiff/ops/mahalanobis_cpu.hpp>
#include "op_support.hpp"

namespace op_test::mahalanobis_test {

TEST_CASE("mahalanobis by hand: deviations 2 and 1, correlated", "[mahalanobis]") {
  // S = (4 1; 1 1): W = (1/2 0; -1/(2 sqrt 3) 2/sqrt 3)
  const double root = std::sqrt(3.0);
  const std::vector<double> x{3, 1, 1, 3}, mean{1, 1}, whiten{0.5, 0, -0.5 / root, 2 / root};
  std::vector<double> out(2);
  ops::reference::run(ops::mahalanobis<double>{x.data(), mean.data(), whiten.data(), out.data(), 2, 2});
  CHECK(out[0] == Approx(std::sqrt(4.0 / 3)).epsilon(1e-14));   // (2, 0): dᵀ S⁻¹ d with S⁻¹ = (1 -1; -1 4) / 3
  CHECK(out[1] == Approx(std::sqrt(16.0 / 3)).epsilon(1e-14));  // (0, 2)
}

TEST_CASE("the vectorised mahalanobis is the reference, for any number of rows and threads", "[mahalanobis]") {
  for (const index rows : sizes())
    for (const index width : {1, 3, 16}) {
      const auto x = values<float>(rows * width, 1), mean = values<float>(width, 2),
                 whiten = values<float>(width * width, 3);
      std::vector<float> expected(static_cast<std::size_t>(rows)), got = expected, again = expected;
      const auto op = [&](std::vector<float>& out) {
        return ops::mahalanobis<float>{x.data(), mean.data(), whiten.data(), out.data(), rows, width};
      };
      ops::reference::run(op(expected));
      ops::cpu::run(op(got), pool(1));
      ops::cpu::run(op(again), pool(3));
      CHECK(worst(got, expected, 1e-3) < 1e-5);
      CHECK(same_bits(got, again));
    }
}

}  // namespace op_test::mahalanobis_test
