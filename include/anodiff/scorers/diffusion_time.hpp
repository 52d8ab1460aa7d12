// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/model.hpp>
#include <anodiff/concepts/objective.hpp>
#include <anodiff/concepts/scorer.hpp>
#include <cmath>

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
    using engine_type = typename Model::engine_type;
    run(const Model& model, index max_rows)
        : model_{model},
          network_{model_.record(nn::gradients::input)},
          rows_{std::min<index>(max_rows, 256)},
          x_{{rows_, network_.tape.width(network_.x)}},
          features_(static_cast<std::size_t>(network_.tape.width(network_.features))),
          slope_(static_cast<std::size_t>(network_.tape.width(network_.output))),
          level_(static_cast<std::size_t>(rows_)),
          score_(level_.size()) {
      network_.tape.plan(rows_, 1);
      network_.tape.bind(network_.features, features_.data());
      network_.tape.bind(network_.x, x_.data());
      network_.tape.forward_levels({.rows = 0, .levels = 1});
    }
    [[nodiscard]] index views() const noexcept { return 1; }
    void evidence(tensor_view<const float, 2> x, tensor_view<float, 3> out) {
      auto& tape = network_.tape;
      const index outputs = tape.width(network_.output);
      for (index first = 0; first < x.rows(); first += rows_) {
        const index rows = std::min(rows_, x.rows() - first);
        std::copy_n(x.row(first).data(), rows * x.row_size(), x_.data());
        const nn::pass pass{.rows = rows, .levels = 1, .level = level_.data()};
        tape.forward_rows(pass);
        for (index i = 0; i < rows; ++i) {
          const auto width = static_cast<std::size_t>(outputs);
          score_[static_cast<std::size_t>(i)] =
              Objective{}.read({tape.data(network_.output) + i * outputs, width}, slope_);
          std::ranges::copy(slope_, tape.gradient(network_.output) + i * outputs);
        }
        tape.backward(pass, network_.output);
        for (index i = 0; i < rows; ++i)
          spread(score_[static_cast<std::size_t>(i)], x.row(first + i), tape.gradient(network_.x) + i * x.row_size(),
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
    Model model_;
    typename Model::recorded network_;
    index rows_;
    tensor<float, 2> x_;
    std::vector<float> features_, slope_;
    std::vector<std::int32_t> level_;
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
