// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/nn/tape.hpp>
#include <anodiff/ops/layer_norm.hpp>

namespace anodiff::nn {

template <engine Engine>
class layer_norm_node final : public node<Engine> {
 public:
  using real = typename Engine::real;
  layer_norm_node(value x, parameter gain, parameter bias) : x_{x}, gain_{std::move(gain)}, bias_{std::move(bias)} {
    this->reads = {x};
  }
  void prepare(tape<Engine>& t) override {
    const index most = t.capacity(x_);
    if (t.mode() == gradients::off || static_cast<index>(mean_.size()) >= most) return;
    mean_ = t.machine().allocate(most);
    inverse_ = t.machine().allocate(most);
  }
  void forward(tape<Engine>& t, const pass& p) override {
    const bool keep = mean_.size() != 0;
    t.machine().run(ops::layer_norm_forward<real>{
        t.data(x_), t.parameter_values(gain_), t.parameter_values(bias_), t.data(this->writes),
        keep ? mean_.data() : nullptr, keep ? inverse_.data() : nullptr, t.count(this->writes, p), t.width(x_)});
  }
  void backward(tape<Engine>& t, const pass& p) override {
    ops::layer_norm_backward<real> op{};
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
    op.rows = t.count(this->writes, p);
    op.width = t.width(x_);
    t.machine().run(op);
  }

 private:
  value x_;
  parameter gain_, bias_;
  typename Engine::buffer mean_, inverse_;
};

/// Layer normalisation with learned gain and bias under name.weight and name.bias.
template <engine Engine>
value layer_norm(tape<Engine>& t, std::string_view name, value x) {
  auto gain = t.declare(concat(name, ".weight"), 1, t.width(x), initial::one, 1);
  auto bias = t.declare(concat(name, ".bias"), 1, t.width(x), initial::zero, 1);
  return t.record(std::make_unique<layer_norm_node<Engine>>(x, std::move(gain), std::move(bias)), t.kind(x), t.width(x),
                  true);
}

}  // namespace anodiff::nn
