// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/nn/tape.hpp>
#include <anodiff/ops/concat.hpp>
#include <anodiff/ops/elementwise.hpp>

namespace anodiff::nn {

template <engine Engine>
class columns_node final : public node<Engine> {
 public:
  using real = typename Engine::real;
  columns_node(value x, index first, index count) : x_{x}, first_{first}, count_{count} { this->reads = {x}; }
  void forward(tape<Engine>& t, const pass& p) override {
    t.machine().run(ops::copy_channels<real>{t.data(x_) + first_, t.width(x_), t.data(this->writes), count_,
                                             t.count(x_, p), count_});
  }
  void backward(tape<Engine>& t, const pass& p) override {
    if (!t.needs_gradient(x_)) return;
    const index rows = t.count(x_, p);
    if (!t.claim_gradient(x_)) t.machine().run(ops::fill<real>{t.gradient(x_), rows * t.width(x_), 0});
    t.machine().run(ops::copy_channels<real>{t.gradient(this->writes), count_, t.gradient(x_) + first_, t.width(x_),
                                             rows, count_, true});
  }

 private:
  value x_;
  index first_, count_;
};

/// The columns [first, first + count) of each row of x. Throws invalid_argument where x has not so many.
template <engine Engine>
value columns(tape<Engine>& t, value x, index first, index count) {
  check(first >= 0 && count >= 1 && first + count <= t.width(x), "nn::columns: needs columns [", first, ", ",
        first + count, "), got a value of ", t.width(x));
  return t.record(std::make_unique<columns_node<Engine>>(x, first, count), t.kind(x), count, false);
}

}  // namespace anodiff::nn
