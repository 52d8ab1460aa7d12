// SPDX-License-Identifier: Apache-2.0
// Training with a variance of the reverse step that the network gives.
#include <anodiff/distances/l2.hpp>
#include <anodiff/engines/cpu.hpp>
#include <anodiff/methods/detector.hpp>
#include <anodiff/models/mlp.hpp>
#include <anodiff/objectives/hybrid.hpp>
#include <anodiff/predictions/learned_range.hpp>
#include <anodiff/samplers/ddpm.hpp>
#include <anodiff/scorers/denoising_error.hpp>
#include <anodiff/scorers/reconstruction.hpp>
#include <catch2/catch.hpp>

namespace learned_variance_test {

namespace ad = anodiff;

namespace {

using network = ad::models::mlp<ad::cpu_engine>;
using hybrid_recipe = ad::recipe<ad::corruptions::gaussian, ad::objectives::hybrid>;
using rebuilds = ad::detector<network, ad::predictions::learned_range<>, ad::samplers::ddpm, hybrid_recipe,
                              ad::scorers::reconstruction<ad::distances::l2>>;

constexpr std::array deviation{1.0, 0.1};

ad::tensor<float, 2> cloud(ad::index n, std::uint64_t seed) {
  ad::tensor<float, 2> x{{n, 2}};
  for (ad::index i = 0; i < n; ++i)
    for (ad::index j = 0; j < 2; ++j)
      x(i, j) = static_cast<float>(deviation[static_cast<std::size_t>(j)] *
                                   ad::random_normal({.seed = seed}, static_cast<std::uint64_t>(2 * i + j)));
  return x;
}

}  // namespace

TEST_CASE("the learned variance is the true one of Gaussian data", "[trainer][oracle]") {
  const auto schedule = ad::schedules::linear{{.beta_last = 0.1, .steps = 100}}.levels();
  network model{{.width = 64, .layers = 2, .time_features = 16, .outputs = 2}, ad::cpu_engine{1}};
  model.build({{2}, 3});
  const auto rows = cloud(4000, 1);
  const ad::row_source source{rows.view(), 4000};
  const ad::training_params how{.steps = 2000, .batch = 256, .levels = 64, .rate = 3e-3, .average = 0.995};
  ad::trainer<network, ad::predictions::learned_range<>, ad::corruptions::gaussian, ad::objectives::hybrid> training{
      model,
      ad::predictions::learned_range<>{},
      ad::corruptions::gaussian{},
      ad::objectives::hybrid{{.bound = 0.1}},
      schedule,
      how,
      source,
      5};
  training.run({}, [](ad::index) {});
  constexpr ad::index n = 200;
  ad::network_run<network, ad::predictions::learned_range<>> run{model, ad::predictions::learned_range<>{}, schedule, n,
                                                                 2};
  const auto fresh = cloud(n, 2);
  for (const std::size_t l : {std::size_t{1}, std::size_t{3}, std::size_t{8}, std::size_t{20}}) {
    const auto& level = schedule[l];
    ad::tensor<float, 2> x{{n, 2}};
    for (ad::index e = 0; e < x.size(); ++e)
      x.data()[e] = static_cast<float>(level.alpha * static_cast<double>(fresh.data()[e]) +
                                       level.sigma * ad::random_normal({.seed = 9}, static_cast<std::uint64_t>(e)));
    const std::vector<std::int32_t> at(static_cast<std::size_t>(n), static_cast<std::int32_t>(l));
    (void)run.output(x.data(), at.data(), n);
    const auto law = ad::reverse(level, schedule[l - 1]);
    for (ad::index j = 0; j < 2; ++j) {
      const double own = std::pow(deviation[static_cast<std::size_t>(j)], 2), noise = level.sigma * level.sigma;
      const double unknown = own * noise / (level.alpha * level.alpha * own + noise);  // of x_0, given x
      const double variance = law.least + law.of_clean * law.of_clean * unknown;
      const double want = 2 * std::log(variance / law.least) / std::log(law.most / law.least) - 1;
      double mean = 0;
      for (ad::index i = 0; i < n; ++i) mean += static_cast<double>(run.variance()[2 * i + j]) / static_cast<double>(n);
      INFO("level " << l << ", column " << j << ": " << mean << " for " << want);
      // where the two variances are near one another v says little: the logarithm of the variance is what counts
      CHECK(std::abs(mean - want) / 2 * std::log(law.most / law.least) < 0.05);
      if (l < 5) CHECK(mean == Approx(want).margin(0.2));
    }
  }
}

TEST_CASE("a detector trains, scores and is saved with a learned variance", "[trainer][detector]") {
  const rebuilds::options numbers{.start = ad::start::noised(0.4),
                                  .steps = 10,
                                  .training = {.steps = 400, .batch = 64},
                                  .model = {.width = 32, .layers = 1, .time_features = 16, .outputs = 2},
                                  .sampler = {.variance = ad::samplers::ddpm_variance::learned},
                                  .scorer = {.repeats = 4}};
  rebuilds model{numbers};
  model.fit(cloud(400, 1));
  ad::tensor<float, 2> x{{2, 2}};
  x(1, 1) = 0.8F;
  const auto found = model.score(x);
  CHECK(found.score[1] > 3 * found.score[0]);
  CHECK(found.map(1)[1] > found.map(1)[0]);
  ad::formats::buffer bytes;
  model.save(bytes);
  rebuilds again;
  again.open(ad::formats::parse_safetensors(std::move(bytes), "in memory"));
  CHECK(again.score(x).score == found.score);
  auto other = numbers;
  other.sampler.variance = ad::samplers::ddpm_variance::fixed_small;
  rebuilds fixed{other};
  fixed.fit(cloud(400, 1));
  CHECK(fixed.score(x).score != found.score);
}

TEST_CASE("scorers of the noise read F alone; a network without a second half is refused", "[trainer][detector]") {
  using errors = ad::detector<network, ad::predictions::learned_range<>, hybrid_recipe, ad::scorers::denoising_error>;
  errors model{{.training = {.steps = 300, .batch = 64},
                .model = {.width = 32, .layers = 1, .time_features = 16, .outputs = 2}}};
  model.fit(cloud(400, 1));
  ad::tensor<float, 2> x{{2, 2}};
  x(1, 1) = 0.8F;
  const auto found = model.score(x);
  CHECK(found.score[1] > found.score[0]);
  errors narrow{{.training = {.steps = 10}, .model = {.width = 8, .layers = 1}}};
  CHECK_THROWS_WITH(narrow.fit(cloud(50, 1)),
                    "trainer: the prediction 'learned_range' needs a network with 4 outputs, got 2");
}

}  // namespace learned_variance_test
