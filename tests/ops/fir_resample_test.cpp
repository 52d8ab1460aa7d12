// SPDX-License-Identifier: Apache-2.0
#include <anodiff/ops/fir_resample_cpu.hpp>
#include "op_support.hpp"

namespace op_test::fir_resample_test {

TEST_CASE("a filter of four taps by hand", "[fir_resample]") {
  // one row through (1, 3, 3, 1); the other direction has the height 1, whose taps inside the picture sum to 3
  const std::vector<double> x{1, 2, 4};
  std::vector<double> large(12), small(2);
  ops::reference::run(ops::fir_enlarge<double>{x.data(), large.data(), 1, 1, 3, 1, 1.0 / 3});
  CHECK(rows_of(large, 6, 0, 1) == std::vector<double>{3, 5, 7, 10, 14, 12});
  CHECK(rows_of(large, 6, 1, 2) == rows_of(large, 6, 0, 1));
  const std::vector<double> y{1, 2, 4, 8, 1, 2, 4, 8};  // (1, 2, 4, 1)
  ops::reference::run(ops::fir_reduce<double>{y.data(), small.data(), 1, 1, 2, 1, 1.0 / 6});
  CHECK(small == std::vector<double>{3 * 1 + 3 * 2 + 4, 2 + 3 * 4 + 3 * 8});
}

TEST_CASE("filters keep what is constant inside a picture", "[fir_resample]") {
  const std::vector<double> x(6 * 6, 2.0);
  std::vector<double> large(12 * 12), small(3 * 3);
  ops::reference::run(ops::fir_enlarge<double>{x.data(), large.data(), 1, 6, 6, 1});
  ops::reference::run(ops::fir_reduce<double>{x.data(), small.data(), 1, 3, 3, 1});
  CHECK(large[5 * 12 + 6] == 2);
  CHECK(large[0] == 2 * 9.0 / 16);
  CHECK(small[4] == 2);
  CHECK(small[0] == 2 * 49.0 / 64);
}

TEMPLATE_TEST_CASE("filters match their reference, and one is the gradient of the other", "[fir_resample]", float,
                   double) {
  for (const index c : {1, 3, 16, 35})
    for (const bool accumulate : {false, true}) {
      const index n = 2, h = 3, w = 5;
      const auto small = values<TestType>(n * h * w * c, 1), large = values<TestType>(4 * n * h * w * c, 2);
      const auto enlarged = [&](auto&& run) {
        auto y = large;
        run(ops::fir_enlarge<TestType>{small.data(), y.data(), n, h, w, c, TestType(0.5), accumulate});
        return y;
      };
      const auto reduced = [&](auto&& run) {
        auto y = small;
        run(ops::fir_reduce<TestType>{large.data(), y.data(), n, h, w, c, TestType(0.25), accumulate});
        return y;
      };
      const auto on_reference = [](const auto& op) { ops::reference::run(op); };
      const auto close = [](const std::vector<TestType>& a, const std::vector<TestType>& b) {
        REQUIRE(a.size() == b.size());
        for (std::size_t i = 0; i < a.size(); ++i)
          if (std::abs(a[i] - b[i]) > 64 * std::numeric_limits<TestType>::epsilon()) return false;
        return true;
      };
      CHECK(close(enlarged(on_reference), on_all_pools([&](thread_pool& on) {
                    return enlarged([&](const auto& op) { ops::cpu::run(op, on); });
                  })));
      CHECK(close(reduced(on_reference), on_all_pools([&](thread_pool& on) {
                    return reduced([&](const auto& op) { ops::cpu::run(op, on); });
                  })));
    }
  // <enlarge x, y> = <x, reduce y> with equal scales
  const auto x = values<double>(2 * 3 * 5 * 4, 1), y = values<double>(4 * 2 * 3 * 5 * 4, 2);
  std::vector<double> up(y.size()), down(x.size());
  ops::reference::run(ops::fir_enlarge<double>{x.data(), up.data(), 2, 3, 5, 4, 0.25});
  ops::reference::run(ops::fir_reduce<double>{y.data(), down.data(), 2, 3, 5, 4, 0.25});
  CHECK(dot(up, y) == Approx(dot(x, down)));
}

}  // namespace op_test::fir_resample_test
