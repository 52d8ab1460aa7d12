// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/nn/tape.hpp>
#include <anodiff/ops/dropout.hpp>

namespace anodiff::nn {

template <engine Engine>
class dropout_node final : public node<Engine> {
 public:
  using real = typename Engine::real;
  dropout_node(value x, double rate, index first_element) : x_{x}, rate_{rate}, first_element_{first_element} {
    this->reads = {x};
  }
  void forward(tape<Engine>& t, const pass& p) override { run(t, p, t.data(x_), t.data(this->writes), false); }
  void backward(tape<Engine>& t, const pass& p) override {
    if (t.needs_gradient(x_)) run(t, p, t.gradient(this->writes), t.gradient(x_), t.claim_gradient(x_));
  }

 private:
  void run(tape<Engine>& t, const pass& p, const real* from, real* to, bool accumulate) {
    t.machine().run(ops::dropout<real>{from,
                                       to,
                                       t.count(this->writes, p),
                                       t.width(x_),
                                       p.training ? rate_ : 0.0,
                                       {p.noise, p.draws, first_element_, p.when_run},
                                       accumulate});
  }
  value x_;
  double rate_;
  index first_element_;
};

/// Zeroes elements at random in training passes, each layer of a network with words of its own; nothing at rate 0.
template <engine Engine>
value dropout(tape<Engine>& t, value x, double rate) {
  if (rate == 0 || t.mode() == gradients::off) return x;
  constexpr index apart = index{1} << 20;  // elements between two layers; a row is never wider
  return t.record_like(std::make_unique<dropout_node<Engine>>(x, rate, t.next_layer() * apart), x);
}

}  // namespace anodiff::nn
