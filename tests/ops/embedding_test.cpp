// SPDX-License-Identifier: Apache-2.0
#include <anodiff/ops/embedding_cpu.hpp>
#include <anodiff/ops/linear_cpu.hpp>
#include "op_support.hpp"

namespace op_test::embedding_test {

TEMPLATE_TEST_CASE("rows are taken from the table by number", "[embedding]", float, double) {
  for (const index width : sizes()) {
    const auto table = values<TestType>(5 * width, 1);
    const auto id = levels(400, 5);
    std::vector<TestType> want(static_cast<std::size_t>(400 * width));
    ops::reference::run(ops::embedding_forward<TestType>{table.data(), id.data(), want.data(), 400, width});
    for (std::size_t i = 0; i < 400; i += 57)
      CHECK(same_bits(rows_of(want, width, static_cast<index>(i), static_cast<index>(i) + 1),
                      rows_of(table, width, id[i], id[i] + 1)));
    CHECK(
        same_bits(on_all_pools([&](thread_pool& on) {
                    std::vector<TestType> y(want.size());
                    ops::cpu::run(ops::embedding_forward<TestType>{table.data(), id.data(), y.data(), 400, width}, on);
                    return y;
                  }),
                  want));
  }
}

TEST_CASE("the gradient of the table is the scattered gradient of the rows", "[embedding]") {
  auto table = values<double>(12, 1);
  const auto dy = values<double>(7 * 3, 2);
  const auto id = levels(7, 4);
  std::vector<double> y(21), dtable(12);
  ops::reference::run(ops::scatter_rows<double>{dy.data(), id.data(), dtable.data(), 7, 3});
  CHECK(gradient_error(table, dtable, [&] {
          ops::reference::run(ops::embedding_forward<double>{table.data(), id.data(), y.data(), 7, 3});
          return dot(y, dy);
        }) < 1e-9);
}

}  // namespace op_test::embedding_test
