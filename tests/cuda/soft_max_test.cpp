// SPDX-License-Identifier: Apache-2.0
#include <anodiff/ops/attention.cuh>
#include <anodiff/ops/kernel_average.cuh>
#include "../support/cuda_test.hpp"

namespace cuda_test::soft_max_test {

TEST_CASE("the empirical denoiser's average matches its reference", "[cuda][kernel_average]") {
  if (!device_ready()) return;
  struct extents {
    index rows, count, size;
  };
  for (const auto& [rows, count, size] : {extents{1, 1, 1}, extents{2, 5, 7}, extents{3, 64, 33}, extents{2, 131, 5},
                                          extents{2, 70, ops::kernel_average_small + 3}})
    for (const bool excludes : {false, true}) {
      if (few_threads && !(count == 131 && excludes)) continue;
      CAPTURE(rows, count, size, excludes);
      const auto x = inputs<float>(rows * size, 1), reference = inputs<float>(count * size, 2);
      const std::vector<double> alpha{1, 0.7, 0.1}, sigma{0.05, 0.7, 1};
      const auto level = levels(rows, 3);
      std::vector<index> exclude;
      for (index i = 0; i < rows; ++i) exclude.push_back(i % 2 == 0 ? (i * 3) % count : -1);
      const auto fill = [&](auto op) {
        op.rows = rows, op.count = count, op.row_size = size;
        return op;
      };
      std::vector<double> log_sums;
      const auto got = in_every_order([&] {
        device_array<float> on_x(elements<float>(x)), on_reference(elements<float>(reference)), clean(rows * size);
        device_array<double> on_alpha(alpha), on_sigma(sigma), log_sum(rows), scratch(rows * size);
        device_array<std::int32_t> on_level(level);
        device_array<index> on_exclude(exclude);
        auto op = fill(ops::kernel_average<float>{});
        op.x = on_x.data(), op.level = on_level.data(), op.alpha = on_alpha.data(), op.sigma = on_sigma.data();
        op.reference = on_reference.data(), op.clean = clean.data(), op.log_sum = log_sum.data();
        op.sum = scratch.data();
        if (excludes) op.exclude = on_exclude.data();
        ops::cuda::run(op, stream);
        log_sums = log_sum.host();
        return clean.host();
      });
      std::vector<double> want(x.size()), want_log(static_cast<std::size_t>(rows));
      auto op = fill(ops::kernel_average<double>{});
      op.x = x.data(), op.level = level.data(), op.alpha = alpha.data(), op.sigma = sigma.data();
      op.reference = reference.data(), op.clean = want.data(), op.log_sum = want_log.data();
      if (excludes) op.exclude = exclude.data();
      ops::reference::run(op);
      if (count == 1 && excludes) {  // nothing is left
        CHECK(std::isnan(got[0]));
        CHECK(log_sums[0] == -INFINITY);
        continue;
      }
      CHECK(worst(got, want) <= 2 * ops::kernel_average_bound);
      CHECK(worst(log_sums, want_log) <= ops::kernel_average_log_bound);
    }
}

TEMPLATE_TEST_CASE("attention without a matrix of scores matches its reference", "[cuda][attention]", float,
                   device::bfloat16) {
  if (!device_ready()) return;
  struct extents {
    index n, queries, keys, heads, width;
  };
  for (const auto& [n, queries, keys, heads, width] :
       {extents{1, 1, 1, 1, 1}, extents{2, 5, 3, 1, 8}, extents{1, 17, 33, 2, 40}, extents{1, 16, 64, 1, 64},
        extents{1, 3, 70, 1, 200}}) {
    if (few_threads && width != 40) continue;
    CAPTURE(n, queries, keys, heads, width);
    const index row = heads * width;
    const auto q = inputs<TestType>(n * queries * row, 1), k = inputs<TestType>(n * keys * row, 2),
               v = inputs<TestType>(n * keys * row, 3);
    const auto fill = [&](auto op) {
      op.n = n, op.queries = queries, op.keys = keys, op.heads = heads, op.width = width;
      return op;
    };
    const auto got = in_every_order([&] {
      device_array<TestType> on_q(elements<TestType>(q)), on_k(elements<TestType>(k)), on_v(elements<TestType>(v)),
          y(n * queries * row), log_sum(n * heads * queries);
      auto op = fill(ops::attention_forward<TestType>{});
      op.q = on_q.data(), op.k = on_k.data(), op.v = on_v.data(), op.y = y.data(), op.log_sum = log_sum.data();
      ops::cuda::run(op, stream);
      auto out = y.host();
      const auto more = log_sum.host();
      out.insert(out.end(), more.begin(), more.end());
      return out;
    });
    std::vector<double> want(q.size()), log_sum(static_cast<std::size_t>(n * heads * queries));
    auto op = fill(ops::attention_forward<double>{});
    op.q = q.data(), op.k = k.data(), op.v = v.data(), op.y = want.data(), op.log_sum = log_sum.data();
    ops::reference::run(op);
    want.insert(want.end(), log_sum.begin(), log_sum.end());
    CHECK(worst(values_of(got), want) <= ops::cuda::attention_bound + rounding<TestType>);
  }
}

TEST_CASE("gradients of attention match their reference", "[cuda][attention]") {
  if (!device_ready()) return;
  struct extents {
    index n, queries, keys, heads, width;
  };
  for (const auto& [n, queries, keys, heads, width] :
       {extents{1, 1, 1, 1, 1}, extents{2, 5, 3, 1, 8}, extents{1, 17, 33, 2, 40}, extents{1, 33, 16, 1, 64},
        extents{1, 3, 35, 1, 100}, extents{1, 5, 3, 1, 200}})
    for (const bool add : {false, true}) {
      if ((few_threads && !(width == 40 && add)) || (slow && width == 200)) continue;
      CAPTURE(n, queries, keys, heads, width, add);
      const index row = heads * width;
      const auto q = inputs<float>(n * queries * row, 1), k = inputs<float>(n * keys * row, 2),
                 v = inputs<float>(n * keys * row, 3), dy = inputs<float>(n * queries * row, 4),
                 before = inputs<float>(n * (queries + 2 * keys) * row, 5);
      const auto fill = [&](auto op) {
        op.n = n, op.queries = queries, op.keys = keys, op.heads = heads, op.width = width;
        return op;
      };
      std::vector<double> y(q.size()), log_sum(static_cast<std::size_t>(n * heads * queries));
      auto forward = fill(ops::attention_forward<double>{});
      forward.q = q.data(), forward.k = k.data(), forward.v = v.data(), forward.y = y.data();
      forward.log_sum = log_sum.data();
      ops::reference::run(forward);
      const auto backward = [&](auto op, auto* gradients) {
        op.add_q = op.add_k = op.add_v = add;
        op.dq = gradients, op.dk = op.dq + n * queries * row, op.dv = op.dk + n * keys * row;
        return op;
      };
      const auto got = in_every_order([&] {
        device_array<float> on_q(elements<float>(q)), on_k(elements<float>(k)), on_v(elements<float>(v)),
            on_y(elements<float>(y)), on_dy(elements<float>(dy)), on_log(elements<float>(log_sum)),
            gradients(elements<float>(before));
        auto op = backward(fill(ops::attention_backward<float>{}), gradients.data());
        op.q = on_q.data(), op.k = on_k.data(), op.v = on_v.data(), op.y = on_y.data(), op.dy = on_dy.data();
        op.log_sum = on_log.data();
        ops::cuda::run(op, stream);
        return gradients.host();
      });
      auto want = before;
      auto op = backward(fill(ops::attention_backward<double>{}), want.data());
      op.q = q.data(), op.k = k.data(), op.v = v.data(), op.y = y.data(), op.dy = dy.data();
      op.log_sum = log_sum.data();
      ops::reference::run(op);
      CHECK(worst(got, want) <= ops::cuda::attention_gradient_bound);
    }
}

}  // namespace cuda_test::soft_max_test
