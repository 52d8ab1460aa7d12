// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/nn/table_gradient.hpp>
#include <anodiff/ops/conv2d.hpp>
#include <anodiff/ops/pixel_sums.hpp>
#include <optional>

namespace anodiff::nn {

/// Where the zeros stand that a window reads beyond the picture. around: (kernel − 1) / 2 on each side. below: one row
/// below and one column right, the layout in which diffusers' models halve their pictures.
enum class padding { around, below };

struct conv2d_options {
  index kernel = 3;  ///< side of the window; odd, [1, 15]
  index stride = 1;  ///< [1, 8]
  padding zeros = padding::around;
  bool same_everywhere = false;  ///< crops give the same bits as the whole picture; wide layers are then slower
  value table{};                 ///< (levels, out): added to each pixel of a picture by its level
  value residual{};              ///< of the shape of the result: added to it
  initial weight = initial::fan_in;
};

template <engine Engine>
class conv2d_node final : public node<Engine> {
 public:
  using real = typename Engine::real;
  conv2d_node(value x, const ops::conv2d_shape& extents, parameter weight, parameter bias,
              const conv2d_options& options)
      : x_{x}, shape_{extents}, weight_{std::move(weight)}, bias_{std::move(bias)}, options_{options} {
    this->reads = {x};
    if (options.table.exists()) this->reads.push_back(options.table);
    if (options.residual.exists()) this->reads.push_back(options.residual);
  }
  void prepare(tape<Engine>& t) override {
    if (t.mode() != gradients::off) return;
    if (prepared_)
      t.machine().refresh_convolution(*prepared_, shape_, t.parameter_values(weight_));
    else
      prepared_ = t.machine().prepare_convolution(shape_, t.parameter_values(weight_));
  }
  index scratch(tape<Engine>& t) override {
    const auto& machine = t.machine();
    if (t.mode() == gradients::off) return machine.scratch(packed_forward{.n = t.max_rows(), .shape = shape_});
    return std::max({machine.scratch(ops::conv2d_forward<real>{.n = t.max_rows(), .shape = shape_}),
                     machine.scratch(ops::conv2d_backward<real>{.n = t.max_rows(), .shape = shape_}),
                     t.needs_gradient(options_.table) ? t.max_rows() * shape_.out : 0});
  }
  void forward(tape<Engine>& t, const pass& p) override {
    const auto fill = [&](auto op) {
      op.x = t.data(x_);
      op.bias = t.parameter_values(bias_);
      if (options_.table.exists()) {
        op.table = t.data(options_.table);
        op.level = p.level;
      }
      if (options_.residual.exists()) op.residual = t.data(options_.residual);
      op.y = t.data(this->writes);
      op.n = p.rows;
      op.shape = shape_;
      op.scratch = t.scratch();
      t.machine().run(op);
    };
    if (prepared_)
      fill(packed_forward{.weight = &*prepared_});
    else
      fill(ops::conv2d_forward<real>{.weight = t.parameter_values(weight_)});
  }
  void backward(tape<Engine>& t, const pass& p) override {
    const real* const dy = t.gradient(this->writes);
    if (t.needs_gradient(options_.residual))
      t.machine().run(ops::accumulate<real>{dy, t.gradient(options_.residual),
                                            p.rows * shape_.out_pixels() * shape_.out,
                                            t.claim_gradient(options_.residual)});
    ops::conv2d_backward<real> op{};
    op.x = t.data(x_);
    op.weight = t.parameter_values(weight_);
    op.dy = dy;
    op.dweight = t.parameter_gradient(weight_);
    op.dbias = t.parameter_gradient(bias_);
    if (t.needs_gradient(x_)) {
      op.dx = t.gradient(x_);
      op.accumulate = t.claim_gradient(x_);
    }
    op.n = p.rows;
    op.shape = shape_;
    op.scratch = t.scratch();
    t.machine().run(op);
    if (t.needs_gradient(options_.table)) {
      t.machine().run(ops::pixel_sums<real>{dy, t.scratch(), p.rows, shape_.out_pixels(), shape_.out});
      add_table_gradient(t, p, options_.table, t.scratch());
    }
  }

 private:
  using packed_forward = ops::conv2d_forward<real, const typename Engine::weight*>;
  value x_;
  ops::conv2d_shape shape_;
  parameter weight_, bias_;
  conv2d_options options_;
  std::optional<typename Engine::weight> prepared_;
};

/// y = W under the window at each pixel + b + table[level] + residual; W (kernel · kernel · channels of x, out), taps
/// row by row, and b (1, out) under name.weight and name.bias. Throws invalid_argument for an x that is no picture, a
/// window out of range, a table that has no row a level, or a table or residual of another shape.
template <engine Engine>
value conv2d(tape<Engine>& t, std::string_view name, value x, index out, const conv2d_options& options = {}) {
  const image_shape from = t.image(x, concat("nn::conv2d '", name, "'"));
  check(options.kernel >= 1 && options.kernel <= 15 && options.kernel % 2 == 1, "nn::conv2d: the kernel of '", name,
        "' must be odd and lie in [1, 15], got ", options.kernel);
  check(options.stride >= 1 && options.stride <= 8, "nn::conv2d: the stride of '", name, "' must lie in [1, 8], got ",
        options.stride);
  const index side = (options.kernel - 1) / 2;
  const ops::conv2d_shape extents{.height = from.height,
                                  .width = from.width,
                                  .in = from.channels,
                                  .out = out,
                                  .kernel = options.kernel,
                                  .stride = options.stride,
                                  .before = options.zeros == padding::around ? side : 0,
                                  .after = options.zeros == padding::around ? side : std::min<index>(1, 2 * side),
                                  .same_everywhere = options.same_everywhere};
  check(from.height + extents.before + extents.after >= options.kernel &&
            from.width + extents.before + extents.after >= options.kernel,
        "nn::conv2d: the window of '", name, "' needs ", options.kernel, " rows and columns, got a picture of ",
        from.height, " by ", from.width);
  const image_shape to{extents.out_height(), extents.out_width(), out};
  const auto check_part = [&](std::string_view part, value v, batch kind, index width) {
    if (!v.exists()) return;
    check(t.kind(v) == kind && t.width(v) == width, "nn::conv2d: the ", part, " of '", name, "' needs ", width,
          " columns and a row for each ", name_of(kind), ", got ", t.width(v), " and a row for each ",
          name_of(t.kind(v)));
  };
  check(t.kind(x) == batch::rows, "nn::conv2d: '", name, "' needs a picture for each sample");
  check_part("table", options.table, batch::levels, out);
  check_part("residual", options.residual, batch::rows, to.size());
  auto weight = t.declare(concat(name, ".weight"), extents.depth(), out, options.weight, extents.depth());
  auto bias = t.declare(concat(name, ".bias"), 1, out, options.weight, extents.depth());
  return t.record(std::make_unique<conv2d_node<Engine>>(x, extents, std::move(weight), std::move(bias), options),
                  batch::rows, to, true);
}

}  // namespace anodiff::nn
