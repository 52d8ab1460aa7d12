// SPDX-License-Identifier: Apache-2.0
#include <anodiff/ops/dynamic_threshold_cpu.hpp>
#include "op_support.hpp"

namespace op_test::dynamic_threshold_test {

namespace {

template <class T>
[[nodiscard]] std::vector<T> thresholded(thread_pool* threads, std::vector<T> x, index row_size, double share,
                                         double limit, double most) {
  std::vector<T> scratch(x.size());
  const ops::dynamic_threshold<T> op{
      x.data(), static_cast<index>(x.size()) / row_size, row_size, share, limit, most, scratch.data()};
  if (threads != nullptr)
    ops::cpu::run(op, *threads);
  else
    ops::reference::run(op);
  return x;
}

}  // namespace

TEST_CASE("dynamic_threshold: by hand", "[ops]") {
  const std::vector<double> x{-4, 0.5, 2, -1};  // sizes 0.5, 1, 2, 4
  for (thread_pool* threads : {static_cast<thread_pool*>(nullptr), &pool(1)}) {
    const auto got = [&](double share, double most) { return thresholded<double>(threads, x, 4, share, 1, most); };
    CHECK(got(0.5, 10) == std::vector<double>{-1, 0.5 / 1.5, 1, -1 / 1.5});  // half way between 1 and 2
    CHECK(got(1, 10) == std::vector<double>{-1, 0.125, 0.5, -0.25});
    CHECK(got(1, 2) == std::vector<double>{-1, 0.25, 1, -0.5});  // the largest that is allowed
    CHECK(got(0.1, 10) == std::vector<double>{-1, 0.5, 1, -1});  // at least the limit: plain clipping
    CHECK(got(0.1, 1) == std::vector<double>{-1, 0.5, 1, -1});
  }
}

TEMPLATE_TEST_CASE("dynamic_threshold: the vectorised form keeps its bound, and a row is the same in any batch",
                   "[ops][laws]", float, double) {
  for (const index d : {1, 2, 7, 16, 33, 500})
    for (const double share : {0.01, 0.5, 0.995, 1.0}) {
      auto x = values<TestType>(37 * d, 1);
      for (auto& v : x) v *= 3;
      const auto want = thresholded<TestType>(nullptr, x, d, share, 0.5, 2);
      const auto got = on_all_pools([&](thread_pool& on) { return thresholded<TestType>(&on, x, d, share, 0.5, 2); });
      double most = 0;
      for (std::size_t i = 0; i < want.size(); ++i) most = std::max(most, std::abs(double(got[i]) - double(want[i])));
      CHECK(most <= 0.5 * ops::dynamic_threshold_bound);
      const auto alone = thresholded<TestType>(&pool(1), {x.begin() + 5 * d, x.begin() + 6 * d}, d, share, 0.5, 2);
      CHECK(std::equal(alone.begin(), alone.end(), got.begin() + 5 * d));
      for (const auto v : got) CHECK(std::abs(v) <= TestType(0.5) * (1 + std::numeric_limits<TestType>::epsilon()));
    }
}

}  // namespace op_test::dynamic_threshold_test
