// SPDX-License-Identifier: Apache-2.0
// Diffusion of numbers and categories together: its damage, its loss, what it learns, and a detector of it.
#include <anodiff/corruptions/multinomial.hpp>
#include <anodiff/engines/cpu.hpp>
#include <anodiff/methods/mixed_diffusion.hpp>
#include <limits>
#include "laws/corruption_laws.hpp"
#include "laws/network_gradients.hpp"
#include "support/small_rows.hpp"

namespace mixed_diffusion_test {

namespace ad = anodiff;
using ad::corruptions::gaussian_multinomial;
using ad::objectives::mixed_error;

namespace {

using network = ad::models::mlp<ad::cpu_engine>;
using detector_of = ad::methods::mixed_diffusion<ad::cpu_engine>;
constexpr double gap = std::numeric_limits<double>::quiet_NaN();

const ad::fit_options told{.columns = {"size", "weight", "colour"},
                           .schema = {{}, {}, {ad::formats::column_kind::categorical, {"blue", "green", "red"}}}};

using ad::test::culprit;
constexpr auto rows = &ad::test::coloured_rows;

/// Two categories, of three and two classes: P(a, b).
constexpr double joint[3][2] = {{0.4, 0.05}, {0.05, 0.3}, {0.1, 0.1}};
constexpr std::array<ad::index, 2> groups{3, 2};

ad::tensor<float, 2> drawn_pairs(ad::index n) {
  ad::tensor<float, 2> x{{n, 5}};
  const std::vector<double> law{0.4, 0.05, 0.05, 0.3, 0.1, 0.1};
  for (ad::index i = 0; i < n; ++i) {
    const auto pair = ad::corruptions::multinomial::draw(law, {.seed = 4}, static_cast<std::uint64_t>(i));
    x(i, pair / 2) = 1;
    x(i, 3 + pair % 2) = 1;
  }
  return x;
}

}  // namespace

TEST_CASE("gaussian_multinomial: numbers as gaussian has them, classes with the shares of their diffusion",
          "[corruptions]") {
  const ad::noise_level level{0.6, 0.8, 0};
  constexpr laws::index n = 20000;
  laws::minibatch<ad::cpu_engine> b{n, 6, {level}, {ad::mixture{0, 1}}}, plain{n, 6, {level}, {ad::mixture{0, 1}}};
  for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
    b.draws[i] = static_cast<std::uint32_t>(i);
    for (std::size_t k = 0; k < 4; ++k) b.x[6 * i + 1 + k] = k == i % 4 ? 1.0F : 0.0F;
  }
  plain.x = b.x;
  plain.draws = b.draws;
  const ad::cpu_engine engine{1};
  const ad::noise_key key{.seed = 3, .step = 7, .use = ad::purpose::corruption};
  auto batch = b.batch(key, 0, n);
  const std::vector<laws::index> sizes{1, 4, 1};
  batch.groups = sizes;
  gaussian_multinomial{}.corrupt(engine, batch);
  ad::corruptions::gaussian{}.corrupt(engine, plain.batch(key, 0, n));
  const ad::corruptions::multinomial law{4};
  std::array<std::array<double, 4>, 4> counts{};
  bool numbers = true, targets = true, indicators = true;
  for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
    for (const std::size_t j : {std::size_t{0}, std::size_t{5}})
      numbers =
          numbers && b.damaged[6 * i + j] == plain.damaged[6 * i + j] && b.target[6 * i + j] == plain.target[6 * i + j];
    const float* const seen = b.damaged.data() + 6 * i + 1;
    targets = targets && std::equal(b.target.data() + 6 * i + 1, b.target.data() + 6 * i + 5, b.x.data() + 6 * i + 1);
    indicators = indicators && std::count(seen, seen + 4, 1.0F) == 1 && std::count(seen, seen + 4, 0.0F) == 3;
    counts[i % 4][static_cast<std::size_t>(ad::ops::held_class(seen, 4))] += 4.0 / n;
  }
  CHECK(numbers);
  CHECK(targets);
  CHECK(indicators);
  for (std::size_t from = 0; from < 4; ++from) {
    std::vector<double> hot(4, 0.0), want(4);
    hot[from] = 1;
    law.diffuse(hot, ad::corruptions::multinomial::kept(level), want);
    for (std::size_t to = 0; to < 4; ++to) CHECK(counts[from][to] == Approx(want[to]).margin(0.03));
  }
}

TEST_CASE("mixed_error: by hand, and its gradient against differences", "[objectives]") {
  laws::check_policy<mixed_error>();
  CHECK_THROWS_WITH(mixed_error({.classes = -1}), "objectives::mixed_error: classes must lie in [0, 1e6], got -1");
  constexpr laws::index n = 3, d = 5;
  const std::vector<laws::index> sizes{1, 3, 1};
  std::vector<double> output, target, weight{1, 2}, row_loss(n), gradient(n * d);
  for (std::size_t i = 0; i < n * d; ++i) {
    output.push_back(laws::uniform(1, i, -2, 2));
    target.push_back(i % 5 == 0 || i % 5 == 4 ? laws::uniform(2, i, -2, 2) : i % 5 == 1 + i / 5 ? 1 : 0);
  }
  const std::vector<std::int32_t> level{0, 1, 0};
  ad::basic_cpu_engine<double> engine{1};
  const mixed_error objective{{.classes = 0.7}};
  const auto loss = [&](double* to) {
    ad::objective_batch<double> b{output.data(), target.data(), weight.data(), level.data(), row_loss.data(), to, n, d};
    b.groups = sizes;
    objective.measure(engine, b);
    return (row_loss[0] + row_loss[1] + row_loss[2]) / 3;
  };
  (void)loss(gradient.data());
  const double sum = std::exp(output[6]) + std::exp(output[7]) + std::exp(output[8]);
  CHECK(row_loss[1] == Approx(2.0 / 3 *
                              (std::pow(output[5] - target[5], 2) + std::pow(output[9] - target[9], 2) -
                               0.7 * std::log(std::exp(output[7]) / sum))));
  CHECK(laws::gradient_error(output, gradient.data(), [&] { return loss(nullptr); }) < 1e-8);
}

TEST_CASE("a network learns the law of a class given what is left of the row", "[trainer][oracle]") {
  const auto schedule = ad::schedules::linear{{.beta_last = 0.1, .steps = 100}}.levels();
  network model{{.width = 48, .layers = 2, .time_features = 16}, ad::cpu_engine{1}};
  model.build({{5}, 3, {groups.begin(), groups.end()}});
  const auto pairs = drawn_pairs(20000);
  const ad::row_source source{pairs.view(), 20000};
  const ad::training_params how{.steps = 2000, .batch = 256, .levels = 64, .rate = 3e-3, .average = 0.99};
  ad::trainer<network, ad::predictions::epsilon, gaussian_multinomial, mixed_error> training{
      model, ad::predictions::epsilon{}, gaussian_multinomial{}, mixed_error{}, schedule, how, source, 5};
  training.run({}, [](ad::index) {});
  double worst = 0;
  for (const std::size_t l : {std::size_t{5}, std::size_t{20}, std::size_t{40}}) {
    const double kept = ad::corruptions::multinomial::kept(schedule[l]);
    auto run = model.prepare({&schedule[l], 1}, 1);
    for (laws::index a = 0; a < 3; ++a)
      for (laws::index b = 0; b < 2; ++b) {
        std::vector<float> seen(5, 0.0F);
        seen[static_cast<std::size_t>(a)] = seen[static_cast<std::size_t>(3 + b)] = 1;
        // P(a_0 | a_t, b_t) ∝ Σ P(a_0, b_0) P(a_t | a_0) P(b_t | b_0), over every pair
        std::array<double, 3> want{};
        double sum = 0;
        for (laws::index first = 0; first < 3; ++first)
          for (laws::index second = 0; second < 2; ++second) {
            const double p = joint[first][second] * (kept * (first == a ? 1 : 0) + (1 - kept) / 3) *
                             (kept * (second == b ? 1 : 0) + (1 - kept) / 2);
            want[static_cast<std::size_t>(first)] += p;
            sum += p;
          }
        const std::int32_t zero = 0;
        const float* const logits = run.output(seen.data(), &zero, 1);
        for (laws::index k = 0; k < 3; ++k)
          worst = std::max(worst, std::abs(std::exp(-ad::ops::class_surprise(logits, k, 3)) -
                                           want[static_cast<std::size_t>(k)] / sum));
      }
  }
  WARN("largest difference of a class's probability from Bayes' rule: " << worst);
  CHECK(worst < 0.06);
}

TEST_CASE("mixed_diffusion: a class that does not fit its row is found, and named by its column", "[methods][mixed]") {
  const detector_of::options numbers{
      .seed = 3, .training = {.steps = 800, .batch = 128, .average = 0.99}, .model = {.width = 64, .layers = 2}};
  detector_of model{numbers};
  model.fit(rows(1000, 1), told);
  CHECK(model.network_calls() == 40);
  auto fresh = rows(200, 2);
  const auto usual = model.score(fresh);
  int planted = 0, named = 0, alarms = 0;
  double above = 0;
  for (ad::index i = 0; i < 200; ++i)
    if (std::abs(fresh(i, 0)) > 0.7) {
      fresh(i, 2) = fresh(i, 0) > 0 ? static_cast<double>(i % 2) : 2;  // a usual class, but of other rows
      ++planted;
    }
  const auto found = model.score(fresh);
  for (ad::index i = 0; i < 200; ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (std::abs(fresh(i, 0)) <= 0.7) {
      CHECK(found.score[at] == usual.score[at]);
      continue;
    }
    named += culprit(found.map(i)) == 2 ? 1 : 0;
    alarms += found.is_anomaly[at];
    above += found.score[at] > usual.score[at] ? 1 : 0;
  }
  WARN(planted << " planted: " << alarms << " alarms, " << named << " named");
  CHECK(above == planted);
  CHECK(alarms > 0.8 * planted);
  CHECK(named > 0.9 * planted);

  auto odd = rows(4, 9);
  odd(0, 2) = 3;  // no class that was ever seen
  odd(1, 2) = gap;
  odd(2, 1) = gap;
  const auto named_odd = model.score(odd);
  CHECK(culprit(named_odd.map(0)) == 2);
  CHECK(culprit(named_odd.map(1)) == 2);
  CHECK(culprit(named_odd.map(2)) == 1);

  ad::formats::buffer bytes;
  model.save(bytes);
  detector_of again;
  again.open(ad::formats::parse_safetensors(std::move(bytes), "in memory"));
  const auto opened = again.score(fresh);
  CHECK(opened.score == found.score);
  for (ad::index i = 0; i < 200; i += 37)
    CHECK(again.score(fresh.view().slice(i, i + 1)).score[0] == found.score[static_cast<std::size_t>(i)]);
}

}  // namespace mixed_diffusion_test
