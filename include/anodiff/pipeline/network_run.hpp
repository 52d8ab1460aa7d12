// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/engine.hpp>
#include <anodiff/ops/scale_rows.hpp>
#include <anodiff/pipeline/fold_of.hpp>

namespace anodiff {

/// A model's run over a list of levels as its prediction wants it: rows are brought to unit variance first, where the
/// prediction asks for that.
template <denoiser Model, prediction Prediction>
class network_run {
 public:
  using engine_type = typename Model::engine_type;
  using real = typename engine_type::real;
  static constexpr bool scales = scales_input<Prediction> && !Model::gives_clean;
  static_assert(!scales || !remote_engine<engine_type>,
                "network_run: a prediction that scales the network's input needs the CPU engine");

  network_run(const Model& model, const Prediction& prediction, std::span<const noise_level> levels, index max_rows,
              index row_size)
      : run_{model.prepare(levels, max_rows)}, machine_{model.engine()}, row_size_{row_size} {
    if constexpr (scales) {
      for (const auto& level : levels) factor_.push_back(static_cast<real>(prediction.input_scale(level)));
      scaled_ = machine_.allocate(max_rows * row_size);
    }
  }
  /// As Model::run::output.
  [[nodiscard]] const real* output(const real* x, const std::int32_t* level, index rows) {
    if constexpr (scales) {
      machine_.run(ops::scale_rows<real>{x, scaled_.data(), factor_.data(), level, rows, row_size_});
      x = scaled_.data();
    }
    return run_.output(x, level, rows);
  }
  /// Activations of the latest call, where the model taps any.
  [[nodiscard]] auto features() requires requires(typename Model::run r) { r.features(); }
  { return run_.features(); }

 private:
  typename Model::run run_;
  engine_type machine_;
  index row_size_;
  std::vector<real> factor_;
  typename engine_type::buffer scaled_;
};

}  // namespace anodiff
