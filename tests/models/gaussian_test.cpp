// SPDX-License-Identifier: Apache-2.0
#include <anodiff/models/gaussian.hpp>
#include "laws/denoiser_laws.hpp"
#include "laws/gaussian_oracle.hpp"

using namespace anodiff;

namespace {

using exact = models::gaussian<basic_cpu_engine<double>>;

const laws::gaussian_oracle oracle{{0.7, -1.2}, 0.4, {0.3, 2.1}};

/// Remembers the oracle's mean and covariance.
exact assumed() {
  const double c = std::cos(oracle.angle), s = std::sin(oracle.angle);
  Eigen::MatrixXd covariance(2, 2);
  covariance(0, 0) = c * c * oracle.variance[0] + s * s * oracle.variance[1];
  covariance(1, 1) = s * s * oracle.variance[0] + c * c * oracle.variance[1];
  covariance(0, 1) = covariance(1, 0) = c * s * (oracle.variance[0] - oracle.variance[1]);
  exact model{{.ridge = 0}, basic_cpu_engine<double>{1}};
  model.assume(Eigen::Vector2d{oracle.mean[0], oracle.mean[1]}, covariance);
  return model;
}

}  // namespace

TEST_CASE("gaussian: the posterior mean in closed form", "[models]") {
  const auto model = assumed();
  laws::query<double> q{40, 2, 3};
  q.levels = {{0.95, 0.2, 0}, {0.6, 0.8, 1}, {0, 1, 2}};
  const auto got = q.ask(model);
  double worst = 0;
  for (std::size_t i = 0; i < 40; ++i) {
    const auto want = oracle.clean({q.x[2 * i], q.x[2 * i + 1]}, q.levels[static_cast<std::size_t>(q.level[i])]);
    worst = std::max({worst, std::abs(got[2 * i] - want[0]), std::abs(got[2 * i + 1] - want[1])});
  }
  CHECK(worst < 1e-12);
}

TEST_CASE("gaussian: learns mean and covariance; a row is the same in any batch", "[models][laws]") {
  laws::check_policy<models::gaussian<cpu_engine>>({.ridge = 0.25});
  CHECK_THROWS_WITH((models::gaussian<cpu_engine>{{.ridge = -1}}),
                    "models::gaussian: ridge must not be negative, got -1");
  for (const laws::index d : {1, 5, 40}) {
    tensor<float, 2> x{{200, d}};
    for (std::size_t i = 0; i < x.flat().size(); ++i) x.flat()[i] = static_cast<float>(laws::uniform(3, i, -1, 2));
    models::gaussian<cpu_engine> model{{}, cpu_engine{1}};
    model.remember(x, 0);
    const laws::query<float> q{60, d, 4};
    const auto whole = q.ask(model);
    auto run = model.prepare(q.levels, 60);
    bool same = true;
    for (laws::index i = 0; i < 60; ++i) {
      const float* out = run.output(q.x.data() + i * d, q.level.data() + i, 1);
      same = same && std::equal(out, out + d, whole.begin() + i * d);
    }
    CHECK(same);

    tensor<float, 2> stored;
    model.tensors([&](std::string_view, tensor_view<const float, 2> values) { stored = tensor<float, 2>{values}; });
    models::gaussian<cpu_engine> read{{}, cpu_engine{1}};
    read.restore({{d}, 0}, [&](std::string_view) { return stored; });
    CHECK(q.ask(read) == whole);
    CHECK_THROWS_AS(read.restore({{d + 1}, 0}, [&](std::string_view) { return stored; }), data_error);
  }
}

TEST_CASE("gaussian: a constant column, and rows that are all the same", "[models]") {
  tensor<float, 2> x{{10, 2}};
  for (laws::index i = 0; i < 10; ++i) x(i, 0) = 3;
  models::gaussian<cpu_engine> model{{}, cpu_engine{1}};
  model.remember(x, 0);
  laws::query<float> q{5, 2, 1};
  for (std::size_t i = 0; i < 5; ++i) CHECK(q.ask(model)[2 * i] == Approx(3.0F));
}
