// SPDX-License-Identifier: Apache-2.0
#include <anodiff/distances/l2.hpp>
#include <anodiff/engines/cpu.hpp>
#include <anodiff/methods/detector.hpp>
#include <anodiff/models/mlp.hpp>
#include <anodiff/predictions/edm.hpp>
#include <anodiff/predictions/epsilon.hpp>
#include <anodiff/schedules/exploding.hpp>
#include <anodiff/scorers/reconstruction.hpp>
#include <catch2/catch.hpp>
#include "laws/gaussian_oracle.hpp"

namespace edm_training_test {

namespace ad = anodiff;

namespace {

using network = ad::models::mlp<ad::cpu_engine>;

const laws::gaussian_oracle oracle{{0.2, -0.3}, 0.7, {0.05, 0.6}};
const auto levels = ad::schedules::exploding{{.sigma_min = 0.02, .sigma_max = 80, .steps = 200}}.levels();

ad::tensor<float, 2> cloud(ad::index n, std::uint64_t seed) {
  ad::tensor<float, 2> x{{n, 2}};
  for (ad::index i = 0; i < n; ++i) {
    const ad::noise_key key{.seed = seed, .draw = static_cast<std::uint32_t>(i)};
    const double u = std::sqrt(oracle.variance[0]) * ad::random_normal(key, 0),
                 v = std::sqrt(oracle.variance[1]) * ad::random_normal(key, 1);
    x(i, 0) = static_cast<float>(oracle.mean[0] + std::cos(oracle.angle) * u - std::sin(oracle.angle) * v);
    x(i, 1) = static_cast<float>(oracle.mean[1] + std::sin(oracle.angle) * u + std::cos(oracle.angle) * v);
  }
  return x;
}

/// Mean square of the learned clean estimate's distance from the best one, over levels and rows, as share of the
/// data's variance.
template <class Prediction>
double excess_of(const Prediction& prediction) {
  network model{{.width = 64, .layers = 2, .time_features = 16}, ad::cpu_engine{1}};
  model.build({{2}, 3});
  const auto rows = cloud(2000, 1);
  const ad::row_source source{rows.view(), 2000};
  const ad::training_params how{.steps = 1500, .batch = 128, .levels = 64, .rate = 3e-3, .average = 0.99};
  ad::trainer<network, Prediction, ad::corruptions::gaussian, ad::objectives::squared_error> training{
      model, prediction, ad::corruptions::gaussian{}, ad::objectives::squared_error{}, levels, how, source, 5};
  training.run({}, [](ad::index) {});

  constexpr ad::index n = 256;
  ad::network_run<network, Prediction> run{model, prediction, levels, n, 2};
  const auto fresh = cloud(n, 2);
  ad::tensor<float, 2> x{{n, 2}};
  double sum = 0, count = 0;
  for (std::size_t l = 10; l < levels.size(); l += 20) {
    const auto& level = levels[l];
    for (ad::index e = 0; e < x.size(); ++e)
      x.data()[e] =
          static_cast<float>(static_cast<double>(fresh.data()[e]) +
                             level.sigma * ad::random_normal({.seed = 9, .draw = static_cast<std::uint32_t>(l)},
                                                             static_cast<std::uint64_t>(e)));
    const std::vector<std::int32_t> at(static_cast<std::size_t>(n), static_cast<std::int32_t>(l));
    const float* const output = run.output(x.data(), at.data(), n);
    const auto fold = prediction.fold(level);
    for (ad::index i = 0; i < n; ++i) {
      const auto best = oracle.clean({static_cast<double>(x(i, 0)), static_cast<double>(x(i, 1))}, level);
      for (ad::index j = 0; j < 2; ++j) {
        const double clean =
            fold.first * static_cast<double>(x(i, j)) + fold.second * static_cast<double>(output[i * 2 + j]);
        sum += std::pow(clean - best[static_cast<std::size_t>(j)], 2) / 0.325;
        ++count;
      }
    }
  }
  return sum / count;
}

}  // namespace

TEST_CASE("a network with EDM's scaling learns the best estimate on an exploding schedule", "[trainer]") {
  const double edm = excess_of(ad::predictions::edm{});
  const double bare = excess_of(ad::predictions::epsilon{});
  WARN("mean square above the best estimate: " << edm << " of the variance, " << bare << " with bare noise");
  CHECK(edm < 0.02);
  CHECK(bare > 10 * edm);  // its input has a deviation of 80, and its estimate is the difference of large numbers
}

TEST_CASE("a detector trains, scores and is saved with EDM's scaling", "[trainer][detector]") {
  using made = ad::detector<ad::models::mlp<ad::cpu_engine>, ad::schedules::exploding, ad::predictions::edm,
                            ad::scorers::reconstruction<ad::distances::l2>>;
  made model{{.start = ad::start::noised(0.5),
              .steps = 10,
              .training = {.steps = 300, .batch = 64},
              .schedule = {.sigma_min = 0.02, .sigma_max = 20, .steps = 100},
              .model = {.width = 32, .layers = 1, .time_features = 16},
              .prediction = {.data_sd = 1}}};
  model.fit(cloud(400, 1));
  ad::tensor<float, 2> x{{2, 2}};
  x(0, 0) = 0.2F;
  x(0, 1) = -0.3F;
  x(1, 0) = -2.5F;
  x(1, 1) = -2.5F;
  const auto found = model.score(x);
  CHECK(found.score[1] > 5 * found.score[0]);
  ad::formats::buffer bytes;
  model.save(bytes);
  made again;
  again.open(ad::formats::parse_safetensors(std::move(bytes), "in memory"));
  CHECK(again.score(x).score == found.score);
}

}  // namespace edm_training_test
