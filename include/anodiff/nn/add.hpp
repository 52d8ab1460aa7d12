// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/nn/tape.hpp>
#include <anodiff/ops/scaled_sum.hpp>

namespace anodiff::nn {

template <engine Engine>
class add_node final : public node<Engine> {
 public:
  using real = typename Engine::real;
  add_node(value a, value b, double scale) : a_{a}, b_{b}, scale_{static_cast<real>(scale)} { this->reads = {a, b}; }
  void forward(tape<Engine>& t, const pass& p) override {
    t.machine().run(
        ops::scaled_sum<real>{t.data(a_), t.data(b_), t.data(this->writes), t.count(a_, p) * t.width(a_), scale_});
  }
  void backward(tape<Engine>& t, const pass& p) override {
    for (const value v : {a_, b_})
      if (t.needs_gradient(v))
        t.machine().run(ops::scaled_sum<real>{t.gradient(this->writes), nullptr, t.gradient(v),
                                              t.count(v, p) * t.width(v), scale_, t.claim_gradient(v)});
  }

 private:
  value a_, b_;
  real scale_;
};

/// scale (a + b). Throws invalid_argument where the two differ in width or kind.
template <engine Engine>
value add(tape<Engine>& t, value a, value b, double scale = 1) {
  check(t.width(a) == t.width(b) && t.kind(a) == t.kind(b), "nn::add: needs two values of one shape, got ", t.width(a),
        " columns for each ", name_of(t.kind(a)), " and ", t.width(b), " for each ", name_of(t.kind(b)));
  return t.record_like(std::make_unique<add_node<Engine>>(a, b, scale), a);
}

}  // namespace anodiff::nn
