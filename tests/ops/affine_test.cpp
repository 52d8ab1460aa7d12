// SPDX-License-Identifier: Apache-2.0
#include <anodiff/ops/affine_cpu.hpp>
#include "op_support.hpp"

namespace op_test::affine_test {

TEST_CASE("affine by hand", "[affine]") {
  const std::vector<double> x{1, 2, 3, 4}, factor{10, 100};
  const std::vector<std::int32_t> level{1, 0};
  std::vector<double> y(4, 7);
  ops::reference::run(ops::affine<double>{x.data(), y.data(), 2, 2, 2, -1, factor.data(), level.data()});
  CHECK(y == std::vector<double>{199, 399, 59, 79});
  ops::reference::run(ops::affine<double>{x.data(), y.data(), 2, 2, 2, 0, nullptr, nullptr, true});
  CHECK(y == std::vector<double>{201, 403, 65, 87});
}

TEMPLATE_TEST_CASE("affine matches its reference", "[affine]", float, double) {
  for (const index rows : {0, 1, 5})
    for (const index size : {1, 16, 3001})
      for (const bool accumulate : {false, true}) {
        const auto x = values<TestType>(rows * size, 1), factor = values<TestType>(3, 2),
                   before = values<TestType>(rows * size, 3);
        std::vector<std::int32_t> level;
        for (index i = 0; i < rows; ++i) level.push_back(static_cast<std::int32_t>(i % 3));
        const ops::affine<TestType> op{x.data(),      nullptr,       rows,         size,      TestType(0.5),
                                       TestType(0.2), factor.data(), level.data(), accumulate};
        auto want = before;
        auto reference = op;
        reference.y = want.data();
        ops::reference::run(reference);
        const auto got = on_all_pools([&](thread_pool& on) {
          auto y = before;
          auto mine = op;
          mine.y = y.data();
          ops::cpu::run(mine, on);
          return y;
        });
        REQUIRE(got.size() == want.size());
        double most = 0;
        for (std::size_t i = 0; i < got.size(); ++i)
          most = std::max(most, static_cast<double>(std::abs(got[i] - want[i])));
        CHECK(most < 1e-6);
      }
}

}  // namespace op_test::affine_test
