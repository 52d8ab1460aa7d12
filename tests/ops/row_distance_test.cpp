// SPDX-License-Identifier: Apache-2.0
#include <anodiff/ops/row_distance_cpu.hpp>
#include "op_support.hpp"

namespace op_test::row_distance_test {

using ops::distance_kind;

TEST_CASE("distances by hand", "[row_distance]") {
  const std::vector<double> x{1, -2, 5}, y{4, -2, 3};
  std::vector<double> evidence(3);
  ops::reference::run(ops::row_distance<double>{x.data(), y.data(), evidence.data(), 1, 3, distance_kind::l1});
  CHECK(evidence == std::vector<double>{3, 0, 2});
  ops::reference::run(ops::row_distance<double>{x.data(), y.data(), evidence.data(), 1, 3, distance_kind::l2});
  CHECK(evidence == std::vector<double>{9, 0, 4});
}

TEMPLATE_TEST_CASE("distances match the reference, in place too", "[row_distance]", float, double) {
  for (const auto kind : {distance_kind::l1, distance_kind::l2})
    for (const index d : sizes())
      for (const index rows : {0, 1, 5, 300}) {
        const auto x = values<TestType>(rows * d, 1), y = values<TestType>(rows * d, 2);
        std::vector<TestType> want(x.size());
        ops::reference::run(ops::row_distance<TestType>{x.data(), y.data(), want.data(), rows, d, kind});
        const auto got = on_all_pools([&](thread_pool& on) {
          auto evidence = x;
          ops::cpu::run(ops::row_distance<TestType>{evidence.data(), y.data(), evidence.data(), rows, d, kind}, on);
          return evidence;
        });
        CHECK(same_bits(got, want));
      }
}

TEST_CASE("a perfect rebuild is at distance zero, and NaN is seen", "[row_distance]") {
  auto x = values<float>(33, 1);
  std::vector<float> evidence(33);
  ops::cpu::run(ops::row_distance<float>{x.data(), x.data(), evidence.data(), 3, 11, distance_kind::l2}, pool(1));
  CHECK(evidence == std::vector<float>(33));
  const auto y = x;
  x[20] = NAN;
  for (const auto kind : {distance_kind::l1, distance_kind::l2}) {
    ops::cpu::run(ops::row_distance<float>{x.data(), y.data(), evidence.data(), 3, 11, kind}, pool(1));
    CHECK(std::isnan(evidence[20]));
  }
}

}  // namespace op_test::row_distance_test
