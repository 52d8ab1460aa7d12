// SPDX-License-Identifier: Apache-2.0
#include <anodiff/ops/group_norm_cpu.hpp>
#include <anodiff/ops/linear.hpp>
#include "op_support.hpp"

namespace op_test::group_norm_test {

namespace {

template <class T>
struct norm {
  index n, pixels, channels, groups;
  ops::activation kind;
  bool shifts;
  std::vector<T> x, gain, bias, table, y, mean, inverse;
  std::vector<std::int32_t> level;
  norm(index pictures, index p, index c, index g, ops::activation k = ops::activation::identity,
       bool with_table = false, double offset = 0)
      : n{pictures},
        pixels{p},
        channels{c},
        groups{g},
        kind{k},
        shifts{with_table},
        x(values<T>(n * p * c, 1, 1, offset)),
        gain(values<T>(c, 2)),
        bias(values<T>(c, 3)),
        table(values<T>(3 * 2 * c, 4)),
        y(x.size()),
        mean(static_cast<std::size_t>(n * g)),
        inverse(mean.size()),
        level(levels(n, 3)) {}
  template <class U>
  explicit norm(const norm<U>& from) : norm{from.n, from.pixels, from.channels, from.groups, from.kind, from.shifts} {
    x = as<T>(from.x);
    gain = as<T>(from.gain);
    bias = as<T>(from.bias);
    table = as<T>(from.table);
  }
  [[nodiscard]] ops::group_norm_forward<T> forward() {
    return {.x = x.data(),
            .gain = gain.data(),
            .bias = bias.data(),
            .table = shifts ? table.data() : nullptr,
            .level = level.data(),
            .y = y.data(),
            .mean = mean.data(),
            .inverse = inverse.data(),
            .n = n,
            .pixels = pixels,
            .channels = channels,
            .groups = groups,
            .kind = kind};
  }
  /// The table's rows, dgain, dbias and dx, one after another; all start at 0.25.
  template <class Run>
  [[nodiscard]] std::vector<T> gradients(const std::vector<T>& dy, bool accumulate, Run&& run) const {
    const auto sums = static_cast<std::size_t>(n * 2 * channels), c = static_cast<std::size_t>(channels);
    std::vector<T> all(sums + 2 * c + x.size(), T(0.25));
    run(ops::group_norm_backward<T>{.x = x.data(),
                                    .dy = dy.data(),
                                    .gain = gain.data(),
                                    .bias = bias.data(),
                                    .table = shifts ? table.data() : nullptr,
                                    .level = level.data(),
                                    .mean = mean.data(),
                                    .inverse = inverse.data(),
                                    .sums = all.data(),
                                    .dgain = all.data() + sums,
                                    .dbias = all.data() + sums + c,
                                    .dx = all.data() + sums + 2 * c,
                                    .accumulate = accumulate,
                                    .n = n,
                                    .pixels = pixels,
                                    .channels = channels,
                                    .groups = groups,
                                    .kind = kind});
    return all;
  }
};

}  // namespace

TEST_CASE("two groups by hand", "[group_norm]") {
  norm<double> g{1, 2, 4, 2};
  g.x = {1, 3, 0, 0, 5, 7, 0, 8};
  g.gain = {1, 2, 1, 1};
  g.bias = {0, 0, 0, 10};
  ops::reference::run(g.forward());
  CHECK(g.mean == std::vector<double>{4, 2});
  CHECK(g.inverse[0] == Approx(1 / std::sqrt(5 + 1e-5)));
  CHECK(g.inverse[1] == Approx(1 / std::sqrt(12 + 1e-5)));
  CHECK(g.y[1] == Approx(-2 * g.inverse[0]));
  CHECK(g.y[7] == Approx(6 * g.inverse[1] + 10));
  g.shifts = true;
  g.table = {0, 0, 0, 1, 0, 0, 0, 5, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9};
  g.kind = ops::activation::relu;
  ops::reference::run(g.forward());
  CHECK(g.y[1] == 0);
  CHECK(g.y[7] == Approx((6 * g.inverse[1] + 10) * 2 + 5));
}

TEMPLATE_TEST_CASE("the vectorised group norm matches its reference", "[group_norm]", float, double) {
  const double bound = sizeof(TestType) == 4 ? 1e-5 : 1e-12;
  for (const auto& [channels, groups] : std::initializer_list<std::pair<index, index>>{
           {1, 1}, {2, 2}, {12, 3}, {32, 32}, {40, 5}, {64, 8}, {96, 32}, {130, 1}, {200, 2}})
    for (const index pixels : {1, 9, 100})
      for (const bool shifts : {false, true}) {
        CAPTURE(channels, groups, pixels, shifts);
        if (pixels * channels / groups < 2) continue;  // a number alone has no spread
        norm<TestType> g{3,      pixels, channels, groups, shifts ? ops::activation::silu : ops::activation::identity,
                         shifts, 3};
        norm<double> exact{g};
        ops::reference::run(exact.forward());
        CHECK(worst(on_all_pools([&](thread_pool& on) {
                      ops::cpu::run(g.forward(), on);
                      auto all = g.y;
                      all.insert(all.end(), g.mean.begin(), g.mean.end());
                      return all;
                    }),
                    [&] {
                      auto all = exact.y;
                      all.insert(all.end(), exact.mean.begin(), exact.mean.end());
                      return all;
                    }()) <= bound * 10);
        const auto dy = values<TestType>(static_cast<index>(g.x.size()), 5);
        exact.mean = as<double>(g.mean);  // as the narrow form rounded them
        exact.inverse = as<double>(g.inverse);
        for (const bool accumulate : {false, true}) {
          auto want = exact.gradients(as<double>(dy), accumulate, [](const auto& op) { ops::reference::run(op); });
          auto got = on_all_pools([&](thread_pool& on) {
            return g.gradients(dy, accumulate, [&](const auto& op) { ops::cpu::run(op, on); });
          });
          const double most = *std::max_element(exact.inverse.begin(), exact.inverse.end());
          CHECK(worst(got, want, std::max(1.0, most) * static_cast<double>(pixels + 10)) <= bound);
        }
      }
}

TEST_CASE("a mean far from zero costs no accuracy", "[group_norm]") {
  norm<float> g{1, 400, 16, 4, ops::activation::identity, false, 3000};
  norm<double> exact{g};
  ops::reference::run(exact.forward());
  ops::cpu::run(g.forward(), pool(1));
  CHECK(worst(g.inverse, exact.inverse) < 1e-6);
  CHECK(worst(g.y, exact.y) < 1e-3);  // a float of 3000 is known to 1e-4
}

TEST_CASE("gradients of the group norm match central differences", "[group_norm]") {
  for (const bool shifts : {false, true}) {
    norm<double> g{3, 5, 6, 2, ops::activation::silu, shifts};
    const auto dy = values<double>(static_cast<index>(g.y.size()), 5);
    const auto loss = [&] {
      ops::reference::run(g.forward());
      return dot(g.y, dy);
    };
    (void)loss();
    auto all = g.gradients(dy, true, [](const auto& op) { ops::reference::run(op); });
    for (std::size_t i = 36; i < all.size(); ++i) all[i] -= 0.25;
    if (shifts) {
      std::vector<double> dtable(g.table.size());
      ops::reference::run(ops::scatter_rows<double>{all.data(), g.level.data(), dtable.data(), 3, 12});
      CHECK(gradient_error(g.table, dtable, loss) < 1e-7);
    }
    CHECK(gradient_error(g.gain, {all.begin() + 36, all.begin() + 42}, loss) < 1e-7);
    CHECK(gradient_error(g.bias, {all.begin() + 42, all.begin() + 48}, loss) < 1e-7);
    CHECK(gradient_error(g.x, {all.begin() + 48, all.end()}, loss) < 1e-7);
  }
}

TEST_CASE("a picture's norm does not depend on the pictures beside it, nor on being in place", "[group_norm]") {
  norm<float> g{4, 50, 48, 8, ops::activation::silu, true};
  ops::cpu::run(g.forward(), pool(3));
  norm<float> one{1, 50, 48, 8, ops::activation::silu, true};
  one.x = rows_of(g.x, 50 * 48, 2, 3);
  one.level = {g.level[2]};
  ops::cpu::run(one.forward(), pool(1));
  CHECK(same_bits(one.y, rows_of(g.y, 50 * 48, 2, 3)));
  auto in_place = one.forward();
  in_place.y = one.x.data();
  ops::cpu::run(in_place, pool(1));
  CHECK(same_bits(one.x, one.y));
}

}  // namespace op_test::group_norm_test
