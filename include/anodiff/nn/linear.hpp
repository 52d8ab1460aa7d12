// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/nn/tape.hpp>
#include <anodiff/ops/elementwise.hpp>
#include <anodiff/ops/linear.hpp>
#include <optional>

namespace anodiff::nn {

struct linear_options {
  ops::activation activation = ops::activation::identity;
  value table{};     ///< (levels, out): added before the activation, to each row by its level; to a value of levels row
                     ///< by row
  value residual{};  ///< of the kind of x, width out: added after the activation
  initial weight = initial::fan_in;
};

template <engine Engine>
class linear_node final : public node<Engine> {
 public:
  using real = typename Engine::real;
  linear_node(tape<Engine>& t, value x, index out, parameter weight, parameter bias, const linear_options& options)
      : x_{x}, in_{t.width(x)}, out_{out}, weight_{std::move(weight)}, bias_{std::move(bias)}, options_{options} {
    this->reads = {x};
    if (options.table.exists()) this->reads.push_back(options.table);
    if (options.residual.exists()) this->reads.push_back(options.residual);
  }
  void prepare(tape<Engine>& t) override {
    if (t.mode() == gradients::off) {
      if (prepared_)
        t.machine().refresh_weight(*prepared_, t.parameter_values(weight_));
      else
        prepared_ = t.machine().prepare_weight(t.parameter_values(weight_), in_, out_);
    } else if (options_.activation != ops::activation::identity) {
      const index most = t.capacity(x_) * out_;
      if (static_cast<index>(before_.size()) < most) before_ = t.machine().allocate(most);
    }
  }
  [[nodiscard]] bool by_rows() const override { return true; }
  void forward(tape<Engine>& t, const pass& p) override {
    const auto fill = [&](auto op) {
      op.x = t.rows_of(x_, p);
      op.bias = t.parameter_values(bias_);
      if (options_.table.exists()) {
        op.table = t.data(options_.table);
        op.level = level_of_row(t, p);
      }
      if (options_.residual.exists()) op.residual = t.rows_of(options_.residual, p);
      op.before = before_.size() != 0 ? before_.data() : nullptr;
      op.y = t.rows_of(this->writes, p);
      op.rows = t.count(this->writes, p);
      op.in = in_;
      op.out = out_;
      op.kind = options_.activation;
      t.machine().run(op);
    };
    if (prepared_) {
      ops::linear_forward<real, const typename Engine::weight*> op{};
      op.weight = &*prepared_;
      fill(op);
    } else {
      ops::linear_forward<real> op{};
      op.weight = t.parameter_values(weight_);
      fill(op);
    }
  }
  void backward(tape<Engine>& t, const pass& p) override {
    const index rows = t.count(this->writes, p);
    real* const dy = t.gradient(this->writes);
    if (t.needs_gradient(options_.residual))
      t.machine().run(
          ops::accumulate<real>{dy, t.gradient(options_.residual), rows * out_, t.claim_gradient(options_.residual)});
    ops::linear_backward<real> op{};
    op.x = t.data(x_);
    op.weight = t.parameter_values(weight_);
    op.before = before_.data();
    op.dy = op.dz = dy;
    op.dweight = t.parameter_gradient(weight_);
    op.dbias = t.parameter_gradient(bias_);
    if (t.needs_gradient(x_)) {
      op.dx = t.gradient(x_);
      op.accumulate = t.claim_gradient(x_);
    }
    op.rows = rows;
    op.in = in_;
    op.out = out_;
    op.kind = options_.activation;
    t.machine().run(op);
    if (t.needs_gradient(options_.table)) {
      real* const table = t.gradient(options_.table);
      if (!t.claim_gradient(options_.table)) t.machine().run(ops::fill<real>{table, p.levels * out_, 0});
      t.machine().run(ops::scatter_rows<real>{dy, level_of_row(t, p), table, rows, out_});
    }
  }

 private:
  /// A value that has one row a level reads the table row by row.
  [[nodiscard]] const std::int32_t* level_of_row(const tape<Engine>& t, const pass& p) const noexcept {
    return t.kind(x_) == batch::rows ? p.level : nullptr;
  }
  value x_;
  index in_, out_;
  parameter weight_, bias_;
  linear_options options_;
  std::optional<typename Engine::weight> prepared_;
  typename Engine::buffer before_;
};

/// y = f(x W + b + table[level]) + residual, W (width of x, out) and b (1, out) under name.weight and name.bias. Throws
/// invalid_argument for a table that has no row a level, a residual of another kind than x, or either of another width.
template <engine Engine>
value linear(tape<Engine>& t, std::string_view name, value x, index out, const linear_options& options = {}) {
  const index in = t.width(x);
  const auto check_part = [&](std::string_view part, value v, batch wanted) {
    if (!v.exists()) return;
    check(t.kind(v) == wanted && t.width(v) == out, "nn::linear: the ", part, " of '", name, "' needs ", out,
          " columns and a row for each ", name_of(wanted), ", got ", t.width(v), " and a row for each ",
          name_of(t.kind(v)));
  };
  check_part("table", options.table, batch::levels);
  check_part("residual", options.residual, t.kind(x));
  auto weight = t.declare(concat(name, ".weight"), in, out, options.weight, in);
  auto bias = t.declare(concat(name, ".bias"), 1, out, options.weight, in);
  const batch kind = t.kind(x);
  return t.record(std::make_unique<linear_node<Engine>>(t, x, out, std::move(weight), std::move(bias), options), kind,
                  out, true);
}

}  // namespace anodiff::nn
