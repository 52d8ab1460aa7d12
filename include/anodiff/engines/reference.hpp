// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/concepts/engine.hpp>
#include <anodiff/ops/activation.hpp>
#include <anodiff/ops/adamw.hpp>
#include <anodiff/ops/affine.hpp>
#include <anodiff/ops/attention.hpp>
#include <anodiff/ops/blur.hpp>
#include <anodiff/ops/combine.hpp>
#include <anodiff/ops/concat.hpp>
#include <anodiff/ops/conv2d.hpp>
#include <anodiff/ops/dropout.hpp>
#include <anodiff/ops/dynamic_threshold.hpp>
#include <anodiff/ops/elementwise.hpp>
#include <anodiff/ops/embedding.hpp>
#include <anodiff/ops/fir_resample.hpp>
#include <anodiff/ops/gradient_distance.hpp>
#include <anodiff/ops/group_norm.hpp>
#include <anodiff/ops/layer_norm.hpp>
#include <anodiff/ops/level_stack.hpp>
#include <anodiff/ops/linear.hpp>
#include <anodiff/ops/mahalanobis.hpp>
#include <anodiff/ops/noise.hpp>
#include <anodiff/ops/pixel_sums.hpp>
#include <anodiff/ops/pseudo_huber.hpp>
#include <anodiff/ops/resample.hpp>
#include <anodiff/ops/row_distance.hpp>
#include <anodiff/ops/scale_shift.hpp>
#include <anodiff/ops/scaled_sum.hpp>
#include <anodiff/ops/squared_error.hpp>
#include <anodiff/ops/ssim.hpp>
#include <anodiff/ops/time_features.hpp>
#include <vector>

namespace anodiff {

/// Runs the plain references on one core: for the little that is left to the host beside a GPU, and for programs that
/// cannot compile the vectorised forms, such as nvcc's.
class reference_engine {
 public:
  using real = float;
  using buffer = std::vector<float>;
  struct weight {
    std::vector<float> values;  ///< (in, out)
  };
  static constexpr std::string_view name = "reference";

  template <class Operation>
  void run(const Operation& op) const {
    ops::reference::run(op);
  }
  void run(const ops::linear_forward<float, const weight*>& op) const {
    ops::reference::run(ops::with_weight(op, op.weight->values.data()));
  }
  void run(const ops::conv2d_forward<float, const weight*>& op) const {
    ops::reference::run(ops::with_weight(op, op.weight->values.data()));
  }
  /// References work without.
  template <class Operation>
  [[nodiscard]] index scratch(const Operation&) const noexcept {
    return 0;
  }
  [[nodiscard]] buffer allocate(index count) const { return buffer(static_cast<std::size_t>(count)); }
  [[nodiscard]] weight prepare_weight(const float* from, index in, index out) const {
    return {{from, from + in * out}};
  }
  [[nodiscard]] weight prepare_transposed(const float* from, index in, index out) const {
    weight made{std::vector<float>(static_cast<std::size_t>(in * out))};
    for (index i = 0; i < in; ++i)
      for (index j = 0; j < out; ++j) made.values[static_cast<std::size_t>(i * out + j)] = from[j * in + i];
    return made;
  }
  [[nodiscard]] weight prepare_convolution(const ops::conv2d_shape& shape, const float* from) const {
    return prepare_weight(from, shape.depth(), shape.out);
  }
  void refresh_convolution(weight& prepared, const ops::conv2d_shape&, const float* from) const {
    refresh_weight(prepared, from);
  }
  void refresh_weight(weight& prepared, const float* from) const {
    std::copy(from, from + prepared.values.size(), prepared.values.begin());
  }
};
static_assert(engine<reference_engine>);

}  // namespace anodiff
