// SPDX-License-Identifier: Apache-2.0
#include <anodiff/ops/linear_cpu.hpp>
#include "op_support.hpp"

namespace op_test::linear_test {

using ops::activation;

namespace {

/// Arrays of one layer.
template <class T>
struct layer {
  index rows, in, out;
  std::vector<T> x, weight, bias, table, residual, before, y;
  std::vector<std::int32_t> level;

  layer(index r, index i, index o)
      : rows{r},
        in{i},
        out{o},
        x(values<T>(r * i, 1)),
        weight(values<T>(i * o, 2, 0.3)),
        bias(values<T>(o, 3)),
        table(values<T>(5 * o, 4)),
        residual(values<T>(r * o, 5)),
        before(static_cast<std::size_t>(r * o)),
        y(static_cast<std::size_t>(r * o)),
        level(levels(r, 5)) {}
  template <class U>
  explicit layer(const layer<U>& from)
      : rows{from.rows},
        in{from.in},
        out{from.out},
        x(as<T>(from.x)),
        weight(as<T>(from.weight)),
        bias(as<T>(from.bias)),
        table(as<T>(from.table)),
        residual(as<T>(from.residual)),
        before(from.before.size()),
        y(from.y.size()),
        level(from.level) {}

  [[nodiscard]] ops::linear_forward<T> forward(activation kind) {
    return {.x = x.data(),
            .weight = weight.data(),
            .bias = bias.data(),
            .table = table.data(),
            .level = level.data(),
            .residual = residual.data(),
            .before = before.data(),
            .y = y.data(),
            .rows = rows,
            .in = in,
            .out = out,
            .kind = kind};
  }
};

constexpr std::array kinds{activation::identity, activation::relu, activation::silu, activation::gelu};

/// Rounding of one output: its terms weigh at most this much.
double term_sum(index in) { return 1 + 2.4 * static_cast<double>(in); }

}  // namespace

TEST_CASE("a layer by hand", "[linear]") {
  const std::vector<double> x{1, 2, 3, 4}, weight{1, 0, -1, 2, 1, 0}, bias{0, -2, 5}, table{0, 0, 0, 1, 1, 1},
      residual{10, 20, 30, 40, 50, 60};
  const std::vector<std::int32_t> level{1, 0};
  std::vector<double> y(6), before(6);
  const ops::linear_forward<double> op{.x = x.data(),
                                       .weight = weight.data(),
                                       .bias = bias.data(),
                                       .table = table.data(),
                                       .level = level.data(),
                                       .residual = residual.data(),
                                       .before = before.data(),
                                       .y = y.data(),
                                       .rows = 2,
                                       .in = 2,
                                       .out = 3,
                                       .kind = activation::relu};
  ops::reference::run(op);
  CHECK(before == std::vector<double>{6, 1, 5, 11, 2, 2});
  CHECK(y == std::vector<double>{16, 21, 35, 51, 52, 62});
}

TEMPLATE_TEST_CASE("the layer matches its reference, whole and packed", "[linear]", float, double) {
  const double bound = sizeof(TestType) == 4 ? ops::linear_bound : 1e-13;
  std::vector<std::array<index, 3>> shapes{{0, 3, 4},    {3, 0, 4},     {3, 4, 0},
                                           {1, 513, 33}, {65, 1030, 7}, {193, 31, 257}};
  for (const index out : {1, 7, 8, 16, 17, 33, 64}) shapes.push_back({1, 33, out}), shapes.push_back({7, 19, out});
  for (const auto& [rows, in, out] : shapes)
    for (const auto kind : kinds) {
      CAPTURE(rows, in, out, static_cast<int>(kind));
      layer<TestType> net{rows, in, out};
      layer<double> net64{net};
      ops::reference::run(net64.forward(kind));
      const auto got = on_all_pools([&](thread_pool& on) {
        ops::cpu::run(net.forward(kind), on);
        auto both = net.y;
        both.insert(both.end(), net.before.begin(), net.before.end());
        return both;
      });
      auto want = net64.y;
      want.insert(want.end(), net64.before.begin(), net64.before.end());
      CHECK(worst(got, want) <= bound * term_sum(in));

      ops::cpu::packed_matrix<TestType> packed{in, out};
      packed.pack({net.weight.data(), out, 1});
      const auto plain = net.forward(kind);
      const ops::linear_forward<TestType, const ops::cpu::packed_matrix<TestType>*> op{
          plain.x,      &packed, plain.bias, plain.table, plain.level, plain.residual,
          plain.before, plain.y, plain.rows, plain.in,    plain.out,   plain.kind};
      const auto y = net.y;
      std::fill(net.y.begin(), net.y.end(), TestType(-1));
      ops::cpu::run(op, pool(2));
      CHECK(same_bits(net.y, y));
    }
}

TEST_CASE("every part of the layer is optional", "[linear]") {
  layer<float> net{5, 20, 19};
  layer<double> net64{net};
  for (int parts = 0; parts < 16; ++parts) {
    const auto choose = [&]<class T>(ops::linear_forward<T> op) {
      if ((parts & 1) == 0) op.bias = nullptr;
      if ((parts & 2) == 0) op.table = nullptr;
      if ((parts & 4) == 0) op.residual = nullptr;
      if ((parts & 8) == 0) op.before = nullptr;
      if ((parts & 12) == 12) op.level = nullptr;
      return op;
    };
    ops::reference::run(choose(net64.forward(activation::silu)));
    ops::cpu::run(choose(net.forward(activation::silu)), pool(1));
    CHECK(worst(net.y, net64.y) <= ops::linear_bound * term_sum(20));
  }
}

TEST_CASE("the fused layer is the composition of its parts", "[linear]") {
  for (const auto kind : kinds) {
    layer<float> net{6, 40, 35};
    ops::cpu::run(net.forward(kind), pool(1));
    std::vector<float> z(net.y.size()), y(net.y.size());
    ops::linear_forward<float> product{
        .x = net.x.data(), .weight = net.weight.data(), .y = z.data(), .rows = 6, .in = 40, .out = 35};
    ops::cpu::run(product, pool(1));
    for (std::size_t i = 0; i < z.size(); ++i)
      z[i] = (z[i] + net.bias[i % 35]) + net.table[static_cast<std::size_t>(net.level[i / 35]) * 35 + i % 35];
    CHECK(same_bits(z, net.before));
    ops::cpu::run(ops::activate_forward<float>{z.data(), y.data(), 6 * 35, kind}, pool(1));
    for (std::size_t i = 0; i < y.size(); ++i) y[i] += net.residual[i];
    CHECK(worst(y, net.y) < 3e-7);  // the last addition may be fused with a product
  }
}

TEST_CASE("a row of the layer does not depend on the rows beside it", "[linear]") {
  for (const auto kind : kinds) {
    layer<float> net{197, 70, 37};
    ops::cpu::run(net.forward(kind), pool(3));
    const auto whole = net.y;
    for (const index first : {0, 1, 90, 196})
      for (const index count : {1, 2, 5, 7, 100}) {
        if (first + count > 197) continue;
        auto op = net.forward(kind);
        op.x += first * op.in;
        op.level += first;
        op.residual += first * op.out;
        op.before += first * op.out;
        op.y += first * op.out;
        op.rows = count;
        ops::cpu::run(op, pool(1));
        CHECK(same_bits(net.y, whole));
      }
  }
}

TEST_CASE("gradients of the layer match central differences", "[linear]") {
  for (const auto kind : {activation::identity, activation::silu, activation::gelu}) {
    layer<double> net{4, 5, 3};
    const auto dy = values<double>(12, 9);
    std::vector<double> dz(12), dweight(15, 0.25), dbias(3, 0.25), dx(20, 0.25), dtable(15, 0.25);
    const auto loss = [&] {
      ops::reference::run(net.forward(kind));
      return dot(net.y, dy);
    };
    loss();
    ops::reference::run(ops::linear_backward<double>{.x = net.x.data(),
                                                     .weight = net.weight.data(),
                                                     .before = net.before.data(),
                                                     .dy = dy.data(),
                                                     .dz = dz.data(),
                                                     .dweight = dweight.data(),
                                                     .dbias = dbias.data(),
                                                     .dx = dx.data(),
                                                     .accumulate = true,
                                                     .rows = 4,
                                                     .in = 5,
                                                     .out = 3,
                                                     .kind = kind});
    ops::reference::run(ops::scatter_rows<double>{dz.data(), net.level.data(), dtable.data(), 4, 3});
    for (auto* added : {&dweight, &dbias, &dx, &dtable})
      for (double& g : *added) g -= 0.25;
    CHECK(gradient_error(net.weight, dweight, loss) < 1e-7);
    CHECK(gradient_error(net.bias, dbias, loss) < 1e-7);
    CHECK(gradient_error(net.x, dx, loss) < 1e-7);
    CHECK(gradient_error(net.table, dtable, loss) < 1e-7);
  }
}

TEMPLATE_TEST_CASE("the vectorised gradients match the reference", "[linear]", float, double) {
  const double bound = sizeof(TestType) == 4 ? ops::linear_bound : 1e-13;
  for (const auto& [rows, in, out] : std::vector<std::array<index, 3>>{{0, 3, 4},
                                                                       {1, 1, 1},
                                                                       {3, 0, 4},
                                                                       {3, 4, 0},
                                                                       {5, 33, 17},
                                                                       {64, 31, 33},
                                                                       {257, 20, 65},
                                                                       {530, 9, 70},
                                                                       {1, 600, 40}})
    for (const auto kind : kinds)
      for (const bool accumulate : {false, true}) {
        CAPTURE(rows, in, out, static_cast<int>(kind), accumulate);
        layer<TestType> net{rows, in, out};
        layer<double> net64{net};
        net.before = values<TestType>(rows * out, 8);
        net64.before = as<double>(net.before);
        const auto dy = values<TestType>(rows * out, 9);
        const auto run = [&]<class T>(layer<T>& n, std::vector<T> gradient, auto&& go) {
          std::vector<T> all(static_cast<std::size_t>(rows * out + in * out + out + rows * in), T(0.25));
          T* dz = all.data();
          go(ops::linear_backward<T>{.x = n.x.data(),
                                     .weight = n.weight.data(),
                                     .before = n.before.data(),
                                     .dy = gradient.data(),
                                     .dz = dz,
                                     .dweight = dz + rows * out,
                                     .dbias = dz + rows * out + in * out,
                                     .dx = dz + rows * out + in * out + out,
                                     .accumulate = accumulate,
                                     .rows = rows,
                                     .in = in,
                                     .out = out,
                                     .kind = kind});
          return all;
        };
        const auto want = run(net64, as<double>(dy), [](const auto& op) { ops::reference::run(op); });
        const auto got =
            on_all_pools([&](thread_pool& on) { return run(net, dy, [&](const auto& op) { ops::cpu::run(op, on); }); });
        CHECK(worst(got, want) <= bound * term_sum(std::max({rows, in, out})));
      }
}

TEST_CASE("the gradient of the output may be overwritten", "[linear]") {
  layer<float> net{6, 9, 10};
  net.before = values<float>(60, 8);
  for (const auto kind : {activation::identity, activation::silu}) {
    auto dy = values<float>(60, 9);
    std::vector<float> dz(60), dx(54), dx_in_place(54);
    ops::linear_backward<float> op{.x = net.x.data(),
                                   .weight = net.weight.data(),
                                   .before = net.before.data(),
                                   .dy = dy.data(),
                                   .dz = dz.data(),
                                   .dx = dx.data(),
                                   .rows = 6,
                                   .in = 9,
                                   .out = 10,
                                   .kind = kind};
    ops::cpu::run(op, pool(1));
    op.dz = dy.data();
    op.dx = dx_in_place.data();
    ops::cpu::run(op, pool(1));
    CHECK(same_bits(dy, dz));
    CHECK(same_bits(dx, dx_in_place));
  }
}

TEST_CASE("rows are scattered to their levels in order", "[linear]") {
  for (const index width : {0, 1, 65, 130}) {
    const auto dz = values<float>(9 * width, 1);
    const auto level = levels(9, 4);
    const auto dz64 = as<double>(dz);
    std::vector<double> want(static_cast<std::size_t>(4 * width), 0.5);
    ops::reference::run(ops::scatter_rows<double>{dz64.data(), level.data(), want.data(), 9, width});
    const auto got = on_all_pools([&](thread_pool& on) {
      std::vector<float> dtable(want.size(), 0.5F);
      ops::cpu::run(ops::scatter_rows<float>{dz.data(), level.data(), dtable.data(), 9, width}, on);
      return dtable;
    });
    CHECK(worst(got, want) < 1e-6);
    std::vector<float> own(static_cast<std::size_t>(9 * width));
    ops::cpu::run(ops::scatter_rows<float>{dz.data(), nullptr, own.data(), 9, width}, pool(1));
    CHECK(same_bits(own, dz));
  }
}

}  // namespace op_test::linear_test
