// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/nn/norm_node.hpp>
#include <anodiff/ops/layer_norm.hpp>

namespace anodiff::nn {

template <engine Engine>
class layer_norm_node final : public norm_node<Engine> {
 public:
  using real = typename Engine::real;
  layer_norm_node(value x, parameter gain, parameter bias) : norm_node<Engine>{x, std::move(gain), std::move(bias)} {}
  void prepare(tape<Engine>& t) override {
    if (t.mode() != gradients::off) this->keep(t, t.capacity(x_));
  }
  void forward(tape<Engine>& t, const pass& p) override {
    const bool keep = mean_.size() != 0;
    t.machine().run(ops::layer_norm_forward<real>{
        t.data(x_), t.parameter_values(gain_), t.parameter_values(bias_), t.data(this->writes),
        keep ? mean_.data() : nullptr, keep ? inverse_.data() : nullptr, t.count(this->writes, p), t.width(x_)});
  }
  void backward(tape<Engine>& t, const pass& p) override {
    auto op = this->template gradients_by<ops::layer_norm_backward<real>>(t);
    op.rows = t.count(this->writes, p);
    op.width = t.width(x_);
    t.machine().run(op);
  }

 private:
  using norm_node<Engine>::x_, norm_node<Engine>::gain_, norm_node<Engine>::bias_, norm_node<Engine>::mean_,
      norm_node<Engine>::inverse_;
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
