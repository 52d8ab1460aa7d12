// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/calibration/conformal.hpp>
#include <anodiff/core/tensor.hpp>

namespace anodiff::calibration {

struct early_decision_params {
  double alpha = 0.05;  ///< promised rate of false alarms of the whole sum; in (0, 1)
  double error = 0.02;  ///< share of normal rows that may be let go though the whole sum would be an alarm; [0, 1)

  static constexpr void fields(auto& self, auto&& field) {
    field("alpha", self.alpha);
    field("error", self.error);
  }
};

/// Decides on a sum of terms that are never negative, one term after another. Once the sum exceeds the threshold it is
/// an alarm whatever follows. A row is let go where the sum so far and a bound on the rest stay below the threshold:
/// the bound is the conformal quantile of the rest over normal rows at error / (terms − 1), so that by the union bound
/// a normal row is decided otherwise than by the whole sum with a probability of at most `error` (Vovk et al. 2005). Of
/// anomalies this promises nothing: one that shows in the last terms alone can be let go.
class early_decision {
 public:
  using params = early_decision_params;
  enum class verdict { open, normal, alarm };

  class fitted {
   public:
    [[nodiscard]] double threshold() const noexcept { return threshold_; }
    /// What the terms after the first `seen` add for normal rows; infinite where too few rows support a bound.
    [[nodiscard]] double rest(index seen) const noexcept { return rest_[static_cast<std::size_t>(seen) - 1]; }
    [[nodiscard]] index terms() const noexcept { return static_cast<index>(rest_.size()); }
    /// Of a sum of the first `seen` terms, 1 … terms().
    [[nodiscard]] verdict decide(double sum, index seen) const noexcept {
      if (sum > threshold_) return verdict::alarm;
      return sum + rest(seen) <= threshold_ ? verdict::normal : verdict::open;
    }

   private:
    friend class early_decision;
    double threshold_ = 0;
    std::vector<double> rest_;
  };

  explicit early_decision(params p = {}) : params_{p} {
    check(p.alpha > 0 && p.alpha < 1, "calibration::early_decision: alpha must lie in (0, 1), got ", p.alpha);
    check(p.error >= 0 && p.error < 1, "calibration::early_decision: error must lie in [0, 1), got ", p.error);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }

  /// From the terms (n, terms) of normal rows that the model has not learned from. Throws invalid_argument for no term
  /// or a negative one, and where n rows cannot support alpha.
  [[nodiscard]] fitted fit(tensor_view<const double, 2> terms) const {
    const index n = terms.rows(), count = terms.row_size();
    check(count >= 1, "calibration::early_decision: needs at least one term, got none");
    for (const double t : terms.flat())
      check(t >= 0, "calibration::early_decision: terms must not be negative, got ", t);
    fitted out;
    const double share = count > 1 ? params_.error / static_cast<double>(count - 1) : 0;
    std::vector<double> rest(static_cast<std::size_t>(n), 0);
    out.rest_.assign(static_cast<std::size_t>(count), 0);
    for (index v = count; v-- > 0;) {
      if (v + 1 < count) {
        auto sorted = rest;
        std::ranges::sort(sorted);
        const auto beyond = static_cast<index>(share * static_cast<double>(n + 1) * (1 + 1e-12));
        out.rest_[static_cast<std::size_t>(v)] =
            beyond >= 1 ? sorted[static_cast<std::size_t>(n - beyond)] : std::numeric_limits<double>::infinity();
      }
      for (index i = 0; i < n; ++i) rest[static_cast<std::size_t>(i)] += terms(i, v);
    }
    out.threshold_ = conformal::fitted{std::move(rest), params_.alpha}.threshold();
    return out;
  }

 private:
  params params_;
};

}  // namespace anodiff::calibration
