// SPDX-License-Identifier: Apache-2.0
#include <anodiff/ops/concat_cpu.hpp>
#include <anodiff/ops/linear.hpp>
#include <anodiff/ops/pixel_sums_cpu.hpp>
#include <anodiff/ops/resample_cpu.hpp>
#include <anodiff/ops/scale_shift_cpu.hpp>
#include <anodiff/ops/scaled_sum_cpu.hpp>
#include "op_support.hpp"

namespace op_test::image_ops_test {

TEST_CASE("two by two pixels by hand", "[resample]") {
  const std::vector<double> x{1, 10, 2, 20, 3, 30, 4, 40};  // (1, 2, 2, 2)
  std::vector<double> small(2), large(32);
  ops::reference::run(ops::reduce<double>{x.data(), small.data(), 1, 1, 1, 2});
  CHECK(small == std::vector<double>{2.5, 25});
  ops::reference::run(ops::enlarge<double>{x.data(), large.data(), 1, 2, 2, 2});
  CHECK(rows_of(large, 8, 0, 1) == std::vector<double>{1, 10, 1, 10, 2, 20, 2, 20});
  CHECK(rows_of(large, 8, 1, 2) == rows_of(large, 8, 0, 1));
  CHECK(rows_of(large, 8, 3, 4) == std::vector<double>{3, 30, 3, 30, 4, 40, 4, 40});
}

TEMPLATE_TEST_CASE("resampling matches its reference, and one is the gradient of the other", "[resample]", float,
                   double) {
  for (const index c : {1, 3, 16, 35})
    for (const bool accumulate : {false, true}) {
      const index n = 2, h = 3, w = 5;
      const auto small = values<TestType>(n * h * w * c, 1), large = values<TestType>(4 * n * h * w * c, 2);
      const auto enlarged = [&](auto&& run) {
        auto y = large;
        run(ops::enlarge<TestType>{small.data(), y.data(), n, h, w, c, TestType(0.5), accumulate});
        return y;
      };
      const auto reduced = [&](auto&& run) {
        auto y = small;
        run(ops::reduce<TestType>{large.data(), y.data(), n, h, w, c, TestType(0.25), accumulate});
        return y;
      };
      const auto on_reference = [](const auto& op) { ops::reference::run(op); };
      CHECK(same_bits(enlarged(on_reference), on_all_pools([&](thread_pool& on) {
                        return enlarged([&](const auto& op) { ops::cpu::run(op, on); });
                      })));
      CHECK(same_bits(reduced(on_reference), on_all_pools([&](thread_pool& on) {
                        return reduced([&](const auto& op) { ops::cpu::run(op, on); });
                      })));
    }
  // <enlarge x, y> = <x, reduce y> with equal scales
  const auto x = values<double>(2 * 3 * 5 * 4, 1), y = values<double>(4 * 2 * 3 * 5 * 4, 2);
  std::vector<double> up(y.size()), down(x.size());
  ops::reference::run(ops::enlarge<double>{x.data(), up.data(), 2, 3, 5, 4, 0.25});
  ops::reference::run(ops::reduce<double>{y.data(), down.data(), 2, 3, 5, 4, 0.25});
  CHECK(dot(up, y) == Approx(dot(x, down)));
}

TEST_CASE("channels are copied and added where they belong", "[concat]") {
  for (const index pixels : {0, 1, 7, 3000})
    for (const index a : {1, 5, 32}) {
      const index b = 3;
      const auto left = values<float>(pixels * a, 1), right = values<float>(pixels * b, 2);
      const auto joined = on_all_pools([&](thread_pool& on) {
        std::vector<float> y(static_cast<std::size_t>(std::max<index>(pixels, 1) * (a + b)), -9);
        ops::cpu::run(ops::copy_channels<float>{left.data(), a, y.data(), a + b, pixels, a}, on);
        ops::cpu::run(ops::copy_channels<float>{right.data(), b, y.data() + a, a + b, pixels, b}, on);
        return y;
      });
      auto want = joined;
      for (index i = 0; i < pixels; ++i) {
        std::copy_n(left.begin() + i * a, a, want.begin() + i * (a + b));
        std::copy_n(right.begin() + i * b, b, want.begin() + i * (a + b) + a);
      }
      CHECK(joined == want);
      auto back = right, reference = right;
      ops::cpu::run(ops::copy_channels<float>{joined.data() + a, a + b, back.data(), b, pixels, b, true}, pool(2));
      ops::reference::run(ops::copy_channels<float>{joined.data() + a, a + b, reference.data(), b, pixels, b, true});
      CHECK(back == reference);
      for (std::size_t i = 0; i < back.size(); ++i) CHECK(back[i] == 2 * right[i]);
    }
}

TEMPLATE_TEST_CASE("sums, by element and over pixels, match their references", "[image_ops]", float, double) {
  const double bound = sizeof(TestType) == 4 ? 1e-5 : 1e-13;
  for (const index c : sizes()) {
    const index n = 3, pixels = 35;
    const auto x = values<TestType>(n * pixels * c, 1), b = values<TestType>(n * pixels * c, 2);
    std::vector<double> want(static_cast<std::size_t>(n * c));
    const auto x64 = as<double>(x);
    ops::reference::run(ops::pixel_sums<double>{x64.data(), want.data(), n, pixels, c});
    CHECK(worst(on_all_pools([&](thread_pool& on) {
                  std::vector<TestType> y(want.size());
                  ops::cpu::run(ops::pixel_sums<TestType>{x.data(), y.data(), n, pixels, c}, on);
                  return y;
                }),
                want) <= bound);
    for (const bool accumulate : {false, true})
      for (const TestType* second : {static_cast<const TestType*>(nullptr), b.data()}) {
        auto got = b, reference = b;
        const auto op = [&](std::vector<TestType>& y) {
          return ops::scaled_sum<TestType>{x.data(), second, y.data(), n * pixels * c, TestType(0.75), accumulate};
        };
        ops::cpu::run(op(got), pool(2));
        ops::reference::run(op(reference));
        CHECK(worst(got, reference) <= bound);
      }
  }
}

namespace {

template <class T>
struct shifted {
  index n, pixels, channels;
  ops::activation kind;
  std::vector<T> x, table, y;
  std::vector<std::int32_t> level;
  shifted(index pictures, index p, index c, ops::activation k)
      : n{pictures},
        pixels{p},
        channels{c},
        kind{k},
        x(values<T>(n * p * c, 1)),
        table(values<T>(3 * 2 * c, 2)),
        y(x.size()),
        level(levels(n, 3)) {}
  [[nodiscard]] ops::scale_shift_forward<T> forward() {
    return {x.data(), table.data(), level.data(), y.data(), n, pixels, channels, kind};
  }
  /// sums and dx; both start at 0.25.
  template <class Run>
  [[nodiscard]] std::vector<T> gradients(const std::vector<T>& dy, bool accumulate, Run&& run) const {
    std::vector<T> all(static_cast<std::size_t>(n * 2 * channels) + x.size(), T(0.25));
    run(ops::scale_shift_backward<T>{x.data(), dy.data(), table.data(), level.data(), all.data(),
                                     all.data() + n * 2 * channels, accumulate, n, pixels, channels, kind});
    return all;
  }
};

}  // namespace

TEST_CASE("a pixel scaled and shifted by hand", "[scale_shift]") {
  shifted<double> s{2, 1, 2, ops::activation::relu};
  s.x = {1, 2, 3, 4};
  s.table = {0, 0, 0, 0, 1, 2, 10, 20, -1, 0.5, 1, -100};
  s.level = {1, 2};
  ops::reference::run(s.forward());
  CHECK(s.y == std::vector<double>{12, 26, 1, 0});
}

TEMPLATE_TEST_CASE("scale and shift match their references", "[scale_shift]", float, double) {
  const double bound = sizeof(TestType) == 4 ? 4e-5 : 1e-12;
  for (const auto kind : {ops::activation::identity, ops::activation::silu})
    for (const index c : {1, 5, 16, 100}) {
      shifted<TestType> s{4, 30, c, kind};
      shifted<double> exact{4, 30, c, kind};
      exact.x = as<double>(s.x);
      exact.table = as<double>(s.table);
      ops::reference::run(exact.forward());
      CHECK(worst(on_all_pools([&](thread_pool& on) {
                    ops::cpu::run(s.forward(), on);
                    return s.y;
                  }),
                  exact.y) <= bound);
      const auto dy = values<TestType>(static_cast<index>(s.y.size()), 3);
      for (const bool accumulate : {false, true})
        CHECK(worst(on_all_pools([&](thread_pool& on) {
                      return s.gradients(dy, accumulate, [&](const auto& op) { ops::cpu::run(op, on); });
                    }),
                    exact.gradients(as<double>(dy), accumulate, [](const auto& op) { ops::reference::run(op); })) <=
              bound);
    }
}

TEST_CASE("gradients of scale and shift match central differences", "[scale_shift]") {
  for (const auto kind : {ops::activation::identity, ops::activation::silu, ops::activation::gelu}) {
    shifted<double> s{4, 6, 3, kind};
    const auto dy = values<double>(static_cast<index>(s.y.size()), 3);
    const auto loss = [&] {
      ops::reference::run(s.forward());
      return dot(s.y, dy);
    };
    const auto all = s.gradients(dy, false, [](const auto& op) { ops::reference::run(op); });
    std::vector<double> dtable(s.table.size());
    ops::reference::run(ops::scatter_rows<double>{all.data(), s.level.data(), dtable.data(), 4, 6});
    CHECK(gradient_error(s.table, dtable, loss) < 1e-7);
    CHECK(gradient_error(s.x, {all.begin() + 4 * 6, all.end()}, loss) < 1e-7);
  }
}

}  // namespace op_test::image_ops_test
