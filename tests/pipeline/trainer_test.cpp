// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <anodiff/corruptions/gaussian.hpp>
#include <anodiff/engines/cpu.hpp>
#include <anodiff/models/mlp.hpp>
#include <anodiff/models/resnet_mlp.hpp>
#include <anodiff/objectives/squared_error.hpp>
#include <anodiff/pipeline/checkpoint.hpp>
#include <anodiff/predictions/epsilon.hpp>
#include <anodiff/schedules/linear.hpp>
#include <catch2/catch.hpp>
#include <filesystem>

#include "laws/gaussian_oracle.hpp"
#include "support/allocation_guard.hpp"

namespace trainer_test {

namespace ad = anodiff;
using ad::cpu_engine;
using ad::training_params;
using state_type = ad::training_state<float>;

namespace {

using small_mlp = ad::models::mlp<cpu_engine>;
using small_resnet = ad::models::resnet_mlp<cpu_engine>;
constexpr ad::models::mlp_params mlp_numbers{.width = 48, .layers = 2, .time_features = 16};
constexpr ad::models::resnet_mlp_params resnet_numbers{
    .width = 24, .hidden = 40, .blocks = 2, .dropout = 0.2, .time_features = 16};

const laws::gaussian_oracle oracle{{0.3, -0.5}, 0.7, {0.2, 1.4}};

/// n rows of d columns from the oracle's cloud, two columns at a time.
ad::tensor<float, 2> cloud(ad::index n, ad::index d = 2, std::uint64_t seed = 1) {
  ad::tensor<float, 2> x{{n, d}};
  for (ad::index i = 0; i < n; ++i)
    for (ad::index j = 0; j < d; j += 2) {
      const ad::noise_key key{.seed = seed, .draw = static_cast<std::uint32_t>(i)};
      const double u = std::sqrt(oracle.variance[0]) * ad::random_normal(key, static_cast<std::uint64_t>(j));
      const double v = std::sqrt(oracle.variance[1]) * ad::random_normal(key, static_cast<std::uint64_t>(j) + 1);
      x(i, j) = static_cast<float>(oracle.mean[0] + std::cos(oracle.angle) * u - std::sin(oracle.angle) * v);
      if (j + 1 < d)
        x(i, j + 1) = static_cast<float>(oracle.mean[1] + std::sin(oracle.angle) * u + std::cos(oracle.angle) * v);
    }
  return x;
}

/// A network and its training, ready to run.
template <class Model>
struct fit {
  Model model;
  ad::tensor<float, 2> x;
  ad::row_source source;
  ad::trainer<Model, ad::predictions::epsilon, ad::corruptions::gaussian, ad::objectives::squared_error> training;

  fit(const typename Model::params& numbers, const training_params& how, ad::tensor<float, 2> rows, ad::index train,
      int threads = 1, std::uint64_t seed = 9)
      : model{built(numbers, rows.row_size(), threads, seed)},
        x{std::move(rows)},
        source{x.view(), train},
        training{model,
                 ad::predictions::epsilon{},
                 ad::corruptions::gaussian{},
                 ad::objectives::squared_error{},
                 ad::schedules::linear{{.beta_last = 0.1, .steps = 100}}.levels(),
                 how,
                 source,
                 seed} {}
  static Model built(const typename Model::params& numbers, ad::index d, int threads, std::uint64_t seed) {
    Model made{numbers, cpu_engine{threads}};
    made.build({{d}, seed});
    return made;
  }
  void run(const ad::progress_callback& report = {}) {
    training.run(report, [](ad::index) {});
  }
  [[nodiscard]] std::vector<float> weights() const {
    return {model.store().values().begin(), model.store().values().end()};
  }
};

bool same(const state_type& a, const state_type& b) {
  return a.step == b.step && a.weights == b.weights && a.first == b.first && a.second == b.second &&
         a.average == b.average && a.loss == b.loss && a.validation == b.validation;
}

/// A callback that stops at a step.
struct stop_at {
  ad::index step;
  bool operator()(const ad::progress& p) const { return p.done < step; }
};

/// A file that is gone after the test.
struct scratch {
  std::string path =
      (std::filesystem::temp_directory_path() / ad::concat("anodiff-trainer-test-", std::rand(), ".safetensors"))
          .string();
  scratch() { std::filesystem::remove(path); }
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  ~scratch() { std::filesystem::remove(path); }
};

constexpr training_params brief{.steps = 96, .batch = 64, .levels = 16, .validate_every = 40};

}  // namespace

TEST_CASE("the learning rate rises on a line and falls on half a cosine", "[trainer]") {
  const training_params p{.steps = 100, .rate = 2, .warmup = 0.1, .final_rate = 0.1};
  CHECK(ad::learning_rate(p, 0) == Approx(2.0 / 11));
  CHECK(ad::learning_rate(p, 9) == Approx(20.0 / 11));
  CHECK(ad::learning_rate(p, 10) == Approx(2));
  CHECK(ad::learning_rate(p, 55) == Approx(2 * 0.55));           // half way
  CHECK(ad::learning_rate(p, 40) == Approx(2 * (0.1 + 0.675)));  // cos 60 degrees
  CHECK(ad::learning_rate(p, 100) == Approx(0.2));
  const training_params flat{.steps = 10, .rate = 1, .warmup = 0, .final_rate = 1};
  for (const ad::index step : {0, 5, 9}) CHECK(ad::learning_rate(flat, step) == 1);
  const training_params all_warm{.steps = 4, .rate = 1, .warmup = 1};
  CHECK(ad::learning_rate(all_warm, 3) == Approx(4.0 / 5));
  const training_params one{.steps = 1, .rate = 1, .warmup = 0};
  CHECK(ad::learning_rate(one, 0) == 1);
}

TEMPLATE_TEST_CASE("the same seed gives the same bits on any number of threads", "[trainer][bits]", small_mlp,
                   small_resnet) {
  const auto numbers = [] {
    if constexpr (std::is_same_v<TestType, small_mlp>)
      return mlp_numbers;
    else
      return resnet_numbers;
  }();
  // more rows a batch than one piece of a product, and a width that no vector divides
  const training_params how{.steps = 20, .batch = 250, .levels = 7, .validate_every = 6};
  fit<TestType> one{numbers, how, cloud(300, 33), 260, 1};
  one.run();
  for (const int threads : {2, 3}) {
    fit<TestType> more{numbers, how, cloud(300, 33), 260, threads};
    more.run();
    CHECK(more.weights() == one.weights());
    CHECK(same(more.training.state(), one.training.state()));
  }
  fit<TestType> again{numbers, how, cloud(300, 33), 260, 1}, other{numbers, how, cloud(300, 33), 260, 1, 10};
  again.run();
  other.run();
  CHECK(again.weights() == one.weights());
  CHECK(other.weights() != one.weights());
}

TEMPLATE_TEST_CASE("a training that was stopped and resumed ends as one that was not", "[trainer][checkpoint][bits]",
                   small_mlp, small_resnet) {
  const auto numbers = [] {
    if constexpr (std::is_same_v<TestType, small_mlp>)
      return mlp_numbers;
    else
      return resnet_numbers;
  }();
  fit<TestType> whole{numbers, brief, cloud(230), 200};
  whole.run();

  // stopped by the caller, at the end of a report
  const scratch file;
  {
    fit<TestType> part{numbers, brief, cloud(230), 200};
    part.run(stop_at{48});
    CHECK(part.training.state().step == 48);
    ad::write_checkpoint(file.path, part.training.state(), "this fit");
  }
  fit<TestType> resumed{numbers, brief, cloud(230), 200, 2};
  resumed.training.restore(ad::read_checkpoint<float>(file.path, "this fit", resumed.model.parameter_count()));
  CHECK(resumed.training.state().step == 48);
  resumed.run();
  CHECK(resumed.weights() == whole.weights());
  CHECK(same(resumed.training.state(), whole.training.state()));

  // cut off between two steps, in the midst of an epoch, by a throw out of the training
  struct cut {};
  {
    fit<TestType> part{numbers, brief, cloud(230), 200};
    const auto after = [&](ad::index step) {
      if (step == 41) {
        part.training.settle();
        ad::write_checkpoint(file.path, part.training.state(), "this fit");
      }
      if (step == 45) throw cut{};
    };
    CHECK_THROWS_AS(part.training.run({}, after), cut);
  }
  fit<TestType> again{numbers, brief, cloud(230), 200};
  again.training.restore(ad::read_checkpoint<float>(file.path, "this fit", again.model.parameter_count()));
  CHECK(again.training.state().step == 41);
  again.run();
  CHECK(again.weights() == whole.weights());
  CHECK(same(again.training.state(), whole.training.state()));
}

TEST_CASE("a finished training that is resumed stays as it is", "[trainer][checkpoint]") {
  fit<small_mlp> whole{mlp_numbers, brief, cloud(200), 180};
  whole.run();
  const scratch file;
  ad::write_checkpoint(file.path, whole.training.state(), "");
  fit<small_mlp> resumed{mlp_numbers, brief, cloud(200), 180};
  resumed.training.restore(ad::read_checkpoint<float>(file.path, "", resumed.model.parameter_count()));
  resumed.run();
  CHECK(resumed.weights() == whole.weights());
}

TEST_CASE("a checkpoint of something else is refused", "[trainer][checkpoint]") {
  fit<small_mlp> one{mlp_numbers, brief, cloud(64), 64};
  const scratch file;
  const auto read = [&](std::string_view identity, ad::index parameters) {
    return ad::read_checkpoint<float>(file.path, std::string{identity}, parameters);
  };
  CHECK_THROWS_AS(read("one", 10), ad::io_error);  // not there
  ad::write_checkpoint(file.path, one.training.state(), "one");
  CHECK_THROWS_WITH(
      read("two", one.model.parameter_count()),
      file.path + ": was written by a fit with other data or other numbers; remove it, or name another file");
  CHECK_THROWS_AS(read("two", one.model.parameter_count()), ad::data_error);
  CHECK_THROWS_AS(read("one", one.model.parameter_count() + 1), ad::data_error);

  fit<small_mlp> wider{{.width = 49, .layers = 2, .time_features = 16}, brief, cloud(64), 64};
  CHECK_THROWS_WITH(wider.training.restore(one.training.state()),
                    ad::concat("trainer: the state holds ", one.model.parameter_count(),
                               " parameters, the network has ", wider.model.parameter_count()));
  CHECK_THROWS_AS(wider.training.restore(one.training.state()), ad::data_error);

  using ad::formats::named;
  const std::vector<double> values{1};
  ad::formats::write_safetensors(file.path, {named("x", std::span<const double>{values})}, {{"kind", "a table"}});
  CHECK_THROWS_WITH(read("one", 1), file.path + ": is no training checkpoint");
  CHECK_THROWS_AS(read("one", 1), ad::data_error);
}

TEST_CASE("the same step count gives the same bits, however it was reached", "[trainer][bits]") {
  auto hurried = brief;
  hurried.time_budget = 1e-9;  // spent at the first look at the clock
  fit<small_mlp> budget{mlp_numbers, hurried, cloud(200), 180};
  budget.run();
  const ad::index reached = budget.training.state().step;
  CHECK(reached >= 1);
  CHECK(reached < brief.steps);
  fit<small_mlp> replayed{mlp_numbers, brief, cloud(200), 180};
  replayed.run(stop_at{reached});
  CHECK(replayed.training.state().step == reached);
  CHECK(replayed.weights() == budget.weights());
}

TEST_CASE("a time budget that is not spent changes nothing", "[trainer]") {
  auto patient = brief;
  patient.time_budget = 3600;
  fit<small_mlp> one{mlp_numbers, patient, cloud(200), 180}, other{mlp_numbers, brief, cloud(200), 180};
  one.run();
  other.run();
  CHECK(one.training.state().step == brief.steps);
  CHECK(one.weights() == other.weights());
}

TEST_CASE("a callback that says stop stops training, and what was learned is kept", "[trainer]") {
  fit<small_mlp> stopped{mlp_numbers, brief, cloud(200), 180};
  const auto born = stopped.weights();
  std::vector<ad::progress> seen;
  stopped.run([&](const ad::progress& p) {
    seen.push_back(p);
    return p.done < 32;
  });
  REQUIRE(!seen.empty());
  CHECK(stopped.training.state().step == seen.back().done);
  CHECK(stopped.training.state().step < brief.steps);
  CHECK(std::string{seen.front().stage} == "train");
  CHECK(seen.back().total == brief.steps);
  CHECK(seen.back().loss == stopped.training.state().loss);
  CHECK(seen.back().seconds >= seen.front().seconds);
  const double samples = static_cast<double>(seen.back().done * brief.batch);
  CHECK(seen.back().rate == Approx(samples / seen.back().seconds));
  CHECK(stopped.weights() != born);
  // the model has the averaged weights, and the state still those to go on from
  const auto& s = stopped.training.state();
  CHECK(std::equal(s.average.begin(), s.average.end(), stopped.weights().begin()));
  CHECK(s.average != s.weights);
}

TEST_CASE("without an average the model has the last weights", "[trainer]") {
  auto last = brief;
  last.average = 0;
  fit<small_mlp> one{mlp_numbers, last, cloud(200), 180};
  one.run();
  const auto& s = one.training.state();
  CHECK(std::equal(s.weights.begin(), s.weights.end(), one.weights().begin()));
}

TEST_CASE("the loss falls, and validation follows", "[trainer]") {
  training_params how{.steps = 600, .batch = 128, .validate_every = 50};
  fit<small_mlp> one{mlp_numbers, how, cloud(600), 500};
  std::vector<ad::progress> seen;
  one.run([&](const ad::progress& p) {
    seen.push_back(p);
    return true;
  });
  CHECK(seen.back().done == 600);
  CHECK(seen.front().loss > 0.7);  // at birth the output is near 0, and the noise has variance 1
  CHECK(seen.back().loss < 0.75 * seen.front().loss);
  CHECK(seen.front().validation == 0);  // not measured yet
  CHECK(seen.back().validation > 0);
  CHECK(seen.back().validation == Approx(seen.back().loss).epsilon(0.25));

  fit<small_mlp> without{mlp_numbers, brief, cloud(200), 200};
  without.run();
  CHECK(without.training.state().validation == 0);
}

TEST_CASE("a learned denoiser is near the oracle on Gaussian data", "[trainer][oracle]") {
  training_params how{.steps = 1000, .batch = 256, .levels = 16, .rate = 5e-3, .average = 0.99};
  fit<small_mlp> learned{mlp_numbers, how, cloud(8192), 8192};
  learned.run();
  const auto levels = ad::schedules::linear{{.beta_last = 0.1, .steps = 100}}.levels();
  constexpr ad::index n = 400;
  const auto fresh = cloud(n, 2, 99);
  for (const std::size_t at : {std::size_t{5}, std::size_t{20}, std::size_t{50}, std::size_t{99}}) {
    const auto& level = levels[at];
    auto run = learned.model.prepare({&level, 1}, n);
    std::vector<float> x(2 * n);
    const std::vector<std::int32_t> zeros(n);
    for (ad::index i = 0; i < n; ++i)
      for (ad::index j = 0; j < 2; ++j) {
        const ad::noise_key key{.seed = 5, .draw = static_cast<std::uint32_t>(i)};
        x[static_cast<std::size_t>(2 * i + j)] =
            static_cast<float>(level.alpha * static_cast<double>(fresh(i, j)) +
                               level.sigma * ad::random_normal(key, static_cast<std::uint64_t>(j)));
      }
    const float* output = run.output(x.data(), zeros.data(), n);
    double wrong = 0, whole = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const laws::gaussian_oracle::point state{static_cast<double>(x[2 * i]), static_cast<double>(x[2 * i + 1])};
      const auto clean = oracle.clean(state, level);
      for (std::size_t k = 0; k < 2; ++k) {
        const double noise = (state[k] - level.alpha * clean[k]) / level.sigma;  // the best estimate of the noise
        const double got = static_cast<double>(output[2 * i + k]);
        wrong += (got - noise) * (got - noise);
        whole += noise * noise;
      }
    }
    INFO("level " << at << ": " << wrong / whole << " of the estimate's power, " << wrong / (2.0 * n) << " absolute");
    CHECK(wrong / (2.0 * n) < 0.02);  // the noise itself has power 1
  }
}

TEST_CASE("a loss that is no longer finite ends training with a message", "[trainer]") {
  for (const double clip : {0.0, 1.0}) {
    auto extreme = cloud(100);
    extreme(37, 1) = 1e30F;  // its gradient leaves the range of a float, clipped or not
    fit<small_mlp> one{mlp_numbers, {.steps = 400, .batch = 64, .clip = clip}, std::move(extreme), 100};
    std::string message = "training did not diverge";
    try {
      one.run();
    } catch (const ad::numeric_error& fault) {
      message = fault.what();
    }
    CHECK_THAT(message, Catch::StartsWith("training: the loss has grown to ") &&
                            Catch::EndsWith("; lower the rate (0.001) or look for extreme values in the data"));
  }
}

TEST_CASE("a step allocates nothing", "[trainer][allocations]") {
  for (const int threads : {1, 3}) {
    fit<small_resnet> one{resnet_numbers, brief, cloud(300), 280, threads};
    (void)one.training.step();
    const support::allocation_guard guard;
    for (int i = 0; i < 10; ++i) (void)one.training.step();
    CHECK(guard.count() == 0);
  }
}

TEST_CASE("degenerate trainings", "[trainer]") {
  training_params how{.steps = 17, .batch = 1000, .levels = 500};  // more than the rows there are
  fit<small_mlp> single{mlp_numbers, how, cloud(1, 1), 1};
  single.run();
  CHECK(std::isfinite(single.training.state().loss));
  fit<small_mlp> no_tail{mlp_numbers, {.steps = 5, .batch = 7}, cloud(13, 3), 13};
  no_tail.run();
  CHECK(std::isfinite(no_tail.training.state().loss));
  fit<small_mlp> one_step{mlp_numbers, {.steps = 1, .warmup = 1}, cloud(13, 3), 13};
  one_step.run();
  CHECK(one_step.training.state().step == 1);
  CHECK_THROWS_WITH((fit<small_mlp>{mlp_numbers, brief, cloud(4), 0}),
                    "trainer: needs at least one training row, got 0");
}

TEST_CASE("numbers of training out of range are refused by name", "[trainer]") {
  const auto with = [](auto set) {
    training_params p;
    set(p);
    return p;
  };
  CHECK_NOTHROW(training_params{}.verify());
  CHECK_THROWS_WITH(with([](auto& p) { p.steps = 0; }).verify(), "training: steps must lie in [1, 2147483648], got 0");
  CHECK_THROWS_WITH(with([](auto& p) { p.batch = 0; }).verify(), "training: batch must lie in [1, 1048576], got 0");
  CHECK_THROWS_WITH(with([](auto& p) { p.levels = -1; }).verify(), "training: levels must lie in [0, 1048576], got -1");
  CHECK_THROWS_WITH(with([](auto& p) { p.rate = 0; }).verify(), "training: rate must lie in [1e-12, 1000], got 0");
  CHECK_THROWS_WITH(with([](auto& p) { p.warmup = 2; }).verify(), "training: warmup must lie in [0, 1], got 2");
  CHECK_THROWS_WITH(with([](auto& p) { p.validation = 0.95; }).verify(),
                    "training: validation must lie in [0, 0.9], got 0.95");
  const auto refused = [&](auto set) { CHECK_THROWS_AS(with(set).verify(), ad::invalid_argument); };
  refused([](auto& p) { p.final_rate = -0.1; });
  refused([](auto& p) { p.weight_decay = -1; });
  refused([](auto& p) { p.beta_1 = 1; });
  refused([](auto& p) { p.beta_2 = 1; });
  refused([](auto& p) { p.clip = -1; });
  refused([](auto& p) { p.average = 1; });
  refused([](auto& p) { p.validate_every = 0; });
  refused([](auto& p) { p.time_budget = -1; });
  refused([](auto& p) { p.rate = std::nan(""); });
}

}  // namespace trainer_test
