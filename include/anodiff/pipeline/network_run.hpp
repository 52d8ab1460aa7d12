// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/concepts/engine.hpp>
#include <anodiff/ops/scale_rows.hpp>
#include <anodiff/pipeline/fold_of.hpp>

namespace anodiff {

/// A model's run over a list of levels as its prediction wants it: rows are brought to unit variance first, and a
/// learned variance is parted from F, where the prediction asks for that.
template <denoiser Model, prediction Prediction>
class network_run {
 public:
  using engine_type = typename Model::engine_type;
  using real = typename engine_type::real;
  static constexpr bool scales = scales_input<Prediction> && !Model::gives_clean;
  static constexpr bool splits = learns_variance<Prediction> && !Model::gives_clean;
  /// Whether it does more than the model's own run.
  static constexpr bool adds = scales || splits;
  static_assert(!adds || !remote_engine<engine_type>,
                "network_run: a prediction that scales the network's input or learns a variance needs the CPU engine");

  /// Throws invalid_argument for a network without two outputs a value where a variance is learned.
  network_run(const Model& model, const Prediction& prediction, std::span<const noise_level> levels, index max_rows,
              index row_size)
      : run_{model.prepare(levels, max_rows)}, machine_{model.engine()}, row_size_{row_size} {
    if constexpr (scales) {
      for (const auto& level : levels) factor_.push_back(static_cast<real>(prediction.input_scale(level)));
      scaled_ = machine_.allocate(max_rows * row_size);
    }
    if constexpr (splits) {
      if constexpr (requires { run_.output_width(); })
        check(run_.output_width() == 2 * row_size, "network_run: the prediction '", Prediction::name,
              "' needs a network with ", 2 * row_size, " outputs, got ", run_.output_width());
      if constexpr (trainable<Model>) channels_ = model.sample_shape().sample.back();
      output_ = machine_.allocate(max_rows * row_size);
      variance_ = machine_.allocate(max_rows * row_size);
    }
  }
  /// F, as Model::run::output.
  [[nodiscard]] const real* output(const real* x, const std::int32_t* level, index rows) {
    if constexpr (scales) {
      machine_.run(ops::scale_rows<real>{x, scaled_.data(), factor_.data(), level, rows, row_size_});
      x = scaled_.data();
    }
    const real* const output = run_.output(x, level, rows);
    if constexpr (!splits) return output;
    for (index at = 0; at < rows * row_size_; at += channels_) {
      std::copy_n(output + 2 * at, channels_, output_.data() + at);
      std::copy_n(output + 2 * at + channels_, channels_, variance_.data() + at);
    }
    return output_.data();
  }
  /// The latest call's second half, (rows, row_size).
  [[nodiscard]] const real* variance() const noexcept requires splits { return variance_.data(); }
  /// Activations of the latest call, where the model taps any.
  [[nodiscard]] auto features() requires requires(typename Model::run r) { r.features(); }
  { return run_.features(); }

 private:
  typename Model::run run_;
  engine_type machine_;
  index row_size_, channels_ = row_size_;
  std::vector<real> factor_;
  typename engine_type::buffer scaled_, output_, variance_;
};

}  // namespace anodiff
