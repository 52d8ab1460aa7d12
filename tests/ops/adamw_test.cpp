// SPDX-License-Identifier: Apache-2.0
#include <anodiff/ops/adamw_cpu.hpp>
#include "op_support.hpp"

namespace op_test::adamw_test {

TEMPLATE_TEST_CASE("sums of squares match their reference, with any threads", "[adamw]", float, double) {
  for (const index count : {0, 1, 31, 33, 257, 16383, 16384, 16385, 50001}) {
    const auto x = values<TestType>(count, 1);
    std::vector<double> blocks(static_cast<std::size_t>(count / ops::sum_block + 1));
    double want = 0, got = 0, again = 0;
    ops::reference::run(ops::sum_of_squares<TestType>{x.data(), count, blocks.data(), &want});
    ops::cpu::run(ops::sum_of_squares<TestType>{x.data(), count, blocks.data(), &got}, pool(1));
    ops::cpu::run(ops::sum_of_squares<TestType>{x.data(), count, blocks.data(), &again}, pool(3));
    INFO(count << " values");
    CHECK(got == Approx(want).epsilon(1e-13));
    CHECK(again == got);
  }
}

}  // namespace op_test::adamw_test
