// SPDX-License-Identifier: Apache-2.0
#include <anodiff/conditioning/imputation.hpp>
#include <anodiff/corruptions/known_gaussian.hpp>
#include <anodiff/distances/l2.hpp>
#include <anodiff/engines/cpu.hpp>
#include <anodiff/methods/detector.hpp>
#include <anodiff/models/gaussian.hpp>
#include <anodiff/models/mlp.hpp>
#include <anodiff/preprocessing/gapped.hpp>
#include <anodiff/samplers/ddpm.hpp>
#include <anodiff/samplers/dpm_solver_pp.hpp>
#include <anodiff/scorers/reconstruction.hpp>
#include "laws/corruption_laws.hpp"

namespace imputation_test {

namespace ad = anodiff;
using ad::conditioning::imputation;
using ad::samplers::ddpm;

namespace {

constexpr float gap = std::numeric_limits<float>::quiet_NaN();
using exact = ad::models::gaussian<ad::cpu_engine>;
using run_of = ad::rebuilding_run<exact, ad::predictions::epsilon, ddpm, imputation, ad::corruptions::gaussian>;
using detector_of = ad::detector<exact, ad::schedules::linear, ddpm, imputation, ad::preprocessing::gapped,
                                 ad::scorers::reconstruction<ad::distances::l2>>;

std::vector<ad::noise_level> run_levels(ad::index steps) {
  auto levels = ad::grids::trailing{}.pick(ad::schedules::linear{}.levels(), steps);
  levels.push_back(ad::clean_level);
  return levels;
}
run_of made(const exact& model, ad::index steps, const imputation& condition, ad::index d) {
  return {model,
          ad::predictions::epsilon{},
          ddpm{},
          condition,
          ad::corruptions::gaussian{},
          run_levels(steps),
          ad::start::noised(1),
          7,
          64,
          d,
          {}};
}
/// Four columns, the second half of what the first is in all of them.
ad::tensor<double, 2> rows(ad::index n, std::uint64_t seed) {
  ad::tensor<double, 2> x{{n, 4}};
  for (ad::index i = 0; i < n; ++i) {
    const auto z = [&](ad::index j) {
      return ad::random_normal({.seed = seed}, static_cast<std::uint64_t>(5 * i + j));
    };
    for (ad::index j = 0; j < 4; ++j) x(i, j) = 10 * static_cast<double>(j) + 3 * (z(4) + 0.3 * z(j));
  }
  return x;
}

}  // namespace

TEST_CASE("imputation: a policy, and numbers out of range", "[conditioning]") {
  laws::check_policy<imputation>();
  CHECK_THROWS_WITH(imputation({.groups = -1}), "conditioning::imputation: groups must lie in [0, 4096], got -1");
  CHECK_THROWS_WITH(imputation({.resamples = 0}), "conditioning::imputation: resamples must lie in [1, 1000], got 0");
  CHECK_THROWS_WITH((imputation{}.program(ad::samplers::dpm_solver_pp{}.program(run_levels(5)), ad::clean_level)),
                    Catch::Contains("steps can be taken again where each stands alone"));
}

TEST_CASE("imputation: every column is hidden once before any is again", "[conditioning]") {
  ad::tensor<float, 2> x{{1, 7}};
  for (const ad::index groups : {1, 3, 7, 20}) {
    const ad::index turns = std::min<ad::index>(groups, 7);
    bool differs = false;
    for (std::uint32_t deal = 0; deal < 3; ++deal) {
      std::vector<int> times(7, 0);
      for (ad::index t = 0; t < turns; ++t) {
        const auto draw = [&](ad::index round) { return static_cast<std::uint32_t>(round * turns + t); };
        const auto bound = imputation{{.groups = groups}}.bind({x, 3, draw(deal)});
        const auto first = imputation{{.groups = groups}}.bind({x, 3, draw(0)});
        for (ad::index j = 0; j < 7; ++j) {
          times[static_cast<std::size_t>(j)] += bound.hidden(0, j) ? 1 : 0;
          differs = differs || bound.hidden(0, j) != first.hidden(0, j);
        }
      }
      CHECK(times == std::vector<int>(7, 1));
    }
    if (groups == 3) CHECK(differs);
  }
  x(0, 4) = gap;
  const auto alone = imputation{{.groups = 0}}.bind({x});
  for (ad::index j = 0; j < 7; ++j) CHECK(alone.hidden(0, j) == (j == 4));
}

TEST_CASE("imputation: a step taken again stays at its level", "[conditioning]") {
  // with a perfect estimate the state keeps the signal and the noise of the level it is at
  const auto stages = ddpm{}.program(run_levels(6));
  const auto more = imputation{{.resamples = 4}}.program(stages, ad::clean_level);
  REQUIRE(more.size() == 4 * 5 + 1);
  CHECK((imputation{{.resamples = 1}}.program(stages, ad::clean_level) == stages));
  for (std::size_t i = 0; i + 1 < more.size(); ++i) {
    const auto& s = more[i];
    const auto& to = more[i + 1].at;
    CHECK(s.x_weight * s.at.alpha + s.clean_weight == Approx(to.alpha).epsilon(1e-12));
    CHECK(std::pow(s.x_weight * s.at.sigma, 2) + s.noise_weight * s.noise_weight ==
          Approx(to.sigma * to.sigma).epsilon(1e-10));
  }
}

TEST_CASE("imputation: fills in the conditional law of Gaussian data, and holds what is known", "[conditioning]") {
  exact model{{.ridge = 0}};
  Eigen::Matrix3d covariance;
  covariance << 1, 0.8, 0.3, 0.8, 1, 0.1, 0.3, 0.1, 1;
  model.assume(Eigen::Vector3d{0.5, -0.5, 0}, covariance);
  ad::tensor<float, 2> x{{4, 3}}, out{{4, 3}};
  for (ad::index i = 0; i < 4; ++i) {
    x(i, 0) = static_cast<float>(i) - 1.0F;
    x(i, 1) = gap;
    x(i, 2) = i % 2 == 0 ? 0.7F : -0.4F;
  }
  auto run = made(model, 60, imputation{{.groups = 0, .resamples = 12}}, 3);
  constexpr int draws = 300;
  std::array<double, 4> sum{}, square{};
  for (std::uint32_t r = 0; r < draws; ++r) {
    run.rebuild(x, r, out);
    for (ad::index i = 0; i < 4; ++i) {
      CHECK((out(i, 0) == x(i, 0) && out(i, 2) == x(i, 2)));
      const auto v = static_cast<double>(out(i, 1));
      sum[static_cast<std::size_t>(i)] += v / draws;
      square[static_cast<std::size_t>(i)] += v * v / draws;
    }
  }
  const Eigen::Matrix2d known{{1, 0.3}, {0.3, 1}};
  const Eigen::RowVector2d with{0.8, 0.1};
  const double variance = 1 - with * known.inverse() * with.transpose();
  for (std::size_t i = 0; i < 4; ++i) {
    const auto at = static_cast<ad::index>(i);
    const Eigen::Vector2d off{static_cast<double>(x(at, 0)) - 0.5, static_cast<double>(x(at, 2))};
    INFO("row " << i);
    CHECK(sum[i] == Approx(-0.5 + with * known.inverse() * off).margin(0.15));
    CHECK(square[i] - sum[i] * sum[i] == Approx(variance).epsilon(0.3));
  }
}

TEST_CASE("imputation: rows do not see one another", "[conditioning][laws]") {
  exact model{{.ridge = 0}};
  model.assume(Eigen::Vector2d{0, 0}, Eigen::Matrix2d{{1, 0.9}, {0.9, 1}});
  ad::tensor<float, 2> x{{9, 2}}, whole{{9, 2}}, alone{{1, 2}}, out{{1, 2}};
  for (ad::index i = 0; i < 9; ++i) {
    x(i, 0) = static_cast<float>(i) / 4;
    x(i, 1) = i % 3 == 0 ? gap : -1.0F;
  }
  auto run = made(model, 10, imputation{}, 2);
  for (std::uint32_t r = 0; r < 4; ++r) {
    run.rebuild(x, r, whole);
    for (ad::index i = 0; i < 9; ++i) {
      std::ranges::copy(x.row(i), alone.row(0).begin());
      run.rebuild(alone, r, out);
      CHECK(std::ranges::equal(out.row(0), whole.row(i)));
    }
  }
}

TEST_CASE("known_gaussian: noise where values are known, and no loss elsewhere", "[corruptions]") {
  const ad::noise_level level{0.6, 0.8, 0};
  laws::minibatch<ad::cpu_engine> b{7, 5, {level}, {ad::mixture{0, 1}}}, plain{7, 5, {level}, {ad::mixture{0, 1}}};
  for (std::size_t e = 0; e < 35; e += 3) {
    b.x[e] = gap;
    plain.x[e] = 0;
  }
  const ad::cpu_engine engine{1};
  const auto batch = b.batch({.seed = 3, .use = ad::purpose::corruption}, 0, 7);
  ad::corruptions::known_gaussian{}.corrupt(engine, batch);
  ad::corruptions::gaussian{}.corrupt(engine, plain.batch({.seed = 3, .use = ad::purpose::corruption}, 0, 7));
  CHECK(b.damaged == plain.damaged);
  CHECK(b.target == plain.target);
  const std::vector<float> output(35, 9.0F);
  ad::corruptions::known_gaussian{}.narrow(engine, batch, output.data());
  for (std::size_t e = 0; e < 35; ++e) CHECK(b.target[e] == (e % 3 == 0 ? 9.0F : plain.target[e]));
}

TEST_CASE("a network learns from rows with gaps, and scores others", "[conditioning]") {
  using learning = ad::detector<ad::models::mlp<ad::cpu_engine>, ddpm, imputation, ad::preprocessing::gapped,
                                ad::recipe<ad::corruptions::known_gaussian, ad::objectives::squared_error>,
                                ad::scorers::reconstruction<ad::distances::l2>>;
  const auto with_gaps = [](ad::tensor<double, 2> x) {
    for (ad::index i = 0; i < x.rows(); i += 2) x(i, i / 2 % 4) = std::nan("");
    return x;
  };
  learning model{{.start = ad::start::noised(1),
                  .steps = 12,
                  .seed = 2,
                  .training = {.steps = 800, .batch = 128, .rate = 3e-3, .average = 0.99},
                  .model = {.width = 48, .layers = 2, .time_features = 32},
                  .conditioning = {.resamples = 2},
                  .scorer = {.repeats = 8}}};
  model.fit(with_gaps(rows(800, 1)));
  auto fresh = with_gaps(rows(40, 2));
  const auto usual = model.score(fresh);
  for (ad::index i = 0; i < 40; ++i) fresh(i, (i / 2 + 1) % 4) += 9;
  const auto odd = model.score(fresh);
  int above = 0, named = 0;
  for (ad::index i = 0; i < 40; ++i) {
    const auto map = odd.map(i);
    above += odd.score[static_cast<std::size_t>(i)] > usual.score[static_cast<std::size_t>(i)] ? 1 : 0;
    named += std::ranges::max_element(map) - map.begin() == (i / 2 + 1) % 4 ? 1 : 0;
    if (i % 2 == 0) CHECK(map[static_cast<std::size_t>(i / 2 % 4)] == 0);
  }
  INFO(above << " above, " << named << " named");
  CHECK(above >= 36);
  CHECK(named >= 30);
}

TEST_CASE("a row with missing values is scored by its known ones, and the odd one is named", "[conditioning]") {
  detector_of model{{.start = ad::start::noised(1), .steps = 20, .seed = 2, .scorer = {.repeats = 12}}};
  model.fit(rows(600, 1));
  auto fresh = rows(60, 2);
  const auto whole = model.score(fresh);
  CHECK(model.network_calls() == 12 * (5 * 19 + 1));
  auto with_gaps = fresh;
  for (ad::index i = 0; i < 60; ++i) with_gaps(i, i % 4) = std::nan("");
  const auto found = model.score(with_gaps);
  for (ad::index i = 0; i < 60; ++i) {
    CHECK(std::isfinite(found.score[static_cast<std::size_t>(i)]));
    CHECK(found.map(i)[static_cast<std::size_t>(i % 4)] == 0);
  }
  // one value off by three deviations of what the others say, within its column's own range
  for (ad::index i = 0; i < 20; ++i) {
    const ad::index j = (i + 1) % 4;
    with_gaps(i, j) += with_gaps(i, j) > 10 * static_cast<double>(j) ? -6 : 6;
  }
  const auto odd = model.score(with_gaps);
  int named = 0, alarms = 0, before = 0;
  for (ad::index i = 0; i < 20; ++i) {
    const auto map = odd.map(i);
    named += std::ranges::max_element(map) - map.begin() == (i + 1) % 4 ? 1 : 0;
    alarms += odd.is_anomaly[static_cast<std::size_t>(i)];
    before += found.is_anomaly[static_cast<std::size_t>(i)];
  }
  INFO(named << " named, " << alarms << " alarms, " << before << " before");
  CHECK(named >= 17);
  CHECK(alarms >= 15);
  CHECK(before <= 3);
  for (std::size_t i = 20; i < 60; ++i) CHECK(odd.score[i] == found.score[i]);
}

}  // namespace imputation_test
