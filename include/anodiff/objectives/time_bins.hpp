// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/concepts/objective.hpp>
#include <array>
#include <cmath>
#include <vector>

namespace anodiff::objectives {

/// cross_entropy: of the right bin under p. bounded: that of the soft-max of p itself, as the published code has it; no
/// row's loss exceeds log(1 + (bins − 1) e), so that bins which noise alone cannot tell apart do not drive the outputs
/// apart.
enum class bins_loss { cross_entropy, bounded };
[[nodiscard]] constexpr std::array<std::string_view, 2> names_of(bins_loss) { return {"cross_entropy", "bounded"}; }

struct time_bins_params {
  index bins = 7;  ///< equal stretches of the schedule; [2, 4096]
  bins_loss loss = bins_loss::bounded;

  static constexpr void fields(auto& self, auto&& field) {
    field("bins", self.bins);
    field("loss", self.loss);
  }
};

/// Which stretch of the schedule a row's noise comes from, as classes: bin ⌊bins · t / T⌋ under the outputs' soft-max
/// p; the estimate is the mean bin Σ k p_k. Livernoche et al. 2023 (DTE-C), arXiv:2305.18593, section 4.3.
class time_bins {
 public:
  using params = time_bins_params;
  static constexpr std::string_view name = "time_bins";

  explicit time_bins(params p = {}) : params_{p} {
    check(p.bins >= 2 && p.bins <= 4096, "objectives::time_bins: bins must lie in [2, 4096], got ", p.bins);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] index outputs() const noexcept { return params_.bins; }

  template <class Engine>
  void measure(Engine&, const time_batch<typename Engine::real>& b) const {
    using real = typename Engine::real;
    thread_local std::vector<double> p, slope;  // a step allocates nothing once they have grown
    p.resize(static_cast<std::size_t>(b.outputs));
    slope.resize(p.size());
    for (index i = 0; i < b.rows; ++i) {
      const real* const row = b.output + i * b.outputs;
      const auto right =
          std::min(p.size() - 1, static_cast<std::size_t>(static_cast<double>(b.outputs) * b.share[b.level[i]]));
      const double sum = log_sum(row, b.outputs);
      for (std::size_t k = 0; k < p.size(); ++k) p[k] = std::exp(static_cast<double>(row[k]) - sum);
      if (params_.loss == bins_loss::cross_entropy) {
        b.row_loss[i] = sum - static_cast<double>(row[right]);
        for (std::size_t k = 0; k < p.size(); ++k) slope[k] = p[k] - (k == right ? 1 : 0);
      } else {  // through the second soft-max q, then through the first: p (g − g·p) with g = q − 1 at the right bin
        const double outer = log_sum(p.data(), b.outputs);
        b.row_loss[i] = outer - p[right];
        double mean = 0;
        for (std::size_t k = 0; k < p.size(); ++k) {
          slope[k] = std::exp(p[k] - outer) - (k == right ? 1 : 0);
          mean += slope[k] * p[k];
        }
        for (std::size_t k = 0; k < p.size(); ++k) slope[k] = p[k] * (slope[k] - mean);
      }
      if (b.gradient != nullptr)
        for (std::size_t k = 0; k < p.size(); ++k)
          b.gradient[i * b.outputs + static_cast<index>(k)] = static_cast<real>(slope[k] / static_cast<double>(b.rows));
    }
  }
  /// In [0, bins − 1].
  [[nodiscard]] double read(std::span<const float> output, std::span<float> slope) const noexcept {
    const double sum = log_sum(output.data(), static_cast<index>(output.size()));
    double mean = 0;
    for (std::size_t k = 0; k < output.size(); ++k)
      mean += static_cast<double>(k) * std::exp(static_cast<double>(output[k]) - sum);
    for (std::size_t k = 0; k < output.size(); ++k)
      slope[k] = static_cast<float>(std::exp(static_cast<double>(output[k]) - sum) * (static_cast<double>(k) - mean));
    return mean;
  }

 private:
  /// log Σ e^row.
  template <class T>
  [[nodiscard]] static double log_sum(const T* row, index count) noexcept {
    const auto most = static_cast<double>(*std::max_element(row, row + count));
    double sum = 0;
    for (index k = 0; k < count; ++k) sum += std::exp(static_cast<double>(row[k]) - most);
    return most + std::log(sum);
  }
  params params_;
};

}  // namespace anodiff::objectives
