// SPDX-License-Identifier: Apache-2.0
#include <anodiff/corruptions/multinomial.hpp>
#include <anodiff/schedules/linear.hpp>
#include <catch2/catch.hpp>

namespace multinomial_test {

using anodiff::corruptions::multinomial;

namespace {

/// The chain's matrices one step at a time: a class stays with the share 1 − β, else all K are alike.
struct chain {
  std::size_t k;
  std::vector<double> beta;
  [[nodiscard]] double step(std::size_t t, std::size_t from, std::size_t to) const {
    return (from == to ? 1 - beta[t] : 0) + beta[t] / static_cast<double>(k);
  }
  /// Law of the class after steps first … last − 1, of one that starts in `from`.
  [[nodiscard]] std::vector<double> after(std::size_t first, std::size_t last, std::size_t from) const {
    std::vector<double> law(k, 0.0);
    law[from] = 1;
    for (std::size_t t = first; t < last; ++t) {
      std::vector<double> next(k, 0.0);
      for (std::size_t a = 0; a < k; ++a)
        for (std::size_t b = 0; b < k; ++b) next[b] += law[a] * step(t, a, b);
      law = next;
    }
    return law;
  }
  [[nodiscard]] double kept(std::size_t steps) const {
    double product = 1;
    for (std::size_t t = 0; t < steps; ++t) product *= 1 - beta[t];
    return product;
  }
};

}  // namespace

TEST_CASE("multinomial: diffusion and posterior agree with the chain taken step by step", "[corruptions]") {
  const chain c{4, {0.1, 0.25, 0.05, 0.4, 0.3}};
  const multinomial law{4};
  for (std::size_t t = 1; t <= 5; ++t)
    for (std::size_t x0 = 0; x0 < 4; ++x0) {
      std::vector<double> hot(4, 0.0), out(4);
      hot[x0] = 1;
      law.diffuse(hot, c.kept(t), out);
      const auto want = c.after(0, t, x0);
      for (std::size_t k = 0; k < 4; ++k) CHECK(out[k] == Approx(want[k]).epsilon(1e-12));
      for (std::size_t s = 0; s < t; ++s)
        for (std::size_t now = 0; now < 4; ++now) {
          // Bayes: P(x_s | x_t, x_0) ∝ P(x_s | x_0) P(x_t | x_s)
          const auto before = c.after(0, s, x0);
          std::vector<double> bayes(4);
          double sum = 0;
          for (std::size_t k = 0; k < 4; ++k) sum += bayes[k] = before[k] * c.after(s, t, k)[now];
          law.posterior(static_cast<anodiff::index>(now), hot, c.kept(t), c.kept(s), out);
          for (std::size_t k = 0; k < 4; ++k) CHECK(out[k] == Approx(bayes[k] / sum).epsilon(1e-12).margin(1e-15));
        }
    }
}

TEST_CASE("multinomial: drawn classes have the law's shares; a chain run backwards from noise ends in the data's law",
          "[corruptions]") {
  const multinomial law{3};
  const std::vector<double> data{0.6, 0.3, 0.1};
  std::vector<double> shares(3, 0.0), ends(3, 0.0);
  constexpr int draws = 20000, steps = 10;
  const auto kept = [](int t) { return std::pow(0.5, t); };
  std::vector<double> p(3), hot(3);
  for (int i = 0; i < draws; ++i) {
    const anodiff::noise_key key{.seed = 1, .draw = static_cast<std::uint32_t>(i)};
    shares[static_cast<std::size_t>(multinomial::draw(data, key, 0))] += 1.0 / draws;
    // what stood at the start given the class now, by Bayes; then the posterior's draw: ancestral sampling
    auto now = multinomial::draw(std::vector<double>(3, 1.0 / 3), key, 1);
    for (int t = steps; t > 0; --t) {
      double sum = 0;
      for (std::size_t k = 0; k < 3; ++k) {
        std::fill(hot.begin(), hot.end(), 0.0);
        hot[k] = 1;
        std::vector<double> reached(3);
        law.diffuse(hot, kept(t), reached);
        sum += p[k] = data[k] * reached[static_cast<std::size_t>(now)];
      }
      for (double& v : p) v /= sum;
      const auto first = multinomial::draw(p, key, static_cast<std::uint64_t>(2 * t));
      std::fill(hot.begin(), hot.end(), 0.0);
      hot[static_cast<std::size_t>(first)] = 1;
      std::vector<double> out(3);
      law.posterior(now, hot, kept(t), kept(t - 1), out);
      now = multinomial::draw(out, key, static_cast<std::uint64_t>(2 * t + 1));
    }
    ends[static_cast<std::size_t>(now)] += 1.0 / draws;
  }
  for (std::size_t k = 0; k < 3; ++k) {
    CHECK(shares[k] == Approx(data[k]).margin(0.012));
    CHECK(ends[k] == Approx(data[k]).margin(0.012));
  }
}

TEST_CASE("multinomial: the share of a schedule's level, and what is refused", "[corruptions]") {
  const auto levels = anodiff::schedules::linear{}.levels();
  CHECK(multinomial::kept(levels[500]) == Approx(levels[500].alpha * levels[500].alpha));
  CHECK(multinomial::kept(anodiff::clean_level) == 1);
  const multinomial law{2};
  const std::vector<double> sure{1, 0};
  std::vector<double> out(2);
  CHECK_THROWS_WITH(multinomial{1}, "corruptions::multinomial: classes must lie in [2, 2^20], got 1");
  CHECK_THROWS_WITH(law.posterior(2, sure, 0.1, 0.5, out),
                    "corruptions::multinomial: the class must lie in [0, 1], got 2");
  CHECK_THROWS_AS(law.posterior(0, sure, 0.6, 0.5, out), anodiff::invalid_argument);
  CHECK_THROWS_AS(law.posterior(1, sure, 1, 1, out), anodiff::numeric_error);
  CHECK_THROWS_WITH(law.diffuse(std::vector<double>(3), 0.5, out), "corruptions::multinomial: p needs 2 shares, got 3");
}

}  // namespace multinomial_test
