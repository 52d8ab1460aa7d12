// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/concepts/model.hpp>
#include <anodiff/concepts/objective.hpp>
#include <anodiff/concepts/scorer.hpp>
#include <cmath>
#include <vector>

namespace anodiff::scorers {

/// How much noise a network believes that a row carries, in the words of what it has learned: Objective is that of the
/// recipe. Livernoche et al. 2023 (DTE), arXiv:2305.18593. A column's evidence is its part of Σ |x_j ∂s/∂x_j| times the
/// score s, so that pooling by the mean gives s (input times gradient; Shrikumar et al. 2017, arXiv:1605.01713).
template <class Objective>
class diffusion_time {
 public:
  using params = no_params;
  static constexpr std::string_view name = "diffusion_time";
  using reading_policy = Objective;

  explicit diffusion_time(params = {}) {}
  [[nodiscard]] params parameters() const noexcept { return {}; }

  template <class Model>
  class run {
   public:
    run(const Model& model, index max_rows)
        : rows_{std::min<index>(max_rows, 256)},
          network_{model, rows_},
          slope_(static_cast<std::size_t>(network_.output_width())),
          score_(static_cast<std::size_t>(rows_)) {}
    [[nodiscard]] index views() const noexcept { return 1; }
    void evidence(tensor_view<const float, 2> x, tensor_view<float, 3> out) {
      const index outputs = network_.output_width();
      for (index first = 0; first < x.rows(); first += rows_) {
        const index rows = std::min(rows_, x.rows() - first);
        const float* const output = network_.output(x.row(first).data(), rows);
        for (index i = 0; i < rows; ++i) {
          score_[static_cast<std::size_t>(i)] =
              Objective{}.read({output + i * outputs, static_cast<std::size_t>(outputs)}, slope_);
          std::ranges::copy(slope_, network_.slope() + i * outputs);
        }
        const float* const slope = network_.pull_back(rows);
        for (index i = 0; i < rows; ++i)
          spread(score_[static_cast<std::size_t>(i)], x.row(first + i), slope + i * x.row_size(),
                 out.data() + (first + i) * x.row_size());
      }
    }

   private:
    /// out = d · score, by the columns' parts.
    static void spread(double score, std::span<const float> x, const float* slope, float* out) noexcept {
      const auto part = [&](std::size_t j) {
        return std::abs(static_cast<double>(x[j]) * static_cast<double>(slope[j]));
      };
      double total = 0;
      for (std::size_t j = 0; j < x.size(); ++j) total += part(j);
      const auto d = static_cast<double>(x.size());
      for (std::size_t j = 0; j < x.size(); ++j)
        out[j] = static_cast<float>(total > 0 ? d * score * (part(j) / total) : score);
    }
    index rows_;
    typename Model::sloped_run network_;
    std::vector<float> slope_;
    std::vector<double> score_;
  };
  template <class Context>
  requires time_estimator<typename Context::model_type>
  [[nodiscard]] run<typename Context::model_type> prepare(const Context& context, index max_rows) const {
    return {context.model(), max_rows};
  }

  /// Calls of the network that one row costs, its gradient aside.
  template <class Context>
  [[nodiscard]] index network_calls(const Context&) const noexcept {
    return 1;
  }
};

}  // namespace anodiff::scorers
