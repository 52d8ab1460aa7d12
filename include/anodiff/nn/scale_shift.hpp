// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/nn/table_gradient.hpp>
#include <anodiff/ops/scale_shift.hpp>

namespace anodiff::nn {

template <engine Engine>
class scale_shift_node final : public node<Engine> {
 public:
  using real = typename Engine::real;
  scale_shift_node(value x, value table, const image_shape& image, ops::activation kind)
      : x_{x}, table_{table}, image_{image}, kind_{kind} {
    this->reads = {x, table};
  }
  index scratch(tape<Engine>& t) override { return t.needs_gradient(table_) ? t.max_rows() * 2 * image_.channels : 0; }
  void forward(tape<Engine>& t, const pass& p) override {
    t.machine().run(ops::scale_shift_forward<real>{t.data(x_), t.data(table_), p.level, t.data(this->writes), p.rows,
                                                   image_.pixels(), image_.channels, kind_});
  }
  void backward(tape<Engine>& t, const pass& p) override {
    ops::scale_shift_backward<real> op{};
    op.x = t.data(x_);
    op.dy = t.gradient(this->writes);
    op.table = t.data(table_);
    op.level = p.level;
    if (t.needs_gradient(table_)) op.sums = t.scratch();
    if (t.needs_gradient(x_)) {
      op.dx = t.gradient(x_);
      op.accumulate = t.claim_gradient(x_);
    }
    op.n = p.rows;
    op.pixels = image_.pixels();
    op.channels = image_.channels;
    op.kind = kind_;
    t.machine().run(op);
    if (t.needs_gradient(table_)) add_table_gradient(t, p, table_, op.sums);
  }

 private:
  value x_, table_;
  image_shape image_;
  ops::activation kind_;
};

/// y = f(x (1 + s) + t) for pictures x, with (s, t) the two halves of the table's row for the sample's level. Throws
/// invalid_argument for an x that is no picture, or a table that is not (levels, 2 channels).
template <engine Engine>
value scale_shift(tape<Engine>& t, value x, value table, ops::activation kind = ops::activation::identity) {
  const image_shape image = t.image(x, "nn::scale_shift");
  check_scale_and_shift(t, "nn::scale_shift", image, table);
  return t.record(std::make_unique<scale_shift_node<Engine>>(x, table, image, kind), batch::rows, image, false);
}

}  // namespace anodiff::nn
