// SPDX-License-Identifier: Apache-2.0
#include <anodiff/ops/scale_rows_cpu.hpp>
#include "op_support.hpp"

namespace op_test::scale_rows_test {

TEMPLATE_TEST_CASE("scale_rows: by hand, and the same in pieces and in place", "[ops]", float, double) {
  const std::vector<TestType> factor{2, -1};
  const std::vector<std::int32_t> two{1, 0};
  std::vector<TestType> x{1, 2, 3, 4};
  ops::reference::run(ops::scale_rows<TestType>{x.data(), x.data(), factor.data(), two.data(), 2, 2});
  CHECK(x == std::vector<TestType>{-1, -2, 6, 8});
  for (const index d : {1, 7, 40'000})
    for (const index rows : {0, 1, 5}) {
      const auto from = values<TestType>(rows * d, 1);
      const std::vector<std::int32_t> level{0, 1, 1, 0, 1};
      auto want = from;
      ops::reference::run(ops::scale_rows<TestType>{from.data(), want.data(), factor.data(), level.data(), rows, d});
      const auto got = on_all_pools([&](thread_pool& on) {
        auto y = from;
        ops::cpu::run(ops::scale_rows<TestType>{y.data(), y.data(), factor.data(), level.data(), rows, d}, on);
        return y;
      });
      CHECK(same_bits(got, want));
    }
}

}  // namespace op_test::scale_rows_test
