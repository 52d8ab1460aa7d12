// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/concepts/sampler.hpp>
#include <array>
#include <cmath>

namespace anodiff::samplers {

/// Values that a polynomial through past and present estimates can have: those of a stage and its past.
inline constexpr std::size_t most_nodes = stage::past_slots + 1;

/// Weights of the estimates at the nodes, or integrals of τ⁰ … τ³.
using node_weights = std::array<double, most_nodes>;

namespace solver {

/// ∫₀ʰ τᵏ e^{τ − h} dτ for k = 0 … 3; h > 0, +infinity for k = 0 alone. By a series without cancellation for small h,
/// by parts for large.
[[nodiscard]] inline node_weights growing_moments(double h) noexcept {
  node_weights m{};
  m[0] = -std::expm1(-h);
  if (std::isinf(h)) return m;
  for (std::size_t k = 1; k < m.size(); ++k) {
    if (h > 2) {
      m[k] = std::pow(h, static_cast<double>(k)) - static_cast<double>(k) * m[k - 1];
      continue;
    }
    double sum = 0, term = std::exp(-h) * std::pow(h, static_cast<double>(k + 1));
    for (std::size_t n = 0; n < 40; ++n) {
      sum += term / static_cast<double>(n + k + 1);
      term *= h / static_cast<double>(n + 1);
    }
    m[k] = sum;
  }
  return m;
}

/// ∫₀ʰ τᵏ e^{−τ} dτ for k = 0 … 3; h > 0, +infinity allowed. By the same means.
[[nodiscard]] inline node_weights falling_moments(double h) noexcept {
  node_weights m{};
  m[0] = -std::expm1(-h);
  for (std::size_t k = 1; k < m.size(); ++k) {
    if (h > 2) {
      const double edge = std::isinf(h) ? 0 : std::pow(h, static_cast<double>(k)) * std::exp(-h);
      m[k] = static_cast<double>(k) * m[k - 1] - edge;
      continue;
    }
    double sum = 0, term = std::exp(-h) * std::pow(h, static_cast<double>(k + 1)) / static_cast<double>(k + 1);
    for (std::size_t n = 0; n < 40; ++n) {
      sum += term;
      term *= h / static_cast<double>(n + k + 2);
    }
    m[k] = sum;
  }
  return m;
}

/// Σ_k of coefficient times moment for each Lagrange polynomial over nodes[0 … count − 1].
[[nodiscard]] inline node_weights lagrange_integrals(const node_weights& nodes, std::size_t count,
                                                     const node_weights& moments) noexcept {
  node_weights out{};
  for (std::size_t j = 0; j < count; ++j) {
    node_weights polynomial{1};
    for (std::size_t i = 0, degree = 0; i < count; ++i) {
      if (i == j) continue;
      ++degree;
      const double scale = 1 / (nodes[j] - nodes[i]);
      for (std::size_t k = degree + 1; k-- > 0;)
        polynomial[k] = scale * ((k > 0 ? polynomial[k - 1] : 0) - nodes[i] * polynomial[k]);
    }
    for (std::size_t k = 0; k < count; ++k) out[j] += polynomial[k] * moments[k];
  }
  return out;
}

}  // namespace solver

/// The exact step in the clean estimate, x' = (sigma' / sigma) x + alpha' Σ_j w[j] clean_j, for estimates on a
/// polynomial in lambda through `count` nodes; node j lies nodes[j] after the step's start, and h is the step. Lu et
/// al. 2022, arXiv:2211.01095, eq. 9. At h = +infinity count must be 1.
[[nodiscard]] inline node_weights clean_form_weights(double h, const node_weights& nodes, std::size_t count) noexcept {
  return solver::lagrange_integrals(nodes, count, solver::growing_moments(h));
}

/// The exact step in the noise, x' = (alpha' / alpha) x − (alpha' sigma / alpha) Σ_j w[j] ε_j. Lu et al. 2022,
/// arXiv:2206.00927, eq. 3.4, with the factor taken to the step's start, so that h = +infinity has finite weights.
[[nodiscard]] inline node_weights noise_form_weights(double h, const node_weights& nodes, std::size_t count) noexcept {
  return solver::lagrange_integrals(nodes, count, solver::falling_moments(h));
}

/// Which step of a run: what the order of a multistep solver depends on.
struct step_place {
  std::size_t step;     ///< from 0
  std::size_t steps;    ///< of the run
  bool low_order_end;   ///< short runs end with steps of order 2 and 1
  bool from_no_signal;  ///< the first level has alpha = 0, infinitely far in lambda: it is no node
  bool to_clean;        ///< the step ends at sigma = 0, infinitely far in lambda
};

/// Runs of fewer steps gain from low orders at their end. Lu et al. 2022, arXiv:2211.01095, appendix; the number is
/// that of diffusers.
inline constexpr std::size_t short_run = 15;

/// The order of a step of a multistep solver: as high as history and end allow.
[[nodiscard]] inline std::size_t order_of(std::size_t order, const step_place& at) noexcept {
  if (at.to_clean) return 1;
  std::size_t most =
      std::max<std::size_t>(1, at.step + 1 - (at.from_no_signal ? std::min<std::size_t>(at.step, 1) : 0));
  if (at.low_order_end && at.steps < short_run) most = std::min(most, at.steps - at.step);
  return std::min(order, most);
}

namespace solver {

[[nodiscard]] inline step_place place_of(std::span<const noise_level> levels, std::size_t step,
                                         bool low_order_end) noexcept {
  return {step, levels.size() - 1, low_order_end, levels.front().alpha == 0, levels[step + 1].sigma == 0};
}

/// The step in lambda from level i; +infinity to the clean end or from pure noise.
[[nodiscard]] inline double width(std::span<const noise_level> levels, std::size_t i) noexcept {
  return levels[i + 1].lambda() - levels[i].lambda();
}

/// Where the last `count` levels up to i lie, in lambda, from level i.
[[nodiscard]] inline node_weights past_nodes(std::span<const noise_level> levels, std::size_t i,
                                             std::size_t count) noexcept {
  node_weights nodes{};
  for (std::size_t j = 1; j < count; ++j) nodes[j] = levels[i - j].lambda() - levels[i].lambda();
  return nodes;
}

/// Adds estimate_weights, present first, to the clean estimate and the past of a stage.
inline void add_estimates(stage& s, const node_weights& weights, double factor) noexcept {
  s.clean_weight += factor * weights[0];
  for (std::size_t k = 0; k < stage::past_slots; ++k) s.past_weight[k] += factor * weights[k + 1];
}

/// Makes a stage keep the noise ε = (x − alpha clean) / sigma.
inline void keep_noise(stage& s) noexcept {
  s.keep_x = 1 / s.at.sigma;
  s.keep_clean = -s.at.alpha / s.at.sigma;
}

/// Makes a stage whose estimate weights are meant for the noise ε = (x − alpha clean) / sigma keep and read it.
inline void turn_to_noise(stage& s) noexcept {
  s.x_weight += s.clean_weight / s.at.sigma;
  s.clean_weight *= -s.at.alpha / s.at.sigma;
  keep_noise(s);
}

}  // namespace solver
}  // namespace anodiff::samplers
