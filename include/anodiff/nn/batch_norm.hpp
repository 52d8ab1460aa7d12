// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/nn/tape.hpp>
#include <anodiff/ops/batch_norm.hpp>

namespace anodiff::nn {

template <engine Engine>
class batch_norm_node final : public node<Engine> {
 public:
  using real = typename Engine::real;
  batch_norm_node(value x, parameter gain, parameter bias, parameter mean, parameter variance)
      : x_{x},
        gain_{std::move(gain)},
        bias_{std::move(bias)},
        moving_mean_{std::move(mean)},
        moving_variance_{std::move(variance)} {
    this->reads = {x};
  }
  void prepare(tape<Engine>& t) override {
    if (mean_.size() != 0) return;
    mean_ = t.machine().allocate(t.width(x_));
    inverse_ = t.machine().allocate(t.width(x_));
  }
  void forward(tape<Engine>& t, const pass& p) override {
    real* const memory = t.parameter_memory().data();
    t.machine().run(ops::batch_norm_forward<real>{t.data(x_), t.parameter_values(gain_), t.parameter_values(bias_),
                                                  memory + moving_mean_.offset, memory + moving_variance_.offset,
                                                  t.data(this->writes), mean_.data(), inverse_.data(),
                                                  t.count(this->writes, p), t.width(x_), p.training});
  }
  void backward(tape<Engine>& t, const pass& p) override {
    ops::batch_norm_backward<real> op{};
    op.x = t.data(x_);
    op.dy = t.gradient(this->writes);
    op.gain = t.parameter_values(gain_);
    op.mean = mean_.data();
    op.inverse = inverse_.data();
    op.dgain = t.parameter_gradient(gain_);
    op.dbias = t.parameter_gradient(bias_);
    if (t.needs_gradient(x_)) {
      op.dx = t.gradient(x_);
      op.accumulate = t.claim_gradient(x_);
    }
    op.rows = t.count(this->writes, p);
    op.width = t.width(x_);
    op.training = p.training;
    t.machine().run(op);
  }

 private:
  value x_;
  parameter gain_, bias_, moving_mean_, moving_variance_;
  typename Engine::buffer mean_, inverse_;
};

/// Batch normalisation with learned gain and bias under name.weight and name.bias, and moving statistics, which have no
/// gradient and follow the training passes, under name.running_mean and name.running_var. On the CPU engine alone.
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
