// SPDX-License-Identifier: Apache-2.0
#include <anodiff/objectives/inverse_gamma.hpp>
#include <anodiff/objectives/time_bins.hpp>
#include <anodiff/objectives/time_regression.hpp>
#include <anodiff/ops/dynamic_threshold.cuh>
#include <anodiff/ops/layer_norm.cuh>
#include <anodiff/ops/nearest.cuh>
#include <anodiff/ops/row_distance.cuh>
#include <anodiff/ops/squared_error.cuh>
#include <anodiff/ops/time_loss.cuh>
#include "../support/cuda_test.hpp"

namespace cuda_test::rows_test {

namespace {

/// Rows for a warp and for a block, with odd tails.
[[nodiscard]] std::vector<std::pair<index, index>> team_shapes() {
  if (few_threads) return {{5, 33}, {2, 1025}};
  if (slow) return {{1, 1}, {5, 33}, {2, 1030}};
  return {{1, 1}, {5, 2}, {3, 8}, {9, 33}, {4, 256}, {2, 1024}, {2, 1025}, {3, 4096}, {1, 5003}};
}

template <class T>
std::vector<T> joined(std::vector<T> a, const std::vector<T>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace

TEMPLATE_TEST_CASE("layer normalisation matches its reference", "[cuda][layer_norm]", float, device::bfloat16) {
  if (!device_ready()) return;
  for (const auto& [rows, width] : team_shapes()) {
    CAPTURE(rows, width);
    const auto x = inputs<TestType>(rows * width, 1, 0.5, 3), gain = inputs<TestType>(width, 2),
               bias = inputs<TestType>(width, 3);
    const auto got = in_every_order([&] {
      device_array<TestType> dx(elements<TestType>(x)), dgain(elements<TestType>(gain)),
          dbias(elements<TestType>(bias)), mean(rows), inverse(rows);
      ops::cuda::run(ops::layer_norm_forward<TestType>{dx.data(), dgain.data(), dbias.data(), dx.data(), mean.data(),
                                                       inverse.data(), rows, width},
                     stream);
      return joined(joined(dx.host(), mean.host()), inverse.host());
    });
    std::vector<double> y(x.size()), mean(static_cast<std::size_t>(rows)), inverse(static_cast<std::size_t>(rows));
    ops::reference::run(ops::layer_norm_forward<double>{x.data(), gain.data(), bias.data(), y.data(), mean.data(),
                                                        inverse.data(), rows, width});
    CHECK(worst(values_of(got), joined(joined(y, mean), inverse)) <= ops::cuda::layer_norm_bound + rounding<TestType>);
  }
}

TEST_CASE("gradients of layer normalisation match their reference", "[cuda][layer_norm]") {
  if (!device_ready()) return;
  for (const auto& [rows, width] : team_shapes())
    for (const bool accumulate : {false, true}) {
      CAPTURE(rows, width, accumulate);
      const auto x = inputs<float>(rows * width, 1), dy = inputs<float>(rows * width, 2),
                 gain = inputs<float>(width, 3), old = inputs<float>(rows * width, 4), mean = inputs<float>(rows, 5),
                 inverse = inputs<float>(rows, 6, 0.1, 1), sums = inputs<float>(width, 7);
      const auto got = in_every_order([&] {
        device_array<float> on_x(elements<float>(x)), on_dy(elements<float>(dy)), on_gain(elements<float>(gain)),
            on_mean(elements<float>(mean)), on_inverse(elements<float>(inverse)), dgain(elements<float>(sums)),
            dbias(elements<float>(sums)), dx(elements<float>(old));
        ops::cuda::run(ops::layer_norm_backward<float>{on_x.data(), on_dy.data(), on_gain.data(), on_mean.data(),
                                                       on_inverse.data(), dgain.data(), dbias.data(), dx.data(),
                                                       accumulate, rows, width},
                       stream);
        return joined(joined(dx.host(), dgain.host()), dbias.host());
      });
      auto dx = old, dgain = sums, dbias = sums;
      ops::reference::run(ops::layer_norm_backward<double>{x.data(), dy.data(), gain.data(), mean.data(),
                                                           inverse.data(), dgain.data(), dbias.data(), dx.data(),
                                                           accumulate, rows, width});
      CHECK(worst(got, joined(joined(dx, dgain), dbias)) <= 4 * ops::cuda::layer_norm_bound);
    }
}

TEMPLATE_TEST_CASE("distances of rows match their references", "[cuda][row_distance]", float, device::bfloat16) {
  if (!device_ready()) return;
  using ops::cuda::row_measure;
  for (const auto& [rows, size] : team_shapes()) {
    const auto x = inputs<TestType>(rows * size, 1, 0.25), y = inputs<TestType>(rows * size, 2, 0.25);
    for (const auto kind : {ops::distance_kind::l1, ops::distance_kind::l2}) {
      const auto got = in_every_order([&] {
        device_array<TestType> on(elements<TestType>(x)), other(elements<TestType>(y));
        ops::cuda::run(ops::row_distance<TestType>{on.data(), other.data(), on.data(), rows, size, kind}, stream);
        return on.host();
      });
      std::vector<double> want(x.size());
      ops::reference::run(ops::row_distance<double>{x.data(), y.data(), want.data(), rows, size, kind});
      CHECK(worst(values_of(got), want) <= 2e-7 + rounding<TestType>);
    }
    for (const auto kind : {row_measure::sum, row_measure::mean, row_measure::max, row_measure::l1, row_measure::l2,
                            row_measure::cosine}) {
      CAPTURE(rows, size, static_cast<int>(kind));
      const auto got = in_every_order([&] {
        device_array<TestType> on(elements<TestType>(x)), other(elements<TestType>(y));
        device_array<float> out(rows);
        ops::cuda::run(ops::cuda::reduce_rows<TestType>{on.data(), other.data(), out.data(), rows, size, kind}, stream);
        return out.host();
      });
      for (index i = 0; i < rows; ++i) {
        double sum = 0, most = -INFINITY, l1 = 0, l2 = 0, dot = 0, of_x = 0, of_y = 0, weight = 0;
        for (index j = i * size; j < (i + 1) * size; ++j) {
          const double a = x[static_cast<std::size_t>(j)], b = y[static_cast<std::size_t>(j)];
          sum += a, weight += std::abs(a), most = std::max(most, a);
          l1 += std::abs(a - b), l2 += (a - b) * (a - b), dot += a * b, of_x += a * a, of_y += b * b;
        }
        const double norms = std::sqrt(of_x * of_y);
        const double want = kind == row_measure::sum    ? sum
                            : kind == row_measure::mean ? sum / static_cast<double>(size)
                            : kind == row_measure::max  ? most
                            : kind == row_measure::l1   ? l1
                            : kind == row_measure::l2   ? l2
                                                        : 1 - dot / norms;
        CHECK(std::abs(static_cast<double>(got[static_cast<std::size_t>(i)]) - want) <=
              ops::cuda::reduce_rows_bound * std::max({1.0, weight, l1, l2}));
      }
    }
  }
}

TEST_CASE("the cosine of a zero row is 1 and NaN in a row stays", "[cuda][row_distance]") {
  if (!device_ready()) return;
  device_array<float> x(std::vector<float>{0, 0, 1, NAN}), y(std::vector<float>{1, 2, 3, 4}), out(2);
  ops::cuda::run(ops::cuda::reduce_rows<float>{x.data(), y.data(), out.data(), 2, 2, ops::cuda::row_measure::cosine},
                 stream);
  auto got = out.host();
  CHECK(got[0] == 1);
  CHECK(std::isnan(got[1]));
  ops::cuda::run(ops::cuda::reduce_rows<float>{x.data(), nullptr, out.data(), 2, 2, ops::cuda::row_measure::max},
                 stream);
  got = out.host();
  CHECK(got[0] == 0);
  CHECK(std::isnan(got[1]));
}

TEST_CASE("the loss of each row and its gradient match their reference", "[cuda][squared_error]") {
  if (!device_ready()) return;
  for (const auto& [rows, size] : row_shapes()) {
    CAPTURE(rows, size);
    const auto output = inputs<float>(rows * size, 1), target = inputs<float>(rows * size, 2);
    const std::vector<double> weight{1, 0.5, 3};
    const auto level = levels(rows, 3);
    std::vector<double> loss;
    const auto got = in_every_order([&] {
      device_array<float> on_output(elements<float>(output)), on_target(elements<float>(target)),
          on_weight(elements<float>(weight));
      device_array<double> row_loss(rows, NAN);
      device_array<std::int32_t> on_level(level);
      ops::cuda::run(ops::squared_error<float>{on_output.data(), on_target.data(), on_weight.data(), on_level.data(),
                                               row_loss.data(), on_output.data(), rows, size, 0.25F},
                     stream);
      loss = row_loss.host();
      return on_output.host();
    });
    std::vector<double> want(output.size()), want_loss(static_cast<std::size_t>(rows));
    ops::reference::run(ops::squared_error<double>{output.data(), target.data(), weight.data(), level.data(),
                                                   want_loss.data(), want.data(), rows, size, 0.25});
    CHECK(worst(got, want) <= ops::cuda::squared_error_bound);
    CHECK(worst(loss, want_loss, 0) <= ops::cuda::squared_error_bound);
  }
}

namespace {

template <class Law>
void check_time_loss(const Law& law) {
  const index outputs = law.outputs(), columns = 6;
  for (const index rows : few_threads ? std::vector<index>{3} : std::vector<index>{1, 7, 300}) {
    CAPTURE(Law::name, rows);
    const auto output = inputs<float>(rows * outputs, 1, 3);
    const std::vector<double> share{0, 0.5, 0.999}, sigma{0.25, 1, 3};
    const auto level = levels(rows, 3);
    std::vector<double> loss;
    const auto got = in_every_order([&] {
      device_array<float> on_output(elements<float>(output)), on_sigma(elements<float>(sigma)),
          gradient(rows * outputs, NAN);
      device_array<double> row_loss(rows, NAN), on_share(share);
      device_array<std::int32_t> on_level(level);
      ops::cuda::run(
          ops::time_loss<float, Law>{law, on_output.data(), on_share.data(), on_sigma.data(), on_level.data(),
                                     row_loss.data(), gradient.data(), rows, outputs, columns},
          stream);
      loss = row_loss.host();
      return gradient.host();
    });
    std::vector<double> want(output.size()), want_loss(static_cast<std::size_t>(rows));
    ops::reference::run(ops::time_loss<double, Law>{law, output.data(), share.data(), sigma.data(), level.data(),
                                                    want_loss.data(), want.data(), rows, outputs, columns});
    CHECK(worst(got, want) <= ops::cuda::time_loss_bound);
    CHECK(worst(loss, want_loss) <= ops::cuda::time_loss_bound);
  }
}

}  // namespace

TEST_CASE("the losses of estimators of noise levels match their reference", "[cuda][time_loss]") {
  if (!device_ready()) return;
  using objectives::bins_loss;
  check_time_loss(objectives::time_bins{});
  check_time_loss(objectives::time_bins{{.bins = 4, .loss = bins_loss::cross_entropy}});
  check_time_loss(objectives::time_regression{});
  check_time_loss(objectives::inverse_gamma{});
}

TEST_CASE("the nearest references match the reference", "[cuda][nearest]") {
  if (!device_ready()) return;
  struct extents {
    index rows, count, size, k;
  };
  for (const auto& [rows, count, size, k] : {extents{1, 1, 1, 1}, extents{5, 3, 7, 5}, extents{6, 300, 5, 33},
                                             extents{9, 129, 33, 1}, extents{3, 200, 18, 70}})
    for (const bool excludes : {false, true}) {
      if (few_threads && !(k == 33 && excludes)) continue;
      CAPTURE(rows, count, size, k, excludes);
      auto x = inputs<float>(rows * size, 1), reference = inputs<float>(count * size, 2);
      for (index i = 2; i < count; i += 3)  // equal distances: the lower place comes first
        for (index j = 0; j < size; ++j)
          reference[static_cast<std::size_t>(i * size + j)] = reference[static_cast<std::size_t>((i - 1) * size + j)];
      std::vector<index> exclude, places;
      for (index i = 0; i < rows; ++i) exclude.push_back(i % 2 == 0 ? (i * 3) % count : -1);
      const auto got = in_every_order([&] {
        device_array<float> on_x(elements<float>(x)), on_reference(elements<float>(reference));
        device_array<double> distance(rows * k, NAN);
        device_array<index> place(rows * k, -7), on_exclude(exclude);
        ops::nearest<float> op{};
        op.query = on_x.data(), op.reference = on_reference.data(), op.distance = distance.data();
        op.place = place.data(), op.rows = rows, op.count = count, op.row_size = size, op.k = k;
        if (excludes) op.exclude = on_exclude.data();
        ops::cuda::run(op, stream);
        places = place.host();
        return distance.host();
      });
      std::vector<double> distance(static_cast<std::size_t>(rows * k));
      std::vector<index> place(distance.size());
      ops::nearest<double> op{};
      op.query = x.data(), op.reference = reference.data(), op.distance = distance.data(), op.place = place.data();
      op.rows = rows, op.count = count, op.row_size = size, op.k = k;
      if (excludes) op.exclude = exclude.data();
      ops::reference::run(op);
      CHECK(places == place);
      for (std::size_t i = 0; i < got.size(); ++i)
        if (std::isinf(distance[i]))
          CHECK(got[i] == distance[i]);
        else
          CHECK(std::abs(got[i] - distance[i]) <= ops::cuda::nearest_bound * distance[i]);
    }
  ops::nearest<float> many{};
  many.rows = 1, many.k = 1025;
  CHECK_THROWS_WITH(ops::cuda::run(many, stream), Catch::Contains("got 1025"));
}

TEST_CASE("thresholds that a row finds for itself match their reference", "[cuda]") {
  if (!device_ready()) return;
  for (const auto& [rows, size] : {std::pair<index, index>{3, 1}, {5, 2}, {9, 33}, {2, 1025}}) {
    if (few_threads && size != 33) continue;
    for (const double share : {0.01, 0.5, 0.9, 1.0}) {
      if (few_threads && share != 0.9) continue;
      CAPTURE(rows, size, share);
      auto x = inputs<float>(rows * size, 5, 2);
      for (std::size_t i = 0; i < x.size(); i += 3) x[i] = x[0];  // sizes that are equal
      const auto got = in_every_order([&] {
        device_array<float> on_x(elements<float>(x));
        ops::cuda::run(ops::dynamic_threshold<float>{on_x.data(), rows, size, share, 0.5, 1.75}, stream);
        return on_x.host();
      });
      auto want = x;
      ops::reference::run(ops::dynamic_threshold<double>{want.data(), rows, size, share, 0.5, 1.75});
      CHECK(worst(got, want) <= ops::dynamic_threshold_bound);
    }
  }
}

}  // namespace cuda_test::rows_test
