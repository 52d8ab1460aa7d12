// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/nn/norm_node.hpp>
#include <anodiff/nn/table_gradient.hpp>
#include <anodiff/ops/group_norm.hpp>

namespace anodiff::nn {

struct group_norm_options {
  index groups = 32;      ///< it divides the channels
  double epsilon = 1e-5;  ///< added to the variance; (0, 1]
  ops::activation activation = ops::activation::identity;
  value table{};  ///< (levels, 2 channels): s and t, applied before the activation as z (1 + s) + t
};

template <engine Engine>
class group_norm_node final : public norm_node<Engine> {
 public:
  using real = typename Engine::real;
  group_norm_node(value x, const image_shape& image, parameter gain, parameter bias, const group_norm_options& options)
      : norm_node<Engine>{x, std::move(gain), std::move(bias)}, image_{image}, options_{options} {
    if (options.table.exists()) this->reads.push_back(options.table);
  }
  void prepare(tape<Engine>& t) override {
    if (t.mode() != gradients::off) this->keep(t, t.capacity(x_) * options_.groups);
  }
  index scratch(tape<Engine>& t) override {
    return t.mode() == gradients::off ? 0 : t.max_rows() * 2 * image_.channels;
  }
  void forward(tape<Engine>& t, const pass& p) override {
    const bool keep = mean_.size() != 0, shifts = options_.table.exists();
    t.machine().run(ops::group_norm_forward<real>{
        t.data(x_), t.parameter_values(gain_), t.parameter_values(bias_), shifts ? t.data(options_.table) : nullptr,
        p.level, t.data(this->writes), keep ? mean_.data() : nullptr, keep ? inverse_.data() : nullptr, p.rows,
        image_.pixels(), image_.channels, options_.groups, options_.epsilon, options_.activation});
  }
  void backward(tape<Engine>& t, const pass& p) override {
    auto op = this->template gradients_by<ops::group_norm_backward<real>>(t);
    op.bias = t.parameter_values(bias_);
    if (options_.table.exists()) op.table = t.data(options_.table);
    op.level = p.level;
    op.sums = t.scratch();
    op.n = p.rows;
    op.pixels = image_.pixels();
    op.channels = image_.channels;
    op.groups = options_.groups;
    op.kind = options_.activation;
    t.machine().run(op);
    if (t.needs_gradient(options_.table)) add_table_gradient(t, p, options_.table, op.sums);
  }

 private:
  using norm_node<Engine>::x_, norm_node<Engine>::gain_, norm_node<Engine>::bias_, norm_node<Engine>::mean_,
      norm_node<Engine>::inverse_;
  image_shape image_;
  group_norm_options options_;
};

/// Group normalisation of pictures with learned gain and bias under name.weight and name.bias. Throws invalid_argument
/// for an x that is no picture, groups that do not divide its channels, or a table that is not (levels, 2 channels).
template <engine Engine>
value group_norm(tape<Engine>& t, std::string_view name, value x, const group_norm_options& options = {}) {
  const image_shape image = t.image(x, concat("nn::group_norm '", name, "'"));
  check(options.groups >= 1 && image.channels % options.groups == 0, "nn::group_norm: the groups of '", name,
        "' must divide its ", image.channels, " channels, got ", options.groups);
  check(options.epsilon > 0 && options.epsilon <= 1, "nn::group_norm: epsilon of '", name, "' must lie in (0, 1], got ",
        options.epsilon);
  check_scale_and_shift(t, concat("nn::group_norm '", name, "'"), image, options.table);
  auto gain = t.declare(concat(name, ".weight"), 1, image.channels, initial::one, 1);
  auto bias = t.declare(concat(name, ".bias"), 1, image.channels, initial::zero, 1);
  return t.record(std::make_unique<group_norm_node<Engine>>(x, image, std::move(gain), std::move(bias), options),
                  batch::rows, image, true);
}

}  // namespace anodiff::nn
