// SPDX-License-Identifier: Apache-2.0
#include <anodiff/ops/layer_norm_cpu.hpp>
#include "op_support.hpp"

namespace op_test::layer_norm_test {

namespace {

template <class T>
struct norm {
  index rows, width;
  std::vector<T> x, gain, bias, y, mean, inverse;
  norm(index n, index w, double offset = 0)
      : rows{n},
        width{w},
        x(values<T>(n * w, 1, 1, offset)),
        gain(values<T>(w, 2)),
        bias(values<T>(w, 3)),
        y(x.size()),
        mean(static_cast<std::size_t>(n)),
        inverse(mean.size()) {}
  template <class U>
  explicit norm(const norm<U>& from)
      : rows{from.rows},
        width{from.width},
        x(as<T>(from.x)),
        gain(as<T>(from.gain)),
        bias(as<T>(from.bias)),
        y(from.y.size()),
        mean(from.mean.size()),
        inverse(from.mean.size()) {}
  [[nodiscard]] ops::layer_norm_forward<T> forward() {
    return {.x = x.data(),
            .gain = gain.data(),
            .bias = bias.data(),
            .y = y.data(),
            .mean = mean.data(),
            .inverse = inverse.data(),
            .rows = rows,
            .width = width};
  }
  template <class Run>
  [[nodiscard]] std::vector<T> gradients(const std::vector<T>& dy, bool accumulate, Run&& run) const {
    ops::layer_norm_backward<T> op{};
    return norm_gradients(op, *this, dy, accumulate, run);
  }
};

}  // namespace

TEST_CASE("a normed row by hand", "[layer_norm]") {
  norm<double> n{1, 4};
  n.x = {1, 2, 3, 6};
  n.gain = {1, 2, 1, 1};
  n.bias = {0, 0, 10, 0};
  ops::reference::run(n.forward());
  CHECK(n.mean[0] == 3);
  CHECK(n.inverse[0] == Approx(1 / std::sqrt(3.5 + 1e-5)));
  CHECK(n.y[0] == Approx(-2 * n.inverse[0]));
  CHECK(n.y[1] == Approx(-2 * n.inverse[0]));
  CHECK(n.y[2] == Approx(10));
  CHECK(n.y[3] == Approx(3 * n.inverse[0]));
}

TEST_CASE("a constant row gives the bias", "[layer_norm]") {
  norm<float> n{2, 19};
  std::fill(n.x.begin(), n.x.end(), 1e6F);
  ops::cpu::run(n.forward(), pool(1));
  CHECK(same_bits(n.y, [&] {
    auto twice = n.bias;
    twice.insert(twice.end(), n.bias.begin(), n.bias.end());
    return twice;
  }()));
}

TEMPLATE_TEST_CASE("the vectorised norm matches its reference", "[layer_norm]", float, double) {
  const double bound = sizeof(TestType) == 4 ? 1e-6 : 1e-13;
  for (const index width : sizes())
    for (const index rows : {0, 1, 7, 70}) {
      CAPTURE(width, rows);
      norm<TestType> n{rows, width, 3};
      norm<double> n64{n};
      ops::reference::run(n64.forward());
      const auto got = on_all_pools([&](thread_pool& on) {
        ops::cpu::run(n.forward(), on);
        auto all = n.y;
        all.insert(all.end(), n.mean.begin(), n.mean.end());
        all.insert(all.end(), n.inverse.begin(), n.inverse.end());
        return all;
      });
      auto want = n64.y;
      want.insert(want.end(), n64.mean.begin(), n64.mean.end());
      want.insert(want.end(), n64.inverse.begin(), n64.inverse.end());
      if (width > 0) CHECK(worst(got, want) <= bound * (width == 1 ? 1e4 : 10));

      const auto dy = values<TestType>(rows * width, 4);
      n64 = norm<double>{n};  // the same means, as the float form rounded them
      n64.mean = as<double>(n.mean);
      n64.inverse = as<double>(n.inverse);
      for (const bool accumulate : {false, true}) {
        const auto dwant = n64.gradients(as<double>(dy), accumulate, [](const auto& op) { ops::reference::run(op); });
        const auto dgot = on_all_pools([&](thread_pool& on) {
          return n.gradients(dy, accumulate, [&](const auto& op) { ops::cpu::run(op, on); });
        });
        const double scale = width == 1 ? 1e3 : static_cast<double>(rows + 10);
        if (width > 1) CHECK(worst(dgot, dwant) <= bound * scale);
      }
    }
}

TEST_CASE("gradients of the norm match central differences", "[layer_norm]") {
  norm<double> n{3, 7};
  const auto dy = values<double>(21, 4);
  const auto loss = [&] {
    ops::reference::run(n.forward());
    return dot(n.y, dy);
  };
  loss();
  auto all = n.gradients(dy, true, [](const auto& op) { ops::reference::run(op); });
  for (double& g : all) g -= 0.25;
  CHECK(gradient_error(n.gain, {all.begin(), all.begin() + 7}, loss) < 1e-7);
  CHECK(gradient_error(n.bias, {all.begin() + 7, all.begin() + 14}, loss) < 1e-7);
  CHECK(gradient_error(n.x, {all.begin() + 14, all.end()}, loss) < 1e-7);
}

TEST_CASE("a row's norm does not depend on the rows beside it, nor on being in place", "[layer_norm]") {
  norm<float> n{40, 37};
  const auto dy = values<float>(40 * 37, 4);
  ops::cpu::run(n.forward(), pool(3));
  const auto dx = [&](const norm<float>& of, const std::vector<float>& from) {
    auto all = of.gradients(from, false, [](const auto& op) { ops::cpu::run(op, pool(1)); });
    return std::vector<float>(all.begin() + 2 * of.width, all.end());
  };
  const auto whole = dx(n, dy);
  for (index i = 0; i < 40; i += 13) {
    norm<float> one{1, 37};
    one.x = rows_of(n.x, 37, i, i + 1);
    ops::cpu::run(one.forward(), pool(1));
    CHECK(same_bits(one.y, rows_of(n.y, 37, i, i + 1)));
    CHECK(same_bits(dx(one, rows_of(dy, 37, i, i + 1)), rows_of(whole, 37, i, i + 1)));
  }
  auto x = n.x, dx_in_place = dy;
  auto forward = n.forward();
  forward.x = forward.y = x.data();
  ops::cpu::run(forward, pool(1));
  CHECK(same_bits(x, n.y));
  ops::cpu::run(ops::layer_norm_backward<float>{.x = n.x.data(),
                                                .dy = dx_in_place.data(),
                                                .gain = n.gain.data(),
                                                .mean = n.mean.data(),
                                                .inverse = n.inverse.data(),
                                                .dx = dx_in_place.data(),
                                                .rows = 40,
                                                .width = 37},
                pool(2));
  CHECK(same_bits(dx_in_place, whole));
}

}  // namespace op_test::layer_norm_test
