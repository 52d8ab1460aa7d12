// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/engine.hpp>
#include <anodiff/concepts/model.hpp>
#include <anodiff/concepts/prediction.hpp>
#include <anodiff/concepts/sampler.hpp>
#include <anodiff/pipeline/clipping.hpp>
#include <anodiff/pipeline/network_run.hpp>

namespace anodiff {

/// The denoising loop of a sampler that finds its steps as it goes: every row has a place of its own in the list of
/// levels, and is denoised as it would be alone. One round calls the network twice, for all rows that are on the way.
template <denoiser Model, prediction Prediction, adaptive_sampler Sampler>
class adaptive_loop {
 public:
  using real = typename Model::engine_type::real;
  static_assert(!remote_engine<typename Model::engine_type>, "adaptive_loop: needs an engine of this machine");

  /// levels: noisiest first, all but the last with noise. Throws invalid_argument for levels that do not get strictly
  /// cleaner, and for dynamic thresholds.
  adaptive_loop(const Model& model, const Prediction& prediction, const Sampler& sampling,
                const std::vector<noise_level>& levels, index max_rows, index row_size, const clipping& clip)
      : sampler_{sampling},
        end_{levels.back()},
        levels_{noisy(levels)},
        row_size_{row_size},
        limit_{clip.limit},
        run_{model, prediction, levels_, max_rows, row_size},
        level_(static_cast<std::size_t>(max_rows)),
        input_(static_cast<std::size_t>(max_rows * row_size)),
        clean_(input_.size()),
        row_(level_.size()) {
    detail::check_run("adaptive_loop", levels);
    clip.verify();
    check(!clip.dynamic(), "adaptive_loop: needs a fixed limit for clean estimates, got a dynamic one");
    for (const auto& level : levels_) fold_.push_back(fold_of<Model>(prediction, level));
    on_the_way_.reserve(level_.size());
  }

  /// x (rows, row_size) goes from the first level to the last, in place.
  void run(real* x, index rows) {
    const auto last = static_cast<index>(levels_.size()) - 1;
    const double first = std::max(1.0, sampler_.first() * static_cast<double>(last));
    std::fill_n(row_.begin(), rows, progress{.stride = first});
    on_the_way_.resize(static_cast<std::size_t>(rows));
    for (std::size_t i = 0; i < on_the_way_.size(); ++i) on_the_way_[i] = static_cast<index>(i);
    while (!on_the_way_.empty()) {
      estimate_where_they_are(x);
      std::erase_if(on_the_way_, [&](index i) {
        if (at(i).place < last) return false;
        if (end_.sigma == 0) finish(x + i * row_size_, clean_.data() + i * row_size_);
        return true;
      });
      try_a_step(x, last);
    }
  }
  /// Calls of the network that row i of the latest run took.
  [[nodiscard]] index calls(index i) const noexcept { return row_[static_cast<std::size_t>(i)].calls; }

 private:
  struct progress {
    index place = 0;
    double stride = 1;
    bool estimated = false;  ///< clean_ holds the estimate at this place
    index calls = 0;
  };
  [[nodiscard]] static std::vector<noise_level> noisy(std::vector<noise_level> levels) {
    if (levels.back().sigma == 0) levels.pop_back();
    return levels;
  }
  [[nodiscard]] progress& at(index i) noexcept { return row_[static_cast<std::size_t>(i)]; }
  [[nodiscard]] real clean_of(std::size_t place, real x, real output) const noexcept {
    const double clean =
        fold_[place].first * static_cast<double>(x) + fold_[place].second * static_cast<double>(output);
    return static_cast<real>(limit_ > 0 ? std::clamp(clean, -limit_, limit_) : clean);
  }

  void estimate_where_they_are(const real* x) {
    index count = 0;
    for (const index i : on_the_way_)
      if (!at(i).estimated) {
        std::copy_n(x + i * row_size_, row_size_, input_.data() + count * row_size_);
        level_[static_cast<std::size_t>(count++)] = static_cast<std::int32_t>(at(i).place);
      }
    if (count == 0) return;
    const real* output = run_.output(input_.data(), level_.data(), count);
    for (const index i : on_the_way_)
      if (progress& row = at(i); !row.estimated) {
        for (index j = 0; j < row_size_; ++j)
          clean_[static_cast<std::size_t>(i * row_size_ + j)] =
              clean_of(static_cast<std::size_t>(row.place), x[i * row_size_ + j], output[j]);
        output += row_size_;
        row.estimated = true;
        ++row.calls;
      }
  }
  [[nodiscard]] index target(const progress& row, index last) const noexcept {
    return std::min(last, row.place + static_cast<index>(row.stride));
  }
  /// One step of each row; it stays where it is if the error is too large, unless there is no shorter step.
  void try_a_step(real* x, index last) {
    real* low = input_.data();
    for (std::size_t n = 0; n < on_the_way_.size(); ++n, low += row_size_) {
      const index i = on_the_way_[n];
      level_[n] = static_cast<std::int32_t>(target(at(i), last));
      const embedded_step s = step_to(at(i), level_[n]);
      for (index j = 0; j < row_size_; ++j)
        low[j] =
            static_cast<real>(s.of_x * static_cast<double>(x[i * row_size_ + j]) +
                              s.of_clean * static_cast<double>(clean_[static_cast<std::size_t>(i * row_size_ + j)]));
    }
    if (on_the_way_.empty()) return;
    const real* output = run_.output(input_.data(), level_.data(), static_cast<index>(on_the_way_.size()));
    low = input_.data();
    for (std::size_t n = 0; n < on_the_way_.size(); ++n, low += row_size_, output += row_size_) {
      const index i = on_the_way_[n];
      progress& row = at(i);
      real* state = x + i * row_size_;
      const double of_change = step_to(row, level_[n]).of_change;
      double error = 0;
      for (index j = 0; j < row_size_; ++j) {
        const double after = static_cast<double>(clean_of(static_cast<std::size_t>(level_[n]), low[j], output[j]));
        const double change =
            of_change * (after - static_cast<double>(clean_[static_cast<std::size_t>(i * row_size_ + j)]));
        const double size = std::max(std::abs(static_cast<double>(state[j])), std::abs(static_cast<double>(low[j])));
        error += change / sampler_.allowed(size) * (change / sampler_.allowed(size)) / static_cast<double>(row_size_);
        low[j] = static_cast<real>(static_cast<double>(low[j]) + change);
      }
      error = std::sqrt(error);
      const index stride = level_[n] - row.place;
      row.stride = std::max(1.0, static_cast<double>(stride) * sampler_.stretch(error));
      ++row.calls;
      if (error > 1 && stride > 1) continue;
      std::copy_n(low, row_size_, state);
      row.place = level_[n];
      row.estimated = false;
    }
  }
  [[nodiscard]] embedded_step step_to(const progress& row, index place) const noexcept {
    return sampler_.step(levels_[static_cast<std::size_t>(row.place)], levels_[static_cast<std::size_t>(place)]);
  }
  void finish(real* x, const real* clean) const noexcept {
    const stage s = detail::first_order(levels_.back(), end_);
    for (index j = 0; j < row_size_; ++j)
      x[j] = static_cast<real>(s.x_weight * static_cast<double>(x[j]) + s.clean_weight * static_cast<double>(clean[j]));
  }

  Sampler sampler_;
  noise_level end_;
  std::vector<noise_level> levels_;
  index row_size_;
  double limit_;
  network_run<Model, Prediction> run_;
  std::vector<mixture> fold_;
  std::vector<std::int32_t> level_;
  aligned_vector<real> input_, clean_;
  std::vector<progress> row_;
  std::vector<index> on_the_way_;
};

}  // namespace anodiff
