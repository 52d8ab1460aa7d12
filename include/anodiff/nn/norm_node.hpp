// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/nn/tape.hpp>

namespace anodiff::nn {

/// What all normalisations have: a gain, a bias, and the means and inverse deviations that backward wants to see again.
template <engine Engine>
class norm_node : public node<Engine> {
 public:
  using real = typename Engine::real;

 protected:
  norm_node(value x, parameter gain, parameter bias) : x_{x}, gain_{std::move(gain)}, bias_{std::move(bias)} {
    this->reads = {x};
  }
  /// Makes room for that many means and inverse deviations.
  void keep(tape<Engine>& t, index count) {
    if (static_cast<index>(mean_.size()) >= count) return;
    mean_ = t.machine().allocate(count);
    inverse_ = t.machine().allocate(count);
  }
  /// The operation Backward, but for its sizes; claims the gradient of x.
  template <class Backward>
  [[nodiscard]] Backward gradients_by(tape<Engine>& t) {
    Backward op{};
    op.x = t.data(x_);
    op.dy = t.gradient(this->writes);
    op.gain = t.parameter_values(gain_);
    op.mean = mean_.data();
    op.inverse = inverse_.data();
    op.dgain = t.parameter_gradient(gain_);
    op.dbias = t.parameter_gradient(bias_);
    if (t.needs_gradient(x_)) {
      op.dx = t.gradient(x_);
      op.accumulate = t.claim_gradient(x_);
    }
    return op;
  }

  value x_;
  parameter gain_, bias_;
  typename Engine::buffer mean_, inverse_;
};

}  // namespace anodiff::nn
