// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/concepts/aggregator.hpp>
#include <cmath>
#include <vector>

namespace anodiff::aggregation {

struct learned_weights_params {
  double ridge = 0.01;  ///< penalty on the squared weights; at least 0

  static constexpr void fields(auto& self, auto&& field) { field("ridge", self.ridge); }
};

/// Σ w_v z_v, the views as z-scores over normal samples, with weights that are at least 0, add up to 1 and are learned:
/// they tell normal samples from the same samples damaged on purpose (logistic regression), never from labelled ones.
/// No level is then trusted more than it has earned. Where damage shows in no view all count alike.
class learned_weights {
 public:
  using params = learned_weights_params;
  static constexpr std::string_view name = "learned_weights";
  static constexpr bool needs_statistics = false;
  static constexpr bool needs_generated = true;

  class fitted {
   public:
    [[nodiscard]] index views() const noexcept { return static_cast<index>(weight_.size()); }
    [[nodiscard]] double score(std::span<const double> values, std::span<double> slope) const noexcept {
      double sum = 0;
      for (std::size_t v = 0; v < weight_.size(); ++v) {
        sum += weight_[v] * (values[v] - mean_[v]) / deviation_[v];
        if (!slope.empty()) slope[v] = weight_[v] / deviation_[v];
      }
      return sum;
    }
    [[nodiscard]] std::span<const double> weights() const noexcept { return weight_; }
    template <class F>
    void tensors(F&& f) const {
      f("weight", std::span<const double>{weight_});
      f("mean", std::span<const double>{mean_});
      f("deviation", std::span<const double>{deviation_});
    }

   private:
    friend class learned_weights;
    std::vector<double> weight_, mean_, deviation_;
  };

  explicit learned_weights(params p = {}) : params_{p} {
    check(p.ridge >= 0 && std::isfinite(p.ridge), "aggregation::learned_weights: ridge must be at least 0, got ",
          p.ridge);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }

  /// Throws invalid_argument without rows of each kind.
  [[nodiscard]] fitted fit(tensor_view<const double, 2> normal, tensor_view<const double, 2> generated,
                           std::uint64_t) const {
    check(normal.rows() >= 1 && generated.rows() >= 1,
          "aggregation::learned_weights: needs normal and generated samples, got ", normal.rows(), " and ",
          generated.rows());
    fitted out;
    const auto views = static_cast<std::size_t>(normal.row_size());
    const auto n = static_cast<double>(normal.rows());
    for (index v = 0; v < normal.row_size(); ++v) {
      double mean = 0, square = 0;
      for (index i = 0; i < normal.rows(); ++i) mean += normal(i, v) / n;
      for (index i = 0; i < normal.rows(); ++i) square += (normal(i, v) - mean) * (normal(i, v) - mean) / n;
      const double deviation = std::sqrt(square);
      out.mean_.push_back(mean);
      out.deviation_.push_back(deviation > 1e-9 * std::abs(mean) ? deviation : 1);
    }
    out.weight_ = learn(out, normal, generated);
    double total = 0;
    for (const double w : out.weight_) total += w;
    for (double& w : out.weight_) w = total > 1e-9 ? w / total : 1 / static_cast<double>(views);
    return out;
  }
  /// What tensors() has given, from find(name, count).
  template <class Find>
  [[nodiscard]] fitted restored(Find&& find) const {
    fitted out;
    out.weight_ = find("weight", index{-1});
    out.mean_ = find("mean", out.views());
    out.deviation_ = find("deviation", out.views());
    for (const double d : out.deviation_) check<data_error>(d > 0, "the deviations of views must be above 0, got ", d);
    for (const double w : out.weight_) check<data_error>(w >= 0, "the weights of views must not be negative, got ", w);
    return out;
  }

 private:
  /// Logistic regression of damaged (1) against normal (0) z-scores, cut to ±10, by projected gradient descent. Both
  /// kinds count alike, whatever their number.
  [[nodiscard]] std::vector<double> learn(const fitted& scale, tensor_view<const double, 2> normal,
                                          tensor_view<const double, 2> generated) const {
    const auto views = scale.mean_.size();
    const auto each = [&](auto&& f) {  // f(row's z-scores, its label, its weight)
      std::vector<double> z(views);
      for (const auto& [rows, label] : {std::pair{normal, 0.0}, std::pair{generated, 1.0}})
        for (index i = 0; i < rows.rows(); ++i) {
          for (std::size_t v = 0; v < views; ++v)
            z[v] = std::clamp((rows(i, static_cast<index>(v)) - scale.mean_[v]) / scale.deviation_[v], -10.0, 10.0);
          f(z, label, 0.5 / static_cast<double>(rows.rows()));
        }
    };
    double square = 1;  // bounds the curvature, with that of the intercept
    each([&](std::span<const double> z, double, double share) {
      for (const double v : z) square += share * v * v;
    });
    const double rate = 1 / (square / 4 + params_.ridge);
    std::vector<double> weight(views, 0), gradient(views);
    double intercept = 0;
    for (int round = 0; round < rounds; ++round) {
      for (std::size_t v = 0; v < views; ++v) gradient[v] = params_.ridge * weight[v];
      double lift = 0;
      each([&](std::span<const double> z, double label, double share) {
        double logit = intercept;
        for (std::size_t v = 0; v < views; ++v) logit += weight[v] * z[v];
        const double off = share * (1 / (1 + std::exp(-logit)) - label);
        lift += off;
        for (std::size_t v = 0; v < views; ++v) gradient[v] += off * z[v];
      });
      intercept -= rate * lift;
      for (std::size_t v = 0; v < views; ++v) weight[v] = std::max(0.0, weight[v] - rate * gradient[v]);
    }
    return weight;
  }
  static constexpr int rounds = 300;
  params params_;
};
static_assert(joint_aggregator<learned_weights>);

}  // namespace anodiff::aggregation
