// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/objectives/squared_error.hpp>
#include <vector>

namespace anodiff::objectives {

struct contrastive_params {
  double weight = 0.1;  ///< of the contrast beside the squared error; 0 leaves each sample once in a batch; [0, 1e6]
  double temperature = 0.5;  ///< by which similarities are divided; [0.01, 100]

  static constexpr void fields(auto& self, auto&& field) {
    field("weight", self.weight);
    field("temperature", self.temperature);
  }
};

/// Squared error, and the contrast of samples: what the network gives for a sample at one noise level should be more
/// like what it gives for the same sample at another than like what it gives for others. That is −log of the other
/// view's share among e^(cosine / temperature) of all rows (van den Oord et al. 2018, arXiv:1807.03748, eq. 4; Chen et
/// al. 2020, arXiv:2002.05709, eq. 1). DDAE-C (2025, arXiv:2508.00758) contrasts inside its encoder; here the outputs
/// are contrasted, which every network has.
class contrastive {
 public:
  using params = contrastive_params;
  static constexpr std::string_view name = "contrastive";

  explicit contrastive(params p = {}) : params_{p} {
    check(p.weight >= 0 && p.weight <= 1e6, "objectives::contrastive: weight must lie in [0, 1e6], got ", p.weight);
    check(p.temperature >= 0.01 && p.temperature <= 100,
          "objectives::contrastive: temperature must lie in [0.01, 100], got ", p.temperature);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] index views() const noexcept { return params_.weight > 0 ? 2 : 1; }

  [[nodiscard]] double weigh(noise_level level, double clean_per_output) const noexcept {
    return squared_error{}.weigh(level, clean_per_output);
  }
  template <class Engine>
  void measure(Engine& engine, const objective_batch<typename Engine::real>& b) const {
    squared_error{}.measure(engine, b);
    if (b.views == 2 && params_.weight > 0 && b.rows > 2) contrast(b);
  }

 private:
  template <class T>
  void contrast(const objective_batch<T>& b) const {
    thread_local std::vector<double> unit, length, share, pull;  // a step allocates nothing once they have grown
    const auto n = static_cast<std::size_t>(b.rows), d = static_cast<std::size_t>(b.row_size);
    unit.resize(n * d);
    length.resize(n);
    share.resize(n * n);
    pull.resize(d);
    for (std::size_t i = 0; i < n; ++i) {
      double square = 0;
      for (std::size_t j = 0; j < d; ++j) {
        unit[i * d + j] = static_cast<double>(b.output[i * d + j]);
        square += unit[i * d + j] * unit[i * d + j];
      }
      length[i] = std::max(std::sqrt(square), least_length);
      for (std::size_t j = 0; j < d; ++j) unit[i * d + j] /= length[i];
    }
    for (std::size_t i = 0; i < n; ++i) {  // row i of share: the derivatives of its loss by its similarities
      double* const row = share.data() + i * n;
      double sum = 0;
      for (std::size_t k = 0; k < n; ++k) {
        double cosine = 0;
        for (std::size_t j = 0; j < d; ++j) cosine += unit[i * d + j] * unit[k * d + j];
        row[k] = k == i ? 0 : std::exp((cosine - 1) / params_.temperature);
        sum += row[k];
      }
      const std::size_t other = i ^ 1;
      b.row_loss[i] -= params_.weight * std::log(row[other] / sum);
      for (std::size_t k = 0; k < n; ++k) row[k] /= sum;
      row[other] -= 1;
    }
    if (b.gradient == nullptr) return;
    const double factor = params_.weight / params_.temperature / static_cast<double>(n);
    for (std::size_t i = 0; i < n; ++i) {
      std::fill(pull.begin(), pull.end(), 0.0);
      for (std::size_t k = 0; k < n; ++k) {
        const double both = share[i * n + k] + share[k * n + i];
        for (std::size_t j = 0; j < d; ++j) pull[j] += both * unit[k * d + j];
      }
      double along = 0;  // what only lengthens changes no cosine
      for (std::size_t j = 0; j < d; ++j) along += pull[j] * unit[i * d + j];
      for (std::size_t j = 0; j < d; ++j)
        b.gradient[i * d + j] += static_cast<T>(factor / length[i] * (pull[j] - along * unit[i * d + j]));
    }
  }
  static constexpr double least_length = 1e-9;  ///< of an output that has a direction

  params params_;
};

}  // namespace anodiff::objectives
