// SPDX-License-Identifier: Apache-2.0
#include <anodiff/ops/elementwise_cpu.hpp>
#include "op_support.hpp"

namespace op_test::elementwise_test {

TEMPLATE_TEST_CASE("sums, copies and constants, of all sizes", "[elementwise]", float, double) {
  auto counts = sizes();
  counts.push_back(70001);
  for (const index n : counts) {
    const auto a = values<TestType>(n, 1), b = values<TestType>(n, 2);
    std::vector<TestType> sum(a.size()), constant(a.size(), TestType(2.5));
    for (std::size_t i = 0; i < a.size(); ++i) sum[i] = a[i] + b[i];
    const auto run = [&](auto make) {
      return on_all_pools([&](thread_pool& on) {
        auto y = b;
        ops::cpu::run(make(y.data()), on);
        auto reference = b;
        ops::reference::run(make(reference.data()));
        CHECK(same_bits(y, reference));
        return y;
      });
    };
    CHECK(same_bits(run([&](TestType* y) { return ops::accumulate<TestType>{a.data(), y, n, false}; }), a));
    CHECK(same_bits(run([&](TestType* y) { return ops::accumulate<TestType>{a.data(), y, n, true}; }), sum));
    CHECK(same_bits(run([&](TestType* y) { return ops::add<TestType>{a.data(), b.data(), y, n}; }), sum));
    CHECK(same_bits(run([&](TestType* y) { return ops::add<TestType>{a.data(), y, y, n}; }), sum));
    CHECK(same_bits(run([&](TestType* y) { return ops::fill<TestType>{y, n, TestType(2.5)}; }), constant));
  }
}

}  // namespace op_test::elementwise_test
