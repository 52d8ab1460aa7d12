// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/calibration/conformal.hpp>
#include <anodiff/calibration/placed_scores.hpp>
#include <anodiff/concepts/place_calibrator.hpp>

namespace anodiff::calibration {

struct local_conformal_params {
  double alpha = 0.05;     ///< promised rate of false alarms; in (0, 1)
  index neighbours = 20;   ///< rows that say what is usual at a place; at least 2
  double share = 0.5;      ///< of the calibration rows that teach what is usual; the others decide; (0, 1)
  double shrinkage = 0.1;  ///< how much of the scores' deviation everywhere is added to that at a place; above 0

  static constexpr void fields(auto& self, auto&& field) {
    field("alpha", self.alpha);
    field("neighbours", self.neighbours);
    field("share", self.share);
    field("shrinkage", self.shrinkage);
  }
};

/// A threshold that knows how dense the normal rows lie: the score is measured against those of the nearest calibration
/// rows, (s − their mean) / their deviation, and conformal p-values are taken of that. Where normal rows are sparse
/// and score high as a rule, fewer alarms are raised; where they are dense, more. The rate holds over all rows as
/// that of `conformal` does, for the rows that teach are not those that decide. Lei et al. 2018, arXiv:1604.04173,
/// section 5.2 (locally weighted conformal). Throws as conformal does, for the deciding rows.
class local_conformal {
 public:
  using params = local_conformal_params;
  static constexpr std::string_view name = "local_conformal";

  class fitted {
   public:
    fitted() = default;
    fitted(std::span<const double> scores, tensor_view<const float, 2> rows, const params& p)
        : params_{p}, placed_{"calibration::local_conformal", scores, rows, p.share} {
      check(placed_.learn.size() >= 2, "calibration::local_conformal: needs at least 2 rows that teach, got ",
            placed_.learn.size(), " of ", scores.size());
      const usual everywhere = of(placed_.learn);
      floor_ = p.shrinkage * (everywhere.deviation > 0 ? everywhere.deviation : 1);
      std::vector<double> strange, thresholds;
      for (const index i : placed_.decide) {
        const usual here = at(placed_.rows.row(i));
        strange.push_back((placed_.scores[static_cast<std::size_t>(i)] - here.mean) / here.deviation);
      }
      decision_ = conformal::fitted{std::move(strange), p.alpha};
      for (const index i : placed_.decide) thresholds.push_back(threshold(placed_.rows.row(i)));
      std::ranges::nth_element(thresholds, thresholds.begin() + static_cast<std::ptrdiff_t>(thresholds.size() / 2));
      typical_ = thresholds[thresholds.size() / 2];
    }
    [[nodiscard]] double p_value(double score, std::span<const float> row) const {
      const usual here = at(row);
      return decision_.p_value((score - here.mean) / here.deviation);
    }
    [[nodiscard]] double threshold(std::span<const float> row) const {
      const usual here = at(row);
      return here.mean + decision_.threshold() * here.deviation;
    }
    /// The middle one among the calibration rows' places.
    [[nodiscard]] double threshold() const noexcept { return typical_; }
    [[nodiscard]] double promised() const noexcept { return params_.alpha; }
    [[nodiscard]] std::span<const double> scores() const noexcept { return placed_.scores; }
    [[nodiscard]] tensor_view<const float, 2> rows() const noexcept { return placed_.rows.view(); }

   private:
    struct usual {
      double mean, deviation;
    };
    [[nodiscard]] usual of(std::span<const index> places) const noexcept {
      const auto n = static_cast<double>(places.size());
      double mean = 0, square = 0;
      for (const index i : places) mean += placed_.scores[static_cast<std::size_t>(i)] / n;
      for (const index i : places) {
        const double off = placed_.scores[static_cast<std::size_t>(i)] - mean;
        square += off * off / n;
      }
      return {mean, std::sqrt(square) + floor_};
    }
    /// What is usual among the nearest rows that teach; of equally near ones, among the first.
    [[nodiscard]] usual at(std::span<const float> row) const {
      std::vector<std::pair<double, index>> near;
      for (const index i : placed_.learn) near.emplace_back(square_distance(row, placed_.rows.row(i)), i);
      const auto k = std::min(near.size(), static_cast<std::size_t>(params_.neighbours));
      std::partial_sort(near.begin(), near.begin() + static_cast<std::ptrdiff_t>(k), near.end());
      std::vector<index> places;
      for (std::size_t i = 0; i < k; ++i) places.push_back(near[i].second);
      return of(places);
    }
    params params_;
    placed_scores placed_;
    double floor_ = 0, typical_ = 0;
    conformal::fitted decision_;
  };

  explicit local_conformal(params p = {}) : params_{p} {
    check(p.alpha > 0 && p.alpha < 1, "calibration::local_conformal: alpha must lie in (0, 1), got ", p.alpha);
    check(p.neighbours >= 2, "calibration::local_conformal: neighbours must be at least 2, got ", p.neighbours);
    check(p.share > 0 && p.share < 1, "calibration::local_conformal: share must lie in (0, 1), got ", p.share);
    check(p.shrinkage > 0, "calibration::local_conformal: shrinkage must be above 0, got ", p.shrinkage);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  void check_count(index n) const {
    check_rate("calibration::local_conformal", params_.alpha, placed_scores::deciding(n, params_.share), n);
  }
  [[nodiscard]] fitted fit(std::span<const double> scores, tensor_view<const float, 2> rows) const {
    return {scores, rows, params_};
  }

 private:
  params params_;
};
static_assert(place_calibrator<local_conformal>);

}  // namespace anodiff::calibration
