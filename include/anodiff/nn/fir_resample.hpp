// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/nn/tape.hpp>
#include <anodiff/ops/fir_resample.hpp>

namespace anodiff::nn {

/// Enlarges or reduces pictures by two through a filter; the backward pass of one is the forward pass of the other.
template <engine Engine, bool Enlarges>
class fir_resample_node final : public node<Engine> {
 public:
  using real = typename Engine::real;
  fir_resample_node(value x, const image_shape& small) : x_{x}, small_{small} { this->reads = {x}; }
  void forward(tape<Engine>& t, const pass& p) override {
    run<Enlarges>(t, p, t.data(x_), t.data(this->writes), false);
  }
  void backward(tape<Engine>& t, const pass& p) override {
    if (t.needs_gradient(x_)) run<!Enlarges>(t, p, t.gradient(this->writes), t.gradient(x_), t.claim_gradient(x_));
  }

 private:
  template <bool Up>
  void run(tape<Engine>& t, const pass& p, const real* from, real* to, bool accumulate) {
    using op = std::conditional_t<Up, ops::fir_enlarge<real>, ops::fir_reduce<real>>;
    t.machine().run(
        op{from, to, p.rows, small_.height, small_.width, small_.channels, real{1} / (Enlarges ? 16 : 64), accumulate});
  }
  value x_;
  image_shape small_;
};

/// Twice the height and width, smoothed. Throws invalid_argument for an x that is no picture.
template <engine Engine>
value fir_upsample(tape<Engine>& t, value x) {
  const image_shape small = t.image(x, "nn::fir_upsample");
  return t.record(std::make_unique<fir_resample_node<Engine, true>>(x, small), t.kind(x),
                  image_shape{2 * small.height, 2 * small.width, small.channels}, false);
}

/// Half the height and width, smoothed before. Throws invalid_argument for an x that is no picture, or whose height or
/// width is odd.
template <engine Engine>
value fir_downsample(tape<Engine>& t, value x) {
  const image_shape large = t.image(x, "nn::fir_downsample");
  check(large.height % 2 == 0 && large.width % 2 == 0, "nn::fir_downsample: needs an even height and width, got ",
        large.height, " by ", large.width);
  const image_shape small{large.height / 2, large.width / 2, large.channels};
  return t.record(std::make_unique<fir_resample_node<Engine, false>>(x, small), t.kind(x), small, false);
}

}  // namespace anodiff::nn
