// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/nn/tape.hpp>
#include <anodiff/ops/affine.hpp>

namespace anodiff::nn {

struct affine_options {
  double scale = 1, offset = 0;
  value factor{};  ///< (levels, 1): multiplies each row by its level's; gets no gradient
};

template <engine Engine>
class affine_node final : public node<Engine> {
 public:
  using real = typename Engine::real;
  affine_node(value x, const affine_options& options) : x_{x}, options_{options} {
    this->reads = {x};
    if (options.factor.exists()) this->reads.push_back(options.factor);
  }
  void forward(tape<Engine>& t, const pass& p) override {
    run(t, p, t.data(x_), t.data(this->writes), options_.offset, false);
  }
  void backward(tape<Engine>& t, const pass& p) override {
    if (t.needs_gradient(x_)) run(t, p, t.gradient(this->writes), t.gradient(x_), 0, t.claim_gradient(x_));
  }

 private:
  void run(tape<Engine>& t, const pass& p, const real* from, real* to, double offset, bool accumulate) {
    const bool scaled = options_.factor.exists();
    t.machine().run(ops::affine<real>{from, to, t.count(x_, p), t.width(x_), static_cast<real>(options_.scale),
                                      static_cast<real>(offset), scaled ? t.data(options_.factor) : nullptr, p.level,
                                      accumulate});
  }
  value x_;
  affine_options options_;
};

/// factor[level] scale x + offset. Throws invalid_argument for a factor that is not (levels, 1), or that beside an x
/// with a row for each level.
template <engine Engine>
value affine(tape<Engine>& t, value x, const affine_options& options) {
  const value f = options.factor;
  check(!f.exists() || (t.kind(x) == batch::rows && t.kind(f) == batch::levels && t.width(f) == 1),
        "nn::affine: needs a factor of one column and a row for each noise level, and an x with a row for each sample, "
        "got a factor of ",
        f.exists() ? t.width(f) : 0, " columns");
  return t.record_like(std::make_unique<affine_node<Engine>>(x, options), x);
}

}  // namespace anodiff::nn
