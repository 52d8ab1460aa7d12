// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/nn/tape.hpp>
#include <anodiff/ops/activation.hpp>

namespace anodiff::nn {

template <engine Engine>
class activation_node final : public node<Engine> {
 public:
  using real = typename Engine::real;
  activation_node(value x, ops::activation kind) : x_{x}, kind_{kind} { this->reads = {x}; }
  void forward(tape<Engine>& t, const pass& p) override {
    t.machine().run(ops::activate_forward<real>{t.data(x_), t.data(this->writes), t.count(x_, p) * t.width(x_), kind_});
  }
  void backward(tape<Engine>& t, const pass& p) override {
    if (t.needs_gradient(x_))
      t.machine().run(ops::activate_backward<real>{t.data(x_), t.gradient(this->writes), t.gradient(x_),
                                                   t.count(x_, p) * t.width(x_), kind_, t.claim_gradient(x_)});
  }

 private:
  value x_;
  ops::activation kind_;
};

/// f(x), element by element.
template <engine Engine>
value activate(tape<Engine>& t, value x, ops::activation kind) {
  return t.record_like(std::make_unique<activation_node<Engine>>(x, kind), x);
}

}  // namespace anodiff::nn
