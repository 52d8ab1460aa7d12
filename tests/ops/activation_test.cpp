// SPDX-License-Identifier: Apache-2.0
#include <anodiff/ops/activation_cpu.hpp>
#include <limits>
#include "op_support.hpp"

namespace op_test::activation_test {

using ops::activation;

namespace {
constexpr std::array kinds{activation::identity, activation::relu, activation::silu, activation::gelu};
}

TEST_CASE("activations match their formulas", "[activation]") {
  using ops::reference::activate;
  CHECK(activate(activation::identity, -3.0) == -3);
  CHECK(activate(activation::relu, -3.0) == 0);
  CHECK(activate(activation::relu, 3.0) == 3);
  CHECK(activate(activation::silu, 1.0) == Approx(0.7310585786300049).epsilon(1e-14));
  CHECK(activate(activation::silu, -2.0) == Approx(-0.2384058440442351).epsilon(1e-14));
  const auto gelu = [](double x) {
    return 0.5 * x * (1 + std::tanh(std::sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x)));
  };
  for (const double x : {-3.0, -0.5, 0.0, 0.7, 2.5})
    CHECK(activate(activation::gelu, x) == Approx(gelu(x)).epsilon(1e-12).margin(1e-15));
}

TEST_CASE("activations of infinite range stay finite, and NaN stays NaN", "[activation]") {
  for (const auto kind : kinds)
    for (const float x : {-1e4F, -200.0F, 200.0F, 1e4F}) {
      std::vector<float> y(1);
      ops::cpu::run(ops::activate_forward<float>{&x, y.data(), 1, kind}, pool(1));
      CHECK(y[0] == Approx(kind == activation::identity || x > 0 ? x : 0).margin(1e-30));
    }
  for (const auto kind : kinds) {
    const float x = std::numeric_limits<float>::quiet_NaN();
    float y = 0;
    ops::cpu::run(ops::activate_forward<float>{&x, &y, 1, kind}, pool(1));
    CHECK(std::isnan(y));
    CHECK(std::isnan(ops::reference::activate(kind, x)));
  }
}

TEST_CASE("slopes match central differences", "[activation]") {
  for (const auto kind : kinds)
    for (const double x : {-4.0, -1.3, -0.2, 0.4, 1.0, 3.7}) {
      const double h = 1e-6;
      const double want = (ops::reference::activate(kind, x + h) - ops::reference::activate(kind, x - h)) / (2 * h);
      CHECK(ops::reference::slope(kind, x) == Approx(want).margin(1e-9));
    }
}

TEMPLATE_TEST_CASE("the vectorised activations match the reference in double", "[activation]", float, double) {
  const double bound = sizeof(TestType) == 4 ? ops::activation_bound : 1e-14;
  auto counts = sizes();
  counts.push_back(ops::cpu::activation_grain + 5);
  for (const auto kind : kinds)
    for (const index n : counts) {
      const auto x = values<TestType>(n, 1, 4), dy = values<TestType>(n, 2);
      const auto x64 = as<double>(x), dy64 = as<double>(dy);
      std::vector<double> want(x64.size());
      ops::reference::run(ops::activate_forward<double>{x64.data(), want.data(), n, kind});
      const auto got = on_all_pools([&](thread_pool& on) {
        std::vector<TestType> y(x.size());
        ops::cpu::run(ops::activate_forward<TestType>{x.data(), y.data(), n, kind}, on);
        return y;
      });
      CHECK(worst(got, want) <= bound);
      for (const bool accumulate : {false, true}) {
        std::vector<double> dx64(x64.size(), 0.5);
        ops::reference::run(ops::activate_backward<double>{x64.data(), dy64.data(), dx64.data(), n, kind, accumulate});
        const auto dx = on_all_pools([&](thread_pool& on) {
          std::vector<TestType> d(x.size(), TestType(0.5));
          ops::cpu::run(ops::activate_backward<TestType>{x.data(), dy.data(), d.data(), n, kind, accumulate}, on);
          return d;
        });
        CHECK(worst(dx, dx64) <= 4 * bound);
      }
    }
}

TEST_CASE("an element's activation does not depend on its place in a vector", "[activation]") {
  const auto x = values<float>(100, 3, 4);
  for (const auto kind : kinds) {
    std::vector<float> whole(100), apart(100);
    ops::cpu::run(ops::activate_forward<float>{x.data(), whole.data(), 100, kind}, pool(1));
    for (std::size_t i = 0; i < 100; ++i)
      ops::cpu::run(ops::activate_forward<float>{x.data() + i, apart.data() + i, 1, kind}, pool(1));
    CHECK(same_bits(whole, apart));
  }
}

TEST_CASE("activations work in place", "[activation]") {
  auto x = values<float>(37, 4);
  auto dy = values<float>(37, 5);
  for (const auto kind : kinds) {
    std::vector<float> y(37), dx(37);
    ops::cpu::run(ops::activate_forward<float>{x.data(), y.data(), 37, kind}, pool(1));
    ops::cpu::run(ops::activate_backward<float>{x.data(), dy.data(), dx.data(), 37, kind, false}, pool(1));
    auto x_copy = x, dy_copy = dy;
    ops::cpu::run(ops::activate_forward<float>{x_copy.data(), x_copy.data(), 37, kind}, pool(1));
    ops::cpu::run(ops::activate_backward<float>{x.data(), dy_copy.data(), dy_copy.data(), 37, kind, false}, pool(1));
    CHECK(same_bits(x_copy, y));
    CHECK(same_bits(dy_copy, dx));
  }
}

}  // namespace op_test::activation_test
