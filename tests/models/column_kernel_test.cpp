// SPDX-License-Identifier: Apache-2.0
#include <anodiff/engines/cpu.hpp>
#include <anodiff/models/column_kernel.hpp>
#include "laws/policy_laws.hpp"

using namespace anodiff;
using models::column_kernel;

namespace {

/// Normal columns of the given deviations.
tensor<float, 2> cloud(laws::index n, const std::vector<double>& deviation, std::uint64_t seed = 1) {
  const auto d = static_cast<laws::index>(deviation.size());
  tensor<float, 2> x{{n, d}};
  for (laws::index i = 0; i < n; ++i)
    for (laws::index j = 0; j < d; ++j)
      x(i, j) = static_cast<float>(deviation[static_cast<std::size_t>(j)] *
                                   random_normal({.seed = seed}, static_cast<std::uint64_t>(i * d + j)));
  return x;
}
/// Σ_i log of the leave-one-out kernel density, with the widths h, by the definition.
double likelihood(const tensor<float, 2>& x, std::span<const float> widths) {
  const std::vector<double> h(widths.begin(), widths.end());
  double total = 0;
  for (laws::index i = 0; i < x.rows(); ++i) {
    double sum = 0;
    for (laws::index k = 0; k < x.rows(); ++k) {
      if (k == i) continue;
      double square = 0;
      for (laws::index j = 0; j < x.row_size(); ++j) {
        const double e = static_cast<double>(x(i, j) - x(k, j)) / h[static_cast<std::size_t>(j)];
        square += e * e;
      }
      sum += std::exp(-square / 2);
    }
    for (const double width : h) sum /= width;
    total += std::log(sum);
  }
  return total;
}

}  // namespace

TEST_CASE("column_kernel: each round of the estimation raises the leave-one-out likelihood", "[models][laws]") {
  laws::check_policy<column_kernel<cpu_engine>>({.rounds = 3, .tame_tails = true});
  const auto x = cloud(200, {1, 0.2, 3});
  double last = -1e300;
  for (const laws::index rounds : {0, 1, 2, 3, 4, 8, 16}) {
    column_kernel<cpu_engine> model{{.rounds = rounds, .floor = 1e-3}, cpu_engine{1}};
    model.remember(x, 0);
    const double now = likelihood(x, model.widths());
    INFO("rounds " << rounds);
    CHECK(now >= last - 1e-3);
    last = now;
  }
}

TEST_CASE("column_kernel: widths follow the columns, however they are scaled", "[models]") {
  auto x = cloud(300, {1, 1});
  column_kernel<cpu_engine> model{{.rounds = 600, .floor = 1e-4}, cpu_engine{1}};
  model.remember(x, 0);
  const auto ratio = [&] { return static_cast<double>(model.widths()[1] / model.widths()[0]); };
  const double before = ratio();
  for (laws::index i = 0; i < x.rows(); ++i) x(i, 1) *= 8;
  model.remember(x, 0);
  CHECK(ratio() == Approx(8 * before).epsilon(0.02));
}

TEST_CASE("column_kernel: the same on any number of threads; a file brings it back to the bit", "[models][file]") {
  auto x = cloud(150, {1, 0.5, 2, 1});
  for (laws::index i = 0; i < x.rows(); ++i) x(i, 2) = std::exp(x(i, 2));  // a column worth taming
  const column_kernel<cpu_engine>::params numbers{.reference_rows = 100, .tame_tails = true};
  column_kernel<cpu_engine> one{numbers, cpu_engine{1}}, three{numbers, cpu_engine{3}}, back{numbers, cpu_engine{1}};
  one.remember(x, 5);
  three.remember(x, 5);
  CHECK(std::ranges::equal(one.widths(), three.widths()));
  CHECK(one.spacing() == three.spacing());
  CHECK(one.remembered().size() == 100);

  std::vector<std::pair<std::string, tensor<float, 2>>> stored;
  one.tensors([&](std::string_view name, tensor_view<const float, 2> values) {
    stored.emplace_back(name, tensor<float, 2>{values});
  });
  const auto find = [&](std::string_view name) {
    for (const auto& [key, values] : stored)
      if (key == name) return values.view();
    throw data_error("none");
  };
  back.restore({{4}, 0}, find);
  tensor<float, 2> a{{20, 4}}, b{{20, 4}};
  one.scale(x.view().slice(0, 20), a.data());
  back.scale(x.view().slice(0, 20), b.data());
  CHECK(a == b);
  std::vector<double> energy(20), again(20);
  one.energy(const_view(a), 0.7, {}, energy.data(), nullptr);
  back.energy(const_view(b), 0.7, {}, again.data(), nullptr);
  CHECK(energy == again);

  stored[1].second(0, 1) = 0;
  CHECK_THROWS_WITH(back.restore({{4}, 0}, find), "model 'column_kernel': widths must be above 0, got 0");
}

TEST_CASE("column_kernel: equal rows and constant columns are no trouble", "[models]") {
  tensor<float, 2> x{{6, 2}};
  column_kernel<cpu_engine> model{{}, cpu_engine{1}};
  model.remember(x, 0);
  CHECK(model.spacing() == 1);
  for (const float h : model.widths()) CHECK(h == 0.03F);
}

TEST_CASE("column_kernel: numbers outside their ranges are refused", "[models]") {
  using model = column_kernel<cpu_engine>;
  CHECK_THROWS_WITH(model({.reference_rows = 1}), "models::column_kernel: reference_rows must be at least 2, got 1");
  CHECK_THROWS_WITH(model({.rounds = -1}), "models::column_kernel: rounds must lie in [0, 1000], got -1");
  CHECK_THROWS_WITH(model({.queries = 0}), "models::column_kernel: queries must be at least 1, got 0");
  CHECK_THROWS_WITH(model({.floor = 0}), "models::column_kernel: floor must be above 0, got 0");
}
