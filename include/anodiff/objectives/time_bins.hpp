// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/objectives/measure_times.hpp>
#include <array>
#include <cmath>

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
  void measure(Engine& engine, const time_batch<typename Engine::real>& b) const {
    measure_times(*this, engine, b);
  }
  /// The loss of one row (count), and its gradient times `scale` where one is wanted.
  template <class T>
  [[nodiscard]] ANODIFF_HD double measure(const T* row, index count, index, double share, double, double scale,
                                          T* gradient) const noexcept {
    const auto found = static_cast<index>(static_cast<double>(count) * share),
               right = found < count ? found : count - 1;
    const double sum = log_sum(count, [row](index k) { return static_cast<double>(row[k]); });
    const auto p = [row, sum](index k) { return std::exp(static_cast<double>(row[k]) - sum); };
    if (params_.loss == bins_loss::cross_entropy) {
      for (index k = 0; gradient != nullptr && k < count; ++k)
        gradient[k] = static_cast<T>((p(k) - (k == right ? 1 : 0)) * scale);
      return sum - static_cast<double>(row[right]);
    }
    // through the second soft-max q, then through the first: p (g − g·p) with g = q − 1 at the right bin
    const double outer = log_sum(count, p);
    const auto g = [=](index k) { return std::exp(p(k) - outer) - (k == right ? 1 : 0); };
    double mean = 0;
    for (index k = 0; gradient != nullptr && k < count; ++k) mean += g(k) * p(k);
    for (index k = 0; gradient != nullptr && k < count; ++k) gradient[k] = static_cast<T>(p(k) * (g(k) - mean) * scale);
    return outer - p(right);
  }
  /// In [0, bins − 1].
  [[nodiscard]] double read(std::span<const float> output, std::span<float> slope) const noexcept {
    const double sum = log_sum(static_cast<index>(output.size()),
                               [&](index k) { return static_cast<double>(output[static_cast<std::size_t>(k)]); });
    double mean = 0;
    for (std::size_t k = 0; k < output.size(); ++k)
      mean += static_cast<double>(k) * std::exp(static_cast<double>(output[k]) - sum);
    for (std::size_t k = 0; k < output.size(); ++k)
      slope[k] = static_cast<float>(std::exp(static_cast<double>(output[k]) - sum) * (static_cast<double>(k) - mean));
    return mean;
  }

 private:
  /// log Σ e^of(k).
  template <class F>
  [[nodiscard]] ANODIFF_HD static double log_sum(index count, F&& of) noexcept {
    double most = of(0), sum = 0;
    for (index k = 1; k < count; ++k) most = of(k) > most ? of(k) : most;
    for (index k = 0; k < count; ++k) sum += std::exp(of(k) - most);
    return most + std::log(sum);
  }
  params params_;
};

}  // namespace anodiff::objectives
