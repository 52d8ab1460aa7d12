// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/samplers/adaptive.hpp>
#include <anodiff/samplers/consistency.hpp>
#include <anodiff/samplers/ddim.hpp>
#include <anodiff/samplers/ddpm.hpp>
#include <anodiff/samplers/deis.hpp>
#include <anodiff/samplers/dpm_solver.hpp>
#include <anodiff/samplers/dpm_solver_pp.hpp>
#include <anodiff/samplers/dpm_solver_pp_sde.hpp>
#include <anodiff/samplers/dpm_solver_pp_single.hpp>
#include <anodiff/samplers/euler.hpp>
#include <anodiff/samplers/euler_ancestral.hpp>
#include <anodiff/samplers/heun.hpp>
#include <anodiff/samplers/one_step.hpp>
#include <anodiff/samplers/pndm.hpp>
#include <anodiff/samplers/unipc.hpp>
#include "gaussian_oracle.hpp"
#include "policy_laws.hpp"

namespace laws {

/// Samplers that run from anywhere to the clean end, and those that must start with signal and end with noise.
using samplers_to_clean =
    std::tuple<anodiff::samplers::consistency, anodiff::samplers::ddim, anodiff::samplers::ddpm,
               anodiff::samplers::deis, anodiff::samplers::dpm_solver_pp, anodiff::samplers::dpm_solver_pp_sde,
               anodiff::samplers::dpm_solver_pp_single, anodiff::samplers::euler, anodiff::samplers::euler_ancestral,
               anodiff::samplers::heun, anodiff::samplers::one_step, anodiff::samplers::pndm, anodiff::samplers::unipc>;
using samplers_with_noise = std::tuple<anodiff::samplers::dpm_solver>;
using all_samplers = decltype(std::tuple_cat(samplers_to_clean{}, samplers_with_noise{}));
/// Those that write no program: samplers/adaptive_test.cpp has their laws.
using samplers_that_adapt = std::tuple<anodiff::samplers::adaptive>;

/// What concepts/sampler.hpp says of a stage, in double and with plain loops. Point is an array of doubles,
/// clean(x, level) the estimate, noise() fresh normals as a Point; enter(i, x) may change the state before stage i.
/// deviation(x, level, least, most) is the learned standard deviation as a Point.
template <class Point, class Clean, class Noise, class Enter, class Deviation>
[[nodiscard]] Point run_program(std::span<const anodiff::stage> program, Point x, Clean&& clean, Noise&& noise,
                                Enter&& enter, Deviation&& deviation) {
  Point saved{};
  std::array<Point, anodiff::stage::past_slots> past{};
  for (std::size_t i = 0; i < program.size(); ++i) {
    const auto& s = program[i];
    enter(i, x);
    const Point estimate = clean(x, s.at);
    if (s.save_x) saved = x;
    const Point before = x;
    const Point z = s.noise_weight != 0 ? noise() : Point{};
    Point drawn{};
    if (s.noise_most != 0) drawn = deviation(x, s.at, s.noise_weight, s.noise_most);
    for (std::size_t k = 0; k < x.size(); ++k) {
      double next = s.x_weight * x[k] + s.saved_weight * saved[k] + s.clean_weight * estimate[k];
      for (std::size_t p = 0; p < past.size(); ++p) next += s.past_weight[p] * past[p][k];
      x[k] = next + (s.noise_most != 0 ? drawn[k] : s.noise_weight) * z[k];
    }
    if (!s.keeps()) continue;
    std::rotate(past.begin(), past.end() - 1, past.end());
    for (std::size_t k = 0; k < x.size(); ++k) past[0][k] = s.keep_x * before[k] + s.keep_clean * estimate[k];
  }
  return x;
}

template <class Point, class Clean, class Noise, class Enter>
[[nodiscard]] Point run_program(std::span<const anodiff::stage> program, Point x, Clean&& clean, Noise&& noise,
                                Enter&& enter) {
  return run_program(program, x, clean, noise, enter,
                     [](const Point&, const anodiff::noise_level&, double least, double) {
                       Point same{};
                       same.fill(least);
                       return same;
                     });
}

template <class Point, class Clean, class Noise>
[[nodiscard]] Point run_program(std::span<const anodiff::stage> program, Point x, Clean&& clean, Noise&& noise) {
  return run_program(program, x, clean, noise, [](std::size_t, Point&) {});
}

/// What a run does to a sample whose clean estimate is always right: shares of the sample and of the noise that the run
/// starts with, and the variance of the noise drawn on the way.
struct run_response {
  double clean = 0, noise = 0, drawn = 0;
};
[[nodiscard]] inline run_response response(std::span<const anodiff::stage> program) {
  const auto& start = program.front().at;
  using point = std::array<double, 2>;  // shares of the clean sample and of the first noise
  const auto estimate = [](const point&, const anodiff::noise_level&) { return point{1, 0}; };
  const auto nothing = [] { return point{}; };
  const point first = run_program(program, point{start.alpha, start.sigma}, estimate, nothing);
  double drawn = 0;
  for (std::size_t i = 0; i < program.size(); ++i) {
    if (program[i].noise_weight == 0) continue;
    // a unit of noise drawn in stage i, followed to the end
    std::size_t stage = 0;
    std::vector<anodiff::stage> alone(program.begin(), program.end());
    for (auto& s : alone) s.noise_weight = stage++ == i ? s.noise_weight : 0;
    const auto one = [](auto&&...) { return std::array<double, 1>{0}; };
    const double end = run_program(std::span<const anodiff::stage>{alone}, std::array<double, 1>{0}, one,
                                   [] { return std::array<double, 1>{1}; })[0];
    drawn += end * end;
  }
  return {first[0], first[1], drawn};
}

/// The laws of concepts/sampler.hpp for one list of levels, noisiest first.
template <anodiff::sampler S>
void check_sampler(const S& sampler, const std::vector<anodiff::noise_level>& levels) {
  const auto program = sampler.program(levels);
  REQUIRE(!program.empty());
  CHECK(program.front().at == levels.front());
  bool finite = true, draws = false;
  for (const auto& s : program) {
    for (const double w : {s.x_weight, s.saved_weight, s.clean_weight, s.noise_weight, s.past_weight[0],
                           s.past_weight[1], s.past_weight[2]})
      finite = finite && std::isfinite(w);
    draws = draws || s.noise_weight != 0;
  }
  CHECK(finite);
  if (sampler.deterministic()) CHECK(!draws);
  if (levels.back() == anodiff::clean_level) {
    const auto& last = program.back();
    CHECK(last.clean_weight == Approx(1).epsilon(1e-12));
    CHECK(std::abs(last.x_weight) + std::abs(last.saved_weight) + last.noise_weight + std::abs(last.past_weight[0]) +
              std::abs(last.past_weight[1]) + std::abs(last.past_weight[2]) ==
          0);
  }
  // with a perfect estimate the run ends at the signal of its last level
  CHECK(response(program).clean == Approx(levels.back().alpha).epsilon(1e-10));
}

/// Errors of a deterministic sampler on the oracle for doubling numbers of steps, from lambda −4 to 3.
struct convergence {
  std::vector<std::size_t> steps;
  std::vector<double> error;
  /// log2 of the last ratio of errors.
  [[nodiscard]] double slope() const { return std::log2(error[error.size() - 2] / error.back()); }
  [[nodiscard]] std::string table() const {
    std::string out = "   steps        error  slope";
    for (std::size_t i = 0; i < steps.size(); ++i) {
      char line[64];
      std::snprintf(line, sizeof line, "\n%8zu %12.4e %6.3f", steps[i], error[i],
                    i == 0 ? 0.0 : std::log2(error[i - 1] / error[i]));
      out += line;
    }
    return out;
  }
};
template <anodiff::sampler S>
[[nodiscard]] convergence converge(const S& sampler, const gaussian_oracle& oracle, std::size_t most = 512) {
  convergence out;
  for (std::size_t n = 8; n <= most; n *= 2) {
    const auto levels = even_in_lambda(-4, 3, n);
    const auto program = sampler.program(levels);
    double worst = 0;
    for (const gaussian_oracle::point x : {gaussian_oracle::point{1.5, 0.3}, {-0.7, 2.0}, {0.1, -1.2}}) {
      const auto got = run_program(
          std::span<const anodiff::stage>{program}, x,
          [&](const auto& at, const auto& level) { return oracle.clean(at, level); },
          [] { return gaussian_oracle::point{}; });
      const auto want = oracle.flow(x, levels.front(), levels.back());
      worst = std::max(worst, std::hypot(got[0] - want[0], got[1] - want[1]));
    }
    out.steps.push_back(n);
    out.error.push_back(worst);
  }
  return out;
}

}  // namespace laws
