// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/concepts/aggregator.hpp>
#include <cmath>
#include <vector>

namespace anodiff::aggregation {

struct vote_params {
  double quantile = 0.95;  ///< of a view over normal samples, above which it votes; (0, 1)

  static constexpr void fields(auto& self, auto&& field) { field("quantile", self.quantile); }
};

/// The share of views that lie above their own threshold, a quantile over normal samples: one wild view cannot raise an
/// alarm alone. Chen et al. 2023 (ImDiffusion), arXiv:2307.00754, section 4.4, whose thresholds are taken from test
/// data. Scores are few: views + 1 at most.
class vote {
 public:
  using params = vote_params;
  static constexpr std::string_view name = "vote";
  static constexpr bool needs_statistics = false;
  static constexpr bool needs_generated = false;

  class fitted {
   public:
    [[nodiscard]] index views() const noexcept { return static_cast<index>(threshold_.size()); }
    [[nodiscard]] double score(std::span<const double> values, std::span<double> slope) const noexcept {
      double votes = 0;
      for (std::size_t v = 0; v < threshold_.size(); ++v) {
        const bool voted = values[v] > threshold_[v];
        votes += voted ? 1 : 0;
        if (!slope.empty()) slope[v] = voted ? 1 / std::max(values[v] - threshold_[v], 1e-300) : 0;
      }
      return votes / static_cast<double>(threshold_.size());
    }
    template <class F>
    void tensors(F&& f) const {
      f("threshold", std::span<const double>{threshold_});
    }

   private:
    friend class vote;
    std::vector<double> threshold_;
  };

  explicit vote(params p = {}) : params_{p} {
    check(p.quantile > 0 && p.quantile < 1, "aggregation::vote: quantile must lie in (0, 1), got ", p.quantile);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }

  /// The threshold is the ⌈quantile · n⌉-th smallest. Throws invalid_argument without a normal sample.
  [[nodiscard]] fitted fit(tensor_view<const double, 2> normal, tensor_view<const double, 2>, std::uint64_t) const {
    check(normal.rows() >= 1, "aggregation::vote: needs at least 1 normal sample, got 0");
    fitted out;
    std::vector<double> column(static_cast<std::size_t>(normal.rows()));
    const double rank = std::ceil(params_.quantile * static_cast<double>(column.size()) * (1 - 1e-12));
    for (index v = 0; v < normal.row_size(); ++v) {
      for (index i = 0; i < normal.rows(); ++i) column[static_cast<std::size_t>(i)] = normal(i, v);
      std::ranges::sort(column);
      out.threshold_.push_back(column[static_cast<std::size_t>(std::max(rank, 1.0)) - 1]);
    }
    return out;
  }
  template <class Find>
  [[nodiscard]] fitted restored(Find&& find) const {
    fitted out;
    out.threshold_ = find("threshold", index{-1});
    return out;
  }

 private:
  params params_;
};
static_assert(joint_aggregator<vote>);

}  // namespace anodiff::aggregation
