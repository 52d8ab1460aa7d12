// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/calibration/conformal.hpp>
#include <anodiff/calibration/placed_scores.hpp>
#include <anodiff/concepts/place_calibrator.hpp>
#include <limits>

namespace anodiff::calibration {

struct prototype_conformal_params {
  double alpha = 0.05;   ///< promised rate of false alarms; in (0, 1)
  index prototypes = 8;  ///< kinds of normal rows, at most as many as rows that teach; [1, 4096]
  double share = 0.3;    ///< of the calibration rows that place the prototypes; the others decide; (0, 1)

  static constexpr void fields(auto& self, auto&& field) {
    field("alpha", self.alpha);
    field("prototypes", self.prototypes);
    field("share", self.share);
  }
};

/// A threshold for each kind of normal row: the rows that teach are summed up by prototypes (k-means; Lloyd 1982, from
/// seeds far apart), a row belongs to the nearest, and its p-value counts the deciding rows of the same prototype. The
/// rate holds within each kind, not only over all: Vovk 2012, arXiv:1209.2673 (label-conditional inductive conformal
/// predictors). A kind with too few deciding rows for the rate is judged by all of them. Throws as conformal does.
class prototype_conformal {
 public:
  using params = prototype_conformal_params;
  static constexpr std::string_view name = "prototype_conformal";

  class fitted {
   public:
    fitted() = default;
    fitted(std::span<const double> scores, tensor_view<const float, 2> rows, const params& p)
        : alpha_{p.alpha}, placed_{"calibration::prototype_conformal", scores, rows, p.share} {
      find_prototypes(std::min(static_cast<std::size_t>(p.prototypes), std::max<std::size_t>(1, placed_.learn.size())));
      std::vector<std::vector<double>> kinds(prototypes_.size());
      std::vector<double> all;
      for (const index i : placed_.decide) {
        all.push_back(placed_.scores[static_cast<std::size_t>(i)]);
        kinds[nearest(placed_.rows.row(i))].push_back(all.back());
      }
      all_ = conformal::fitted{std::move(all), p.alpha};
      for (auto& kind : kinds) {
        const bool enough = p.alpha * static_cast<double>(kind.size() + 1) * (1 + 1e-12) >= 1;
        kinds_.push_back(enough ? conformal::fitted{std::move(kind), p.alpha} : all_);
      }
    }
    [[nodiscard]] double p_value(double score, std::span<const float> row) const {
      return kinds_[nearest(row)].p_value(score);
    }
    [[nodiscard]] double threshold(std::span<const float> row) const { return kinds_[nearest(row)].threshold(); }
    /// That of all rows together.
    [[nodiscard]] double threshold() const noexcept { return all_.threshold(); }
    [[nodiscard]] double promised() const noexcept { return alpha_; }
    [[nodiscard]] std::span<const double> scores() const noexcept { return placed_.scores; }
    [[nodiscard]] tensor_view<const float, 2> rows() const noexcept { return placed_.rows.view(); }
    [[nodiscard]] index prototypes() const noexcept { return static_cast<index>(prototypes_.size()); }

   private:
    /// Of equally near ones the first.
    [[nodiscard]] std::size_t nearest(std::span<const float> row) const noexcept {
      std::size_t best = 0;
      double least = std::numeric_limits<double>::infinity();
      for (std::size_t c = 0; c < prototypes_.size(); ++c) {
        const double off = square_distance(row, prototypes_[c]);
        if (off < least) {
          least = off;
          best = c;
        }
      }
      return best;
    }
    void find_prototypes(std::size_t count) {
      const auto d = static_cast<std::size_t>(placed_.rows.row_size());
      const auto row = [&](index i) { return placed_.rows.row(i); };
      std::vector<index> places = placed_.learn;
      if (places.empty()) places.push_back(0);
      prototypes_.emplace_back(row(places[0]).begin(), row(places[0]).end());
      while (prototypes_.size() < count) {  // the row that lies farthest from all prototypes is the next
        index farthest = places[0];
        double most = -1;
        for (const index i : places) {
          const double off = square_distance(row(i), prototypes_[nearest(row(i))]);
          if (off > most) {
            most = off;
            farthest = i;
          }
        }
        prototypes_.emplace_back(row(farthest).begin(), row(farthest).end());
      }
      for (int round = 0; round < 20; ++round) {
        std::vector<std::vector<double>> sum(count, std::vector<double>(d, 0));
        std::vector<double> members(count, 0);
        for (const index i : places) {
          const std::size_t c = nearest(row(i));
          members[c] += 1;
          for (std::size_t j = 0; j < d; ++j) sum[c][j] += static_cast<double>(row(i)[j]);
        }
        for (std::size_t c = 0; c < count; ++c)
          for (std::size_t j = 0; j < d && members[c] > 0; ++j)
            prototypes_[c][j] = static_cast<float>(sum[c][j] / members[c]);
      }
    }
    double alpha_ = 1;
    placed_scores placed_;
    std::vector<std::vector<float>> prototypes_;
    conformal::fitted all_;
    std::vector<conformal::fitted> kinds_;
  };

  explicit prototype_conformal(params p = {}) : params_{p} {
    check(p.alpha > 0 && p.alpha < 1, "calibration::prototype_conformal: alpha must lie in (0, 1), got ", p.alpha);
    check(p.prototypes >= 1 && p.prototypes <= 4096,
          "calibration::prototype_conformal: prototypes must lie in [1, 4096], got ", p.prototypes);
    check(p.share > 0 && p.share < 1, "calibration::prototype_conformal: share must lie in (0, 1), got ", p.share);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  void check_count(index n) const {
    check_rate("calibration::prototype_conformal", params_.alpha, placed_scores::deciding(n, params_.share), n);
  }
  [[nodiscard]] fitted fit(std::span<const double> scores, tensor_view<const float, 2> rows) const {
    return {scores, rows, params_};
  }

 private:
  params params_;
};
static_assert(place_calibrator<prototype_conformal>);

}  // namespace anodiff::calibration
