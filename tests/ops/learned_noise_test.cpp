// SPDX-License-Identifier: Apache-2.0
#include <anodiff/ops/learned_noise_cpu.hpp>
#include "op_support.hpp"

namespace op_test::learned_noise_test {

TEST_CASE("learned_noise: by hand", "[ops]") {
  const ops::row_noise noise{.key = {.seed = 3, .draw = 1, .step = 2}};
  const auto z = [&](std::uint64_t j) { return random_normal(noise.key, j); };
  std::vector<double> x{1, 2, 3};
  const std::vector<double> v{-1, 0, 1};
  ops::reference::run(ops::learned_noise<double>{x.data(), v.data(), 1, 3, 0.1, 0.4, noise});
  CHECK(x[0] == Approx(1 + 0.1 * z(0)));
  CHECK(x[1] == Approx(2 + 0.2 * z(1)));  // between them in the logarithm
  CHECK(x[2] == Approx(3 + 0.4 * z(2)));
  std::vector<double> y{1, 2, 3};
  const std::vector<double> variance{0.25, 0, -1};
  ops::reference::run(ops::learned_noise<double>{y.data(), variance.data(), 1, 3, 0, 0, noise});
  CHECK(y[0] == Approx(1 + 0.5 * z(0)));
  CHECK(y[1] == 2);
  CHECK(y[2] == 3);
}

TEST_CASE("learned_noise: vectorised within its bound of the reference, the same on any number of threads", "[ops]") {
  for (const float most : {0.0F, 0.7F})
    for (const index d : sizes())
      for (const index rows : {1, 5}) {
        const auto v = values<float>(rows * d, 2, 0.5);
        std::vector<std::uint32_t> draws{4, 9, 2, 7, 1};
        const ops::row_noise noise{.key = {.seed = 8, .step = 3}, .draws = draws.data(), .first_element = 4};
        std::vector<float> want(v.size());
        ops::reference::run(ops::learned_noise<float>{want.data(), v.data(), rows, d, most / 7, most, noise});
        const auto got = on_all_pools([&](thread_pool& on) {
          std::vector<float> x(v.size());
          ops::cpu::run(ops::learned_noise<float>{x.data(), v.data(), rows, d, most / 7, most, noise}, on);
          return x;
        });
        CHECK(worst(got, want) < ops::learned_noise_bound);
      }
}

}  // namespace op_test::learned_noise_test
