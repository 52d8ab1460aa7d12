// SPDX-License-Identifier: Apache-2.0
#include <anodiff/engines/cpu.hpp>
#include <anodiff/methods/ddae.hpp>
#include <anodiff/models/mlp.hpp>
#include <anodiff/pipeline/trainer.hpp>
#include <anodiff/predictions/clean.hpp>
#include <anodiff/schedules/linear.hpp>
#include <numeric>
#include "laws/corruption_laws.hpp"
#include "laws/network_gradients.hpp"
#include "laws/objective_laws.hpp"
#include "support/small_rows.hpp"

namespace contrastive_test {

namespace ad = anodiff;
using ad::objectives::contrastive;

namespace {

struct pairs {
  static constexpr laws::index n = 6, d = 4;
  std::vector<double> output, target, weight{1, 2}, row_loss = std::vector<double>(n),
                                                    gradient = std::vector<double>(n * d);
  std::vector<std::int32_t> level{0, 1, 0, 1, 1, 0};
  ad::basic_cpu_engine<double> engine{1};

  pairs() {
    for (std::size_t i = 0; i < n * d; ++i) {
      output.push_back(laws::uniform(1, i, -2, 2));
      target.push_back(laws::uniform(2, i, -2, 2));
    }
  }
  double loss(const contrastive& objective, bool gradients, laws::index views = 2) {
    ad::objective_batch<double> b{output.data(),
                                  target.data(),
                                  weight.data(),
                                  level.data(),
                                  row_loss.data(),
                                  gradients ? gradient.data() : nullptr,
                                  n,
                                  d};
    b.views = views;
    objective.measure(engine, b);
    return std::accumulate(row_loss.begin(), row_loss.end(), 0.0) / n;
  }
};

}  // namespace

TEST_CASE("contrastive: by hand, its gradient against differences, and what is refused", "[objectives]") {
  pairs p;
  const contrastive objective{{.weight = 0.3, .temperature = 0.7}};
  (void)p.loss(objective, true);
  CHECK(laws::gradient_error(p.output, p.gradient.data(), [&] { return p.loss(objective, false); }) < 1e-8);
  (void)p.loss(objective, false);
  const auto whole = p.row_loss;
  (void)p.loss(contrastive{{.weight = 0}}, false);
  for (std::size_t i = 0; i < 6; ++i) {
    double sum = 0, other = 0;
    for (std::size_t k = 0; k < 6; ++k) {
      double dot = 0, a = 0, b = 0;
      for (std::size_t j = 0; j < 4; ++j) {
        dot += p.output[4 * i + j] * p.output[4 * k + j];
        a += p.output[4 * i + j] * p.output[4 * i + j];
        b += p.output[4 * k + j] * p.output[4 * k + j];
      }
      const double e = std::exp(dot / std::sqrt(a * b) / 0.7);
      if (k != i) sum += e;
      if (k == (i ^ 1)) other = e;
    }
    CHECK(whole[i] - p.row_loss[i] == Approx(-0.3 * std::log(other / sum)));
  }
  CHECK(p.loss(objective, false, 1) == p.loss(contrastive{{.weight = 0}}, false));  // of single samples no contrast
  // views that agree, and samples that do not, cost least
  auto apart = p;
  for (std::size_t i = 0; i < 24; ++i) apart.output[i] = i % 4 == i / 8 ? 1 : 0;
  apart.target = apart.output;
  CHECK(apart.loss(objective, true) == Approx(0.3 * std::log1p(4 * std::exp(-1 / 0.7))));
  CHECK_THROWS_WITH(contrastive({.weight = -1}), "objectives::contrastive: weight must lie in [0, 1e6], got -1");
  CHECK_THROWS_WITH(contrastive({.temperature = 0}),
                    "objectives::contrastive: temperature must lie in [0.01, 100], got 0");
}

namespace {

/// Takes down what a batch of training holds.
struct watching {
  using params = ad::no_params;
  static constexpr std::string_view name = "watching";
  explicit watching(params = {}) {}
  [[nodiscard]] params parameters() const { return {}; }
  static inline std::vector<std::vector<float>> rows;
  static inline std::vector<std::int32_t> levels;
  static inline std::vector<std::uint32_t> draws;
  template <class Engine>
  void corrupt(Engine& engine, const ad::corruption_batch<typename Engine::real>& b) const {
    rows.clear();
    levels.assign(b.level, b.level + b.rows);
    draws.assign(b.draws, b.draws + b.rows);
    for (laws::index i = 0; i < b.rows; ++i) rows.emplace_back(b.x + i * b.row_size, b.x + (i + 1) * b.row_size);
    ad::corruptions::gaussian{}.corrupt(engine, b);
  }
};

}  // namespace

TEST_CASE("a trainer gives an objective that contrasts two views of each sample", "[trainer]") {
  using network = ad::models::mlp<ad::cpu_engine>;
  const auto schedule = ad::schedules::linear{{.beta_last = 0.1, .steps = 100}}.levels();
  ad::tensor<float, 2> x{{64, 3}};
  for (std::size_t i = 0; i < x.flat().size(); ++i) x.flat()[i] = static_cast<float>(laws::uniform(1, i, -2, 2));
  const ad::row_source source{x.view(), 64};
  const auto batch_of = [&](double weight) {
    network model{{.width = 8, .layers = 1, .time_features = 4}, ad::cpu_engine{1}};
    model.build({{3}, 3});
    ad::trainer<network, ad::predictions::clean, watching, contrastive> training{
        model,    ad::predictions::clean{},   watching{}, contrastive{{.weight = weight}},
        schedule, {.batch = 33, .levels = 8}, source,     5};
    CHECK(std::isfinite(training.step()));
  };
  batch_of(0);
  REQUIRE(watching::rows.size() == 33);
  std::sort(watching::rows.begin(), watching::rows.end());
  CHECK(std::ranges::adjacent_find(watching::rows) == watching::rows.end());
  batch_of(0.1);
  REQUIRE(watching::rows.size() == 32);
  for (std::size_t i = 0; i < 32; i += 2) {
    CHECK(watching::rows[i] == watching::rows[i + 1]);
    CHECK(watching::levels[i] != watching::levels[i + 1]);
    CHECK(watching::draws[i] != watching::draws[i + 1]);  // so that their noise is another
  }
}

TEST_CASE("ddae takes the contrast by a number of its own", "[methods]") {
  using ddae = ad::methods::ddae<ad::cpu_engine>;
  const auto scores = [](double weight) {
    ddae model{{.seed = 2,
                .calibration_share = 0,
                .training = {.steps = 200, .batch = 64},
                .model = {.width = 16, .layers = 1},
                .objective = {.weight = weight}}};
    model.fit(ad::test::normal_rows(200, 4, 1));
    const auto rows = ad::test::normal_rows(10, 4, 2);
    const auto found = model.score(rows).score;
    ad::formats::buffer bytes;
    model.save(bytes);
    ddae again;
    again.open(ad::formats::parse_safetensors(std::move(bytes), "in memory"));
    CHECK(again.numbers().objective.weight == weight);
    CHECK(again.score(rows).score == found);
    return found;
  };
  CHECK(ddae{}.numbers().objective.weight == 0);
  CHECK(scores(0) != scores(0.1));
}

}  // namespace contrastive_test
