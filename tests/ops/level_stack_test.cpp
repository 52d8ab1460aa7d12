// SPDX-License-Identifier: Apache-2.0
#include <anodiff/ops/level_stack_cpu.hpp>
#include "op_support.hpp"

namespace op_test::level_stack_test {

TEST_CASE("levels are stacked below each row, and their noise errors by hand", "[level_stack]") {
  const std::vector<double> x{1, 2, 3, 4}, noise{1, -1, 0, 2}, alpha{1, 0.5}, sigma{0, 2}, state{0, 0.5}, output{1, 0},
      weight{1, 3}, network{1, 1, 9, 9, 0, 0, 9, 9};
  std::vector<double> y(8), out(8, -1);
  ops::reference::run(ops::stack_levels<double>{x.data(), noise.data(), alpha.data(), sigma.data(), y.data(), 2, 2, 2});
  CHECK(y == std::vector<double>{1, 2, 0.5, 5, 3, 4, 1.5, 6});
  ops::reference::run(ops::noise_error<double>{y.data(), network.data(), noise.data(), state.data(), output.data(),
                                               weight.data(), out.data(), 4, 2, 2, 2});
  CHECK(out == std::vector<double>{0, 4, 1, 1, 3 * 0.0625, 3 * 0.25, 3 * 0.5625, 3});
}

TEMPLATE_TEST_CASE("stacks of all sizes match the reference", "[level_stack]", float, double) {
  for (const index d : sizes())
    for (const index rows : {0, 1, 7, 90}) {
      constexpr index count = 5;
      const auto x = values<TestType>(rows * d, 1), noise = values<TestType>(count * d, 2),
                 alpha = values<TestType>(count, 3), sigma = values<TestType>(count, 4),
                 network = values<TestType>(rows * count * d, 5);
      std::vector<TestType> want_y(network.size()), want(network.size() + 3 * count);
      const index stride = rows * d + 3;
      const auto stack = [&](TestType* y) {
        return ops::stack_levels<TestType>{x.data(), noise.data(), alpha.data(), sigma.data(), y, rows, count, d};
      };
      const auto error = [&](TestType* out) {
        return ops::noise_error<TestType>{want_y.data(),
                                          network.data(),
                                          noise.data(),
                                          alpha.data(),
                                          sigma.data(),
                                          sigma.data(),
                                          out,
                                          stride,
                                          rows,
                                          count,
                                          d};
      };
      ops::reference::run(stack(want_y.data()));
      ops::reference::run(error(want.data()));
      const auto y = on_all_pools([&](thread_pool& on) {
        std::vector<TestType> to(want_y.size());
        ops::cpu::run(stack(to.data()), on);
        return to;
      });
      const auto out = on_all_pools([&](thread_pool& on) {
        std::vector<TestType> to(want.size());
        ops::cpu::run(error(to.data()), on);
        return to;
      });
      CHECK(worst(y, want_y) <= 1e-6);
      CHECK(worst(out, want) <= 1e-5);
    }
}

}  // namespace op_test::level_stack_test
