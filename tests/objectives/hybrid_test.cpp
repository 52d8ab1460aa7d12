// SPDX-License-Identifier: Apache-2.0
#include <anodiff/schedules/linear.hpp>

#include "laws/objective_laws.hpp"
#include "laws/prediction_laws.hpp"

namespace hybrid_test {

using namespace anodiff;
using objectives::hybrid;

namespace {

/// A batch of outputs with memory of its own; levels 0, 1 and 60 of a schedule of 100.
struct batch {
  static constexpr laws::index rows = 5, row_size = 6;
  laws::index channels;
  std::vector<noise_level> schedule = schedules::linear{{.beta_last = 0.1, .steps = 100}}.levels();
  std::vector<double> output, target, weight{1, 0.5, 2}, gradient = std::vector<double>(2 * rows * row_size), row_loss;
  std::vector<bound_of_level> bound;
  std::vector<std::int32_t> level{0, 1, 2, 2, 1};

  explicit batch(laws::index channels_of_a_sample) : channels{channels_of_a_sample}, row_loss(rows) {
    for (std::size_t i = 0; i < gradient.size(); ++i) output.push_back(laws::uniform(1, i, -1, 1));
    for (std::size_t i = 0; i < gradient.size() / 2; ++i) target.push_back(laws::uniform(2, i, -1, 1));
    for (const std::size_t place : {std::size_t{0}, std::size_t{1}, std::size_t{60}})
      bound.push_back(bound_at(schedule, place, predictions::epsilon{}.fold(schedule[place]).second));
  }
  double loss(const hybrid& objective, bool gradients = false) {
    const basic_cpu_engine<double> engine{1};
    auto machine = engine;
    objective.measure(machine, variance_batch<double>{output.data(), target.data(), weight.data(), bound.data(), 100,
                                                      level.data(), row_loss.data(),
                                                      gradients ? gradient.data() : nullptr, rows, row_size, channels});
    return std::accumulate(row_loss.begin(), row_loss.end(), 0.0) / static_cast<double>(rows);
  }
  [[nodiscard]] bool is_variance(std::size_t i) const {
    return static_cast<laws::index>(i) % (2 * channels) >= channels;
  }
};

}  // namespace

TEST_CASE("hybrid: a policy; each output's gradient is that of what it is meant to move", "[objectives]") {
  laws::check_policy<hybrid>();
  static_assert(variance_objective_on<hybrid, cpu_engine>);
  for (const laws::index channels : {1, 2, 6}) {
    batch b{channels};
    const hybrid whole{{.bound = 0.01}}, simple{{.bound = 0}};
    (void)b.loss(whole, true);
    const auto gradient = b.gradient;
    double worst = 0;
    for (std::size_t i = 0; i < b.output.size(); ++i) {
      const hybrid& moved = b.is_variance(i) ? whole : simple;  // F counts as a constant in the bound
      const double step = 1e-5, kept = b.output[i];
      b.output[i] = kept + step;
      const double above = b.loss(moved);
      b.output[i] = kept - step;
      const double below = b.loss(moved);
      b.output[i] = kept;
      worst = std::max(worst, std::abs((above - below) / (2 * step) - gradient[i]));
    }
    CHECK(worst < 1e-8);
    CHECK(std::ranges::all_of(gradient, [](double g) { return g != 0; }));
    CHECK(b.gradient == gradient);
  }
}

TEST_CASE("hybrid: the bound is the divergence of two Gaussians, integrated", "[objectives]") {
  batch b{6};
  const auto& level = b.schedule[60];
  const auto law = reverse(level, b.schedule[59]);
  b.level.assign(5, 2);
  b.weight.assign(3, 0);
  const double got = b.loss(hybrid{{.bound = 1}}) / 100;
  double want = 0;
  for (laws::index i = 0; i < batch::rows; ++i)
    for (laws::index j = 0; j < batch::row_size; ++j) {
      const double off = b.output[static_cast<std::size_t>(12 * i + j)] - b.target[static_cast<std::size_t>(6 * i + j)];
      const double mean = law.of_clean * -level.sigma / level.alpha * off;
      const double share = (b.output[static_cast<std::size_t>(12 * i + 6 + j)] + 1) / 2;
      const double variance = std::pow(law.least, 1 - share) * std::pow(law.most, share);
      // ∫ q log(q / p) by a sum over the true law q = N(0, least), p = N(mean, variance)
      const double sd = std::sqrt(law.least), width = sd / 50;
      const auto log_density = [](double x, double at, double v) {
        return -(x - at) * (x - at) / (2 * v) - std::log(2 * std::numbers::pi * v) / 2;
      };
      for (double x = -9 * sd; x < 9 * sd; x += width) {
        const double q = log_density(x, 0, law.least);
        want += std::exp(q) * (q - log_density(x, mean, variance)) * width / (batch::rows * batch::row_size);
      }
    }
  CHECK(got == Approx(want).epsilon(1e-6));
}

TEST_CASE("hybrid: by hand at the cleanest level, and numbers out of range", "[objectives]") {
  batch b{6};
  CHECK(b.bound[0].decodes);
  CHECK(b.bound[0].log_most == Approx(2 * std::log(b.schedule[0].sigma)));
  CHECK(b.bound[0].log_least == Approx(std::log(reverse(b.schedule[1], b.schedule[0]).least)));
  CHECK(b.bound[0].off == Approx(-b.schedule[0].sigma / b.schedule[0].alpha));
  CHECK(b.bound[2].log_most == Approx(std::log(1 - std::pow(b.schedule[60].alpha / b.schedule[59].alpha, 2))));
  // −log N(x_0; x̂_0, variance) at v = 1
  for (std::size_t i = 0; i < b.output.size(); ++i)
    if (b.is_variance(i)) b.output[i] = 1;
  b.target.assign(b.target.size(), 0);
  b.level.assign(5, 0);
  b.weight.assign(3, 0);
  double want = 0;
  const double variance = b.schedule[0].sigma * b.schedule[0].sigma;
  for (std::size_t i = 0; i < b.output.size(); ++i)
    if (!b.is_variance(i))
      want += (std::log(2 * std::numbers::pi * variance) + std::pow(b.bound[0].off * b.output[i], 2) / variance) / 60;
  CHECK(b.loss(hybrid{{.bound = 1}}) / 100 == Approx(want));
  CHECK_THROWS_WITH(hybrid({.bound = -1}), "objectives::hybrid: bound must lie in [0, 1e6], got -1");
}

}  // namespace hybrid_test
