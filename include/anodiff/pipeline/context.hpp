// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/grid.hpp>
#include <anodiff/pipeline/rebuilding_run.hpp>

namespace anodiff {

/// Calls of a denoiser at a fixed list of levels.
template <denoiser Model, prediction Prediction>
class estimating_run {
 public:
  estimating_run(const Model& model, const Prediction& prediction, std::span<const noise_level> levels, index max_rows)
      : prediction_{prediction}, run_{model.prepare(levels, max_rows)} {}
  [[nodiscard]] const float* output(const float* x, const std::int32_t* level, index rows) {
    return run_.output(x, level, rows);
  }
  [[nodiscard]] mixture fold(const noise_level& level) const noexcept { return fold_of<Model>(prediction_, level); }

 private:
  Prediction prediction_;
  typename Model::run run_;
};

/// What a scorer is given to plan its run with; see concepts/scorer.hpp. It borrows, and lives as long as the planning.
template <class Parts>
class scoring_context {
 public:
  using model_type = typename Parts::model_type;
  using machine_type = typename model_type::engine_type;
  using rebuilder_type = rebuilding_run<model_type, typename Parts::prediction_type, typename Parts::sampler_type,
                                   typename Parts::conditioner_type>;
  using estimator_type = estimating_run<model_type, typename Parts::prediction_type>;

  const model_type& model_;
  const typename Parts::prediction_type& prediction_;
  const typename Parts::sampler_type& sampler_;
  const typename Parts::grid_type& grid_;
  const typename Parts::conditioner_type& conditioner_;
  std::span<const noise_level> schedule_;
  start from_;
  index steps_;
  std::uint64_t seed_;
  index row_size_;
  double limit_;

  [[nodiscard]] const model_type& model() const noexcept { return model_; }
  [[nodiscard]] machine_type machine() const { return model_.engine(); }
  [[nodiscard]] std::span<const noise_level> schedule() const noexcept { return schedule_; }
  [[nodiscard]] std::uint64_t seed() const noexcept { return seed_; }
  [[nodiscard]] index row_size() const noexcept { return row_size_; }

  /// The levels of a run: those of the grid over the part of the schedule in reach, and the clean end.
  [[nodiscard]] std::vector<noise_level> run_levels() const {
    check(from_.depth > 0 && from_.depth <= 1, "detector: start.depth must lie in (0, 1], got ", from_.depth);
    const auto reach = std::max<std::size_t>(
        1, static_cast<std::size_t>(std::llround(from_.depth * static_cast<double>(schedule_.size()))));
    auto levels = grid_.pick(schedule_.first(reach), std::min(steps_, static_cast<index>(reach)));
    levels.push_back(clean_level);
    return levels;
  }
  [[nodiscard]] rebuilder_type rebuilder(index max_rows) const {
    return {model_, prediction_, sampler_, conditioner_, run_levels(), from_, seed_, max_rows, row_size_, limit_};
  }
  [[nodiscard]] estimator_type estimator(std::span<const noise_level> levels, index max_rows) const {
    return {model_, prediction_, levels, max_rows};
  }
};

}  // namespace anodiff
