// SPDX-License-Identifier: Apache-2.0
#include <anodiff/ops/activation.cuh>
#include <anodiff/ops/adamw.cuh>
#include <anodiff/ops/embedding.cuh>
#include <anodiff/ops/linear.cuh>
#include <anodiff/ops/scaled_sum.cuh>
#include <anodiff/ops/time_features.cuh>
#include "../support/cuda_test.hpp"
#include "../support/plain_product.hpp"

namespace cuda_test::elementwise_test {

namespace {

/// None for the thread sanitizer: nothing here is shared.
[[nodiscard]] std::vector<index> counts() {
  if (few_threads) return {};
  return {1, 3, 8, 33, 1024, 2055};
}

}  // namespace

TEMPLATE_TEST_CASE("elementwise kernels match their references", "[cuda][elementwise]", float, device::half,
                   device::bfloat16) {
  if (!device_ready()) return;
  for (const index n : counts())
    for (const bool adds : {false, true}) {
      CAPTURE(n, adds);
      const auto a = inputs<TestType>(n, 1), b = inputs<TestType>(n, 2);
      const auto got = in_every_order([&] {
        device_array<TestType> x(elements<TestType>(a)), y(elements<TestType>(b)), sum(n);
        ops::cuda::run(ops::accumulate<TestType>{x.data(), y.data(), n, adds}, stream);
        ops::cuda::run(ops::add<TestType>{x.data(), y.data(), sum.data(), n}, stream);
        ops::cuda::run(ops::fill<TestType>{x.data(), n - 1, element_of<TestType>(0.75)}, stream);
        auto out = y.host();
        for (const auto& more : {sum.host(), x.host()}) out.insert(out.end(), more.begin(), more.end());
        return out;
      });
      std::vector<double> want = b, filled(static_cast<std::size_t>(n), 0.75);
      ops::reference::run(ops::accumulate<double>{a.data(), want.data(), n, adds});
      auto sum = values_of(elements<TestType>(want));
      ops::reference::run(ops::add<double>{a.data(), sum.data(), sum.data(), n});
      filled.back() = a.back();
      want.insert(want.end(), sum.begin(), sum.end());
      want.insert(want.end(), filled.begin(), filled.end());
      CHECK(worst(values_of(got), want) <= 1e-7 + rounding<TestType>);
    }
}

TEST_CASE("scaled sums match their reference", "[cuda][elementwise]") {
  if (!device_ready()) return;
  for (const index n : counts())
    for (const int parts : {0, 1, 2, 3}) {  // a second summand; added to
      CAPTURE(n, parts);
      const auto a = inputs<float>(n, 1), b = inputs<float>(n, 2), y = inputs<float>(n, 3);
      const bool second = (parts & 1) != 0, adds = (parts & 2) != 0;
      const auto got = in_every_order([&] {
        device_array<float> on_a(elements<float>(a)), on_b(elements<float>(b)), on_y(elements<float>(y));
        ops::cuda::run(ops::scaled_sum<float>{on_a.data(), second ? on_b.data() : nullptr, on_y.data(), n, 0.7F, adds},
                       stream);
        return on_y.host();
      });
      auto want = y;
      ops::reference::run(ops::scaled_sum<double>{a.data(), second ? b.data() : nullptr, want.data(), n,
                                                  static_cast<double>(0.7F), adds});
      CHECK(worst(got, want) <= 4e-7);
    }
}

TEMPLATE_TEST_CASE("activations and their slopes keep their bound on the device", "[cuda][activation]", float,
                   device::bfloat16) {
  if (!device_ready()) return;
  for (const auto kind :
       {ops::activation::identity, ops::activation::relu, ops::activation::silu, ops::activation::gelu})
    for (const index n : counts()) {
      CAPTURE(static_cast<int>(kind), n);
      const auto x = inputs<TestType>(n, 1, 12), dy = inputs<TestType>(n, 2), old = inputs<TestType>(n, 3);
      const auto got = in_every_order([&] {
        device_array<TestType> on(elements<TestType>(x)), slope(elements<TestType>(dy)), sum(elements<TestType>(old)),
            y(n);
        ops::cuda::run(ops::activate_forward<TestType>{on.data(), y.data(), n, kind}, stream);
        ops::cuda::run(ops::activate_backward<TestType>{on.data(), slope.data(), sum.data(), n, kind, true}, stream);
        auto out = y.host();
        const auto more = sum.host();
        out.insert(out.end(), more.begin(), more.end());
        return out;
      });
      std::vector<double> want(x.size()), sum = old;
      ops::reference::run(ops::activate_forward<double>{x.data(), want.data(), n, kind});
      ops::reference::run(ops::activate_backward<double>{x.data(), dy.data(), sum.data(), n, kind, true});
      want.insert(want.end(), sum.begin(), sum.end());
      CHECK(worst(values_of(got), want) <= 8 * ops::activation_bound + rounding<TestType>);
    }
  device_array<TestType> x(elements<TestType>({NAN, -INFINITY, 200, -200})), y(4);
  ops::cuda::run(ops::activate_forward<TestType>{x.data(), y.data(), 4, ops::activation::silu}, stream);
  const auto edges = values_of(y.host());
  CHECK(std::isnan(edges[0]));
  CHECK(edges[2] == 200);
  CHECK(edges[3] == 0);
}

TEST_CASE("AdamW and the moving average in one pass match their reference", "[cuda][adamw]") {
  if (!device_ready()) return;
  for (const index n : counts())
    for (const bool averaged : {false, true}) {
      CAPTURE(n, averaged);
      const auto square = [](std::vector<double> v) {
        for (double& x : v) x = static_cast<float>(x * x);
        return v;
      };
      const auto w = inputs<float>(n, 1), g = inputs<float>(n, 2), m = inputs<float>(n, 3),
                 v = square(inputs<float>(n, 4)), e = inputs<float>(n, 5);
      const auto fill = [&](auto op) {
        op.count = n;
        op.rate = 0.01F, op.beta_1 = 0.9F, op.beta_2 = 0.99F, op.epsilon = 1e-6F, op.decay = 0.05F;
        op.gradient_scale = 0.5F, op.correction_1 = 0.4F, op.correction_2 = 0.2F, op.average_decay = 0.95F;
        return op;
      };
      const auto got = in_every_order([&] {
        device_array<float> dw(elements<float>(w)), dg(elements<float>(g)), dm(elements<float>(m)),
            dv(elements<float>(v)), de(elements<float>(e));
        auto op = fill(ops::adamw_step<float>{});
        op.weight = dw.data(), op.gradient = dg.data(), op.first = dm.data(), op.second = dv.data();
        if (averaged) op.average = de.data();
        ops::cuda::run(op, stream);
        auto out = dw.host();
        for (const auto& more : {dg.host(), dm.host(), dv.host(), de.host()})
          out.insert(out.end(), more.begin(), more.end());
        return out;
      });
      auto w64 = w, g64 = g, m64 = m, v64 = v, e64 = e;
      auto op = fill(ops::adamw_step<double>{});
      op.weight = w64.data(), op.gradient = g64.data(), op.first = m64.data(), op.second = v64.data();
      if (averaged) op.average = e64.data();
      ops::reference::run(op);
      for (const auto& more : {g64, m64, v64, e64}) w64.insert(w64.end(), more.begin(), more.end());
      CHECK(worst(got, w64) <= ops::cuda::adamw_bound);
    }
}

TEST_CASE("sums of squares have one order", "[cuda][adamw]") {
  if (!device_ready()) return;
  for (const index n : {index{5}, few_threads ? index{300} : 2 * ops::sum_block + 77}) {
    const auto x = inputs<float>(n, 1);
    const auto got = in_every_order([&] {
      device_array<float> on(elements<float>(x));
      device_array<double> blocks(8), sum(1);
      ops::cuda::run(ops::sum_of_squares<float>{on.data(), n, blocks.data(), sum.data()}, stream);
      return sum.host();
    });
    double want = 0, block[8];
    ops::reference::run(ops::sum_of_squares<double>{x.data(), n, block, &want});
    CHECK(got[0] == Approx(want).epsilon(1e-12));
  }
}

TEST_CASE("time features match their reference", "[cuda][time_features]") {
  if (!device_ready()) return;
  const std::vector<double> time{0, 0.5, 1, 999, 1234.5678, 1e5};
  for (const index width : {2, 8, 64}) {
    const auto levels = static_cast<index>(time.size());
    const auto got = in_every_order([&] {
      device_array<double> t(time);
      device_array<float> y(levels * width);
      ops::cuda::run(ops::time_features<float>{t.data(), y.data(), levels, width}, stream);
      return y.host();
    });
    std::vector<double> want(static_cast<std::size_t>(levels * width));
    ops::reference::run(ops::time_features<double>{time.data(), want.data(), levels, width});
    CHECK(worst(got, want) <= 1e-7);
  }
}

TEMPLATE_TEST_CASE("the epilogue of a dense layer in all its forms", "[cuda][linear]", float, device::bfloat16) {
  if (!device_ready()) return;
  for (const auto& [rows, out] : std::vector<std::pair<index, index>>{{1, 1}, {5, 7}, {6, 16}, {3, 1030}})
    for (int parts = few_threads ? 16 : 0; parts < 16; ++parts) {
      CAPTURE(rows, out, parts);
      const index size = rows * out;
      const auto z = inputs<TestType>(size, 1), bias = inputs<TestType>(out, 2), table = inputs<TestType>(3 * out, 3),
                 residual = inputs<TestType>(size, 4);
      const auto level = levels(rows, 3);
      const auto got = in_every_order([&] {
        device_array<TestType> dz(elements<TestType>(z)), dbias(elements<TestType>(bias)),
            dtable(elements<TestType>(table)), dresidual(elements<TestType>(residual)), before(size);
        device_array<std::int32_t> dlevel(level);
        ops::cuda::linear_epilogue<TestType> op{.z = dz.data(), .y = dz.data(), .rows = rows, .out = out};
        if ((parts & 1) != 0) op.bias = dbias.data();
        if ((parts & 2) != 0) op.table = dtable.data(), op.level = dlevel.data();
        if ((parts & 4) != 0) op.residual = dresidual.data();
        if ((parts & 8) != 0) op.before = before.data();
        op.kind = ops::activation::silu;
        ops::cuda::run(op, stream);
        auto both = dz.host();
        const auto more = before.host();
        both.insert(both.end(), more.begin(), more.end());
        return both;
      });
      std::vector<double> want, before(z.size(), 0.0);
      for (index i = 0; i < rows; ++i)
        for (index j = 0; j < out; ++j) {
          const auto at = static_cast<std::size_t>(i * out + j);
          double v = z[at];
          if ((parts & 1) != 0) v += bias[static_cast<std::size_t>(j)];
          if ((parts & 2) != 0) v += table[static_cast<std::size_t>(level[static_cast<std::size_t>(i)] * out + j)];
          if ((parts & 8) != 0) before[at] = v;
          want.push_back(ops::reference::activate(ops::activation::silu, v) + ((parts & 4) != 0 ? residual[at] : 0.0));
        }
      want.insert(want.end(), before.begin(), before.end());
      CHECK(worst(values_of(got), want) <= 4 * ops::activation_bound + rounding<TestType>);
    }
}

TEMPLATE_TEST_CASE("a dense layer on the device: the product, then its epilogue", "[cuda][linear]", float,
                   device::bfloat16) {
  if (!device_ready() || few_threads) return;
  test::device_product product{stream};
  for (const auto& [rows, in, out] : {std::array<index, 3>{1, 8, 8}, std::array<index, 3>{17, 24, 40}}) {
    const auto x = inputs<TestType>(rows * in, 1), weight = inputs<TestType>(in * out, 2, 0.1),
               bias = inputs<TestType>(out, 3);
    device_array<TestType> on_x(elements<TestType>(x)), on_weight(elements<TestType>(weight)),
        on_bias(elements<TestType>(bias)), y(rows * out);
    ops::linear_forward<TestType> op{};
    op.x = on_x.data(), op.weight = on_weight.data(), op.bias = on_bias.data(), op.y = y.data();
    op.rows = rows, op.in = in, op.out = out, op.kind = ops::activation::silu;
    ops::cuda::run(op, product, stream);
    std::vector<double> want(static_cast<std::size_t>(rows * out));
    ops::linear_forward<double> reference{};
    reference.x = x.data(), reference.weight = weight.data(), reference.bias = bias.data(), reference.y = want.data();
    reference.rows = rows, reference.in = in, reference.out = out, reference.kind = ops::activation::silu;
    ops::reference::run(reference);
    CHECK(worst(values_of(y.host()), want) <= ops::linear_bound + 2 * rounding<TestType>);
  }
}

TEST_CASE("learned rows are found by number, and columns are summed", "[cuda][linear]") {
  if (!device_ready()) return;
  for (const auto& [rows, width] : row_shapes()) {
    CAPTURE(rows, width);
    const auto table = inputs<float>(4 * width, 1), x = inputs<float>(rows * width, 2), sum = inputs<float>(width, 3);
    const auto id = levels(rows, 4);
    const auto got = in_every_order([&] {
      device_array<float> on_table(elements<float>(table)), y(rows * width, NAN), on_x(elements<float>(x)),
          on_sum(elements<float>(sum));
      device_array<std::int32_t> on_id(id);
      ops::cuda::run(ops::embedding_forward<float>{on_table.data(), on_id.data(), y.data(), rows, width}, stream);
      ops::cuda::run(ops::cuda::add_columns<float>{on_x.data(), on_sum.data(), rows, width}, stream);
      auto out = y.host();
      const auto more = on_sum.host();
      out.insert(out.end(), more.begin(), more.end());
      return out;
    });
    std::vector<double> want(x.size());
    ops::reference::run(ops::embedding_forward<double>{table.data(), id.data(), want.data(), rows, width});
    for (index j = 0; j < width; ++j) {
      double total = sum[static_cast<std::size_t>(j)];
      for (index i = 0; i < rows; ++i) total += x[static_cast<std::size_t>(i * width + j)];
      want.push_back(total);
    }
    CHECK(worst(got, want) <= 1e-5);
  }
}

TEST_CASE("rows of one level are found far apart, and added in order", "[cuda][linear]") {
  if (!device_ready()) return;
  const index rows = few_threads ? 3 : 600, width = 5;
  const auto dz = inputs<float>(rows * width, 1), started = inputs<float>(3 * width, 2);
  const auto level = levels(rows, 3);
  const auto got = in_every_order([&] {
    device_array<float> on_dz(elements<float>(dz)), table(elements<float>(started));
    device_array<std::int32_t> on_level(level);
    ops::cuda::run(ops::scatter_rows<float>{on_dz.data(), on_level.data(), table.data(), rows, width}, stream);
    return table.host();
  });
  auto want = elements<float>(started);
  const auto from = elements<float>(dz);
  ops::reference::run(ops::scatter_rows<float>{from.data(), level.data(), want.data(), rows, width});
  CHECK(same_bits(got, want));
}

}  // namespace cuda_test::elementwise_test
