// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/nn/norm_node.hpp>
#include <anodiff/ops/batch_norm.hpp>

namespace anodiff::nn {

template <engine Engine>
class batch_norm_node final : public norm_node<Engine> {
 public:
  using real = typename Engine::real;
  batch_norm_node(value x, parameter gain, parameter bias, parameter mean, parameter variance)
      : norm_node<Engine>{x, std::move(gain), std::move(bias)},
        moving_mean_{std::move(mean)},
        moving_variance_{std::move(variance)} {}
  void prepare(tape<Engine>& t) override { this->keep(t, t.width(x_)); }
  void forward(tape<Engine>& t, const pass& p) override {
    real* const memory = t.parameter_memory().data();
    t.machine().run(ops::batch_norm_forward<real>{t.data(x_), t.parameter_values(gain_), t.parameter_values(bias_),
                                                  memory + moving_mean_.offset, memory + moving_variance_.offset,
                                                  t.data(this->writes), mean_.data(), inverse_.data(),
                                                  t.count(this->writes, p), t.width(x_), p.training});
  }
  void backward(tape<Engine>& t, const pass& p) override {
    auto op = this->template gradients_by<ops::batch_norm_backward<real>>(t);
    op.rows = t.count(this->writes, p);
    op.width = t.width(x_);
    op.training = p.training;
    t.machine().run(op);
  }

 private:
  using norm_node<Engine>::x_, norm_node<Engine>::gain_, norm_node<Engine>::bias_, norm_node<Engine>::mean_,
      norm_node<Engine>::inverse_;
  parameter moving_mean_, moving_variance_;
};

/// Batch normalisation with learned gain and bias under name.weight and name.bias, and moving statistics, which have no
/// gradient and follow the training passes, under name.running_mean and name.running_var; a weight decay of the
/// optimiser pulls at them too, by rate × decay a step against the tenth of the way that they go to each batch. On the
/// CPU engine alone.
template <engine Engine>
value batch_norm(tape<Engine>& t, std::string_view name, value x) {
  const auto declare = [&](const char* what, initial how) {
    return t.declare(concat(name, what), 1, t.width(x), how, 1);
  };
  auto gain = declare(".weight", initial::one), bias = declare(".bias", initial::zero);
  auto mean = declare(".running_mean", initial::zero), variance = declare(".running_var", initial::one);
  return t.record(std::make_unique<batch_norm_node<Engine>>(x, std::move(gain), std::move(bias), std::move(mean),
                                                            std::move(variance)),
                  t.kind(x), t.width(x), true);
}

}  // namespace anodiff::nn
