// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/engines/cpu.hpp>
#include <anodiff/objectives/batch_rejection.hpp>
#include <anodiff/objectives/contrastive.hpp>
#include <anodiff/objectives/hybrid.hpp>
#include <anodiff/objectives/inverse_gamma.hpp>
#include <anodiff/objectives/mixed_error.hpp>
#include <anodiff/objectives/pseudo_huber.hpp>
#include <anodiff/objectives/squared_error.hpp>
#include <anodiff/objectives/time_bins.hpp>
#include <anodiff/objectives/time_regression.hpp>
#include "policy_laws.hpp"

namespace laws {

using all_objectives =
    std::tuple<anodiff::objectives::batch_rejection, anodiff::objectives::contrastive, anodiff::objectives::mixed_error,
               anodiff::objectives::pseudo_huber, anodiff::objectives::squared_error>;

using all_time_objectives = std::tuple<anodiff::objectives::inverse_gamma, anodiff::objectives::time_bins,
                                       anodiff::objectives::time_regression>;

using all_variance_objectives = std::tuple<anodiff::objectives::hybrid>;

/// Outputs and targets with memory of their own.
template <class Engine>
struct measured {
  using real = typename Engine::real;
  index n, d;
  std::vector<real> output, target, weight, gradient;
  std::vector<std::int32_t> level;
  std::vector<double> row_loss;

  measured(index rows, index row_size, std::vector<real> weights)
      : n{rows},
        d{row_size},
        weight{std::move(weights)},
        gradient(static_cast<std::size_t>(n * d)),
        row_loss(static_cast<std::size_t>(n)) {
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      output.push_back(static_cast<real>(uniform(5, i, -2, 2)));
      target.push_back(static_cast<real>(uniform(6, i, -2, 2)));
    }
    for (std::size_t i = 0; i < row_loss.size(); ++i) level.push_back(static_cast<std::int32_t>(i % weight.size()));
  }
  /// Measures, and returns the mean loss.
  template <class O>
  double run(const O& objective, Engine& engine, bool gradients = true) {
    objective.measure(engine, {output.data(), target.data(), weight.data(), level.data(), row_loss.data(),
                               gradients ? gradient.data() : nullptr, n, d});
    double sum = 0;
    for (const double l : row_loss) sum += l;
    return sum / static_cast<double>(n);
  }
};

/// The laws of concepts/objective.hpp, the gradient by central differences in double.
template <class O>
void check_objective(const O& objective, index n, index d) {
  using engine_type = anodiff::basic_cpu_engine<double>;
  engine_type engine{1};
  measured<engine_type> m{n, d, {1.0, 0.25, 3.0}};
  const double loss = m.run(objective, engine);
  CHECK(loss > 0);
  const auto gradient = m.gradient;
  double worst = 0;
  for (std::size_t i = 0; i < m.output.size(); ++i) {
    const double kept = m.output[i], step = 1e-5;
    m.output[i] = kept + step;
    const double above = m.run(objective, engine, false);
    m.output[i] = kept - step;
    const double below = m.run(objective, engine, false);
    m.output[i] = kept;
    worst = std::max(worst, std::abs((above - below) / (2 * step) - gradient[i]));
  }
  CHECK(worst < 1e-9);
  CHECK(m.run(objective, engine, false) == loss);  // the loss alone is the same loss
  CHECK(m.gradient == gradient);                   // and leaves the gradient alone

  for (const int threads : {2, 3}) {
    engine_type more{threads};
    measured<engine_type> other{n, d, {1.0, 0.25, 3.0}};
    (void)other.run(objective, more);
    CHECK(other.row_loss == m.row_loss);
    CHECK(other.gradient == gradient);
  }
  m.output = m.target;
  CHECK(m.run(objective, engine) == 0);
  CHECK(std::all_of(m.gradient.begin(), m.gradient.end(), [](double g) { return g == 0; }));
}

/// The laws of a time objective: the gradient and the slope of what is read, by central differences.
template <class O>
void check_time_objective(const O& objective, index n) {
  anodiff::basic_cpu_engine<double> engine{1};
  const index outputs = objective.outputs();
  const auto size = static_cast<std::size_t>(n * outputs);
  std::vector<double> output(size), gradient(size), row_loss(static_cast<std::size_t>(n));
  const std::vector<double> share{0, 0.45, 0.999}, sigma{0.3, 0.6, 1.1};
  std::vector<std::int32_t> level;
  for (std::size_t i = 0; i < size; ++i) output[i] = uniform(5, i, -2, 2);
  for (index i = 0; i < n; ++i) level.push_back(static_cast<std::int32_t>(i % 3));
  const auto loss = [&](double* to) {
    objective.measure(engine, anodiff::time_batch<double>{output.data(), share.data(), sigma.data(), level.data(),
                                                          row_loss.data(), to, n, outputs, 6});
    double sum = 0;
    for (const double l : row_loss) sum += l;
    return sum / static_cast<double>(n);
  };
  const double whole = loss(gradient.data());
  CHECK(std::isfinite(whole));
  double worst = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const double kept = output[i], step = 1e-5;
    output[i] = kept + step;
    const double above = loss(nullptr);
    output[i] = kept - step;
    const double below = loss(nullptr);
    output[i] = kept;
    worst =
        std::max(worst, std::abs((above - below) / (2 * step) - gradient[i]) / std::max(1.0, std::abs(gradient[i])));
  }
  CHECK(worst < 1e-8);
  CHECK(loss(nullptr) == whole);

  const auto wide = static_cast<std::size_t>(outputs);
  std::vector<float> row(wide), slope(wide), unused(wide);
  for (std::size_t k = 0; k < wide; ++k) row[k] = static_cast<float>(uniform(7, k, 0.1, 2));
  (void)objective.read(row, slope);
  for (std::size_t k = 0; k < wide; ++k) {
    const float kept = row[k], step = 1.0F / 512;
    row[k] = kept + step;
    const double above = objective.read(row, unused);
    row[k] = kept - step;
    const double below = objective.read(row, unused);
    row[k] = kept;
    CHECK((above - below) * 256 == Approx(static_cast<double>(slope[k])).margin(1e-3));
  }
}

}  // namespace laws
