// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/prediction.hpp>
#include <anodiff/concepts/scorer.hpp>
#include <anodiff/ops/level_stack.hpp>
#include <anodiff/ops/noise.hpp>
#include <optional>

namespace anodiff::scorers {

/// One view of stacked_levels: a level, the noise that a row meets there (none: the row is only scaled), and the factor
/// of the squared error.
struct stacked_view {
  noise_level level;
  std::optional<noise_key> noise;
  double weight = 1;
};

/// weight (ε − ε̂)² at each of several levels, with ε = 0 where a view has no noise: all levels of a row go through the
/// network in one pass.
template <class Context>
class stacked_levels {
 public:
  stacked_levels(const Context& context, index max_rows, std::span<const stacked_view> views)
      : stacked_levels(context, max_rows, views, levels_of(views)) {}
  [[nodiscard]] index views() const noexcept { return views_; }
  /// Fills the first views() views of out (views or more, n, d) from x (n, d).
  void evidence(tensor_view<const float, 2> x, tensor_view<float, 3> out) {
    const index d = x.row_size();
    for (index first = 0; first < x.rows(); first += stack_rows_) {
      const index rows = std::min(stack_rows_, x.rows() - first);
      machine_.run(ops::stack_levels<float>{x.row(first).data(), noise_.data(), alpha_.data(), sigma_.data(),
                                            stacked_.data(), rows, views_, d});
      const float* output = estimator_.output(stacked_.data(), level_.data(), rows * views_);
      machine_.run(ops::noise_error<float>{stacked_.data(), output, noise_.data(), state_.data(), output_.data(),
                                           weight_.data(), out.data() + first * d, out.row_size(), rows, views_, d});
    }
  }

 private:
  stacked_levels(const Context& context, index max_rows, std::span<const stacked_view> views,
                 const std::vector<noise_level>& levels)
      : machine_{context.machine()},
        views_{static_cast<index>(views.size())},
        stack_rows_{std::clamp<index>(stack_target / views_, 1, max_rows)},
        estimator_{context.estimator(levels, stack_rows_ * views_)},
        noise_{{views_, context.row_size()}},
        stacked_{{stack_rows_ * views_, context.row_size()}},
        level_(static_cast<std::size_t>(stack_rows_ * views_)) {
    for (const auto& [level, noise, weight] : views) {
      const mixture fold = estimator_.fold(level);  // x̂_0 = first y + second F, and ε̂ = (y − alpha x̂_0) / sigma
      state_.push_back(static_cast<float>((1 - level.alpha * fold.first) / level.sigma));
      output_.push_back(static_cast<float>(-level.alpha * fold.second / level.sigma));
      if (noise)
        machine_.run(ops::fill_normal<float>{
            noise_.row(static_cast<index>(alpha_.size())).data(), 1, context.row_size(), {*noise}});
      alpha_.push_back(static_cast<float>(level.alpha));
      sigma_.push_back(static_cast<float>(level.sigma));
      weight_.push_back(static_cast<float>(weight));
    }
    for (std::size_t i = 0; i < level_.size(); ++i)
      level_[i] = static_cast<std::int32_t>(static_cast<index>(i) % views_);
  }
  [[nodiscard]] static std::vector<noise_level> levels_of(std::span<const stacked_view> views) {
    std::vector<noise_level> out;
    for (const auto& view : views) out.push_back(view.level);
    return out;
  }
  static constexpr index stack_target = 512;  // rows for the network at a time: activations stay in the cache

  typename Context::machine_type machine_;
  index views_, stack_rows_;
  typename Context::estimator_type estimator_;
  tensor<float, 2> noise_, stacked_;
  std::vector<std::int32_t> level_;
  std::vector<float> alpha_, sigma_, state_, output_, weight_;
};

}  // namespace anodiff::scorers
