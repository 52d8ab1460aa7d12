// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/grid.hpp>
#include <anodiff/engines/reference.hpp>
#include <anodiff/pipeline/hosted_run.hpp>
#include <anodiff/pipeline/rebuilding_run.hpp>

namespace anodiff {

/// Calls of a denoiser at a fixed list of levels.
template <denoiser Model, prediction Prediction>
class estimating_run {
  static constexpr bool adds = network_run<Model, Prediction>::adds;
  using run_type = std::conditional_t<adds, network_run<Model, Prediction>, hosted_run<Model>>;

 public:
  estimating_run(const Model& model, const Prediction& prediction, std::span<const noise_level> levels, index max_rows,
                 index row_size)
      : prediction_{prediction}, run_{planned(model, prediction, levels, max_rows, row_size)} {}
  [[nodiscard]] const float* output(const float* x, const std::int32_t* level, index rows) {
    return run_.output(x, level, rows);
  }
  [[nodiscard]] mixture fold(const noise_level& level) const noexcept { return fold_of<Model>(prediction_, level); }
  /// Activations of the latest call, where the model taps any.
  [[nodiscard]] auto features() requires requires(run_type r) { r.features(); }
  { return run_.features(); }

 private:
  static run_type planned(const Model& model, const Prediction& prediction, std::span<const noise_level> levels,
                          index max_rows, index row_size) {
    if constexpr (adds)
      return {model, prediction, levels, max_rows, row_size};
    else
      return {model, levels, max_rows};
  }
  Prediction prediction_;
  run_type run_;
};

/// What a scorer is given to plan its run with; see concepts/scorer.hpp. It borrows, and lives as long as the planning.
template <class Parts>
struct basic_context {
  using model_type = typename Parts::model_type;
  /// What a scorer's own operations run on: they are the host's, and little beside the network's.
  using machine_type = std::conditional_t<remote_engine<typename model_type::engine_type>, reference_engine,
                                          typename model_type::engine_type>;

  const typename Parts::model_type& model_;
  const typename Parts::prediction_type& prediction_;
  const typename Parts::sampler_type& sampler_;
  const typename Parts::grid_type& grid_;
  const typename Parts::conditioner_type& conditioner_;
  std::span<const noise_level> schedule_;
  start from_;
  index steps_;
  std::uint64_t seed_;
  index row_size_;
  clipping clip_;
  typename Parts::recipe_type::corruption_policy corruption_{};

  [[nodiscard]] const model_type& model() const noexcept { return model_; }
  [[nodiscard]] machine_type machine() const {
    if constexpr (remote_engine<typename model_type::engine_type>)
      return {};
    else
      return model_.engine();
  }
  [[nodiscard]] std::span<const noise_level> schedule() const noexcept { return schedule_; }
  [[nodiscard]] std::uint64_t seed() const noexcept { return seed_; }
  [[nodiscard]] index row_size() const noexcept { return row_size_; }
  /// The extents of one sample: (d) of a row, (height, width, channels) of a picture.
  [[nodiscard]] std::vector<index> sample() const {
    if constexpr (trainable<model_type>)
      return model_.sample_shape().sample;
    else
      return {row_size_};
  }
  [[nodiscard]] const start& from() const noexcept { return from_; }
  [[nodiscard]] const clipping& clip() const noexcept { return clip_; }
  [[nodiscard]] const auto& corruption() const noexcept { return corruption_; }
};

/// The context of a detector whose model is a denoiser.
template <class Parts>
struct denoiser_context : basic_context<Parts> {
  using model_type = typename Parts::model_type;
  using rebuilder_type =
      rebuilding_run<model_type, typename Parts::prediction_type, typename Parts::sampler_type,
                     typename Parts::conditioner_type, typename Parts::recipe_type::corruption_policy>;
  using estimator_type = estimating_run<model_type, typename Parts::prediction_type>;

  static_assert(!Parts::schedule_type::ends_in_pure_noise || !needs_signal_at_start<typename Parts::sampler_type>,
                "detector: a schedule that ends in pure noise (alpha = 0) needs a sampler that can start there; this "
                "one works on the noise and divides by alpha: use dpm_solver_pp, unipc or ddim");

  /// The levels of a run: those of the grid over the part of the schedule in reach, and the clean end; or the
  /// schedule's cleanest level, for samplers that cannot step to sigma = 0.
  [[nodiscard]] std::vector<noise_level> run_levels() const {
    const auto all = static_cast<double>(this->schedule_.size());
    const auto reach = std::max<std::size_t>(1, static_cast<std::size_t>(std::llround(this->from_.depth * all)));
    auto levels = this->grid_.pick(this->schedule_.first(reach), std::min(this->steps_, static_cast<index>(reach)));
    const auto& cleanest = this->schedule_.front();
    if (!ends_with_noise(this->sampler_) || levels.size() == 1)
      levels.push_back(clean_level);
    else if (levels.back().sigma * cleanest.alpha > cleanest.sigma * levels.back().alpha)
      levels.push_back(cleanest);
    return levels;
  }
  /// Calls of the network that a rebuild over run_levels() costs a row; of an adaptive sampler one that visits them
  /// all.
  [[nodiscard]] index rebuild_calls() const {
    const auto levels = run_levels();
    if constexpr (sampler<typename Parts::sampler_type>) {
      const auto stages = this->sampler_.program(levels);
      if constexpr (part::rewrites_the_program<typename Parts::conditioner_type>)
        return static_cast<index>(this->conditioner_.program(stages, levels.back()).size());
      return static_cast<index>(stages.size());
    }
    return static_cast<index>(levels.size()) - 1;
  }
  [[nodiscard]] rebuilder_type rebuilder(index max_rows) const { return rebuilder(run_levels(), max_rows); }
  /// The same over levels of one's own, noisiest first, the last one being the end.
  [[nodiscard]] rebuilder_type rebuilder(std::vector<noise_level> levels, index max_rows) const {
    return {this->model_, this->prediction_, this->sampler_, this->conditioner_, this->corruption_, std::move(levels),
            this->from_,  this->seed_,       max_rows,       this->row_size_,    this->clip_};
  }
  [[nodiscard]] mixture fold(const noise_level& level) const noexcept {
    return fold_of<model_type>(this->prediction_, level);
  }
  [[nodiscard]] estimator_type estimator(std::span<const noise_level> levels, index max_rows) const {
    return {this->model_, this->prediction_, levels, max_rows, this->row_size_};
  }
};

template <class Parts>
using scoring_context =
    std::conditional_t<denoiser<typename Parts::model_type>, denoiser_context<Parts>, basic_context<Parts>>;

}  // namespace anodiff
