// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/nn/tape.hpp>
#include <anodiff/ops/concat.hpp>
#include <array>

namespace anodiff::nn {

template <engine Engine>
class concat_node final : public node<Engine> {
 public:
  using real = typename Engine::real;
  concat_node(value a, value b, index pixels, index a_channels, index b_channels)
      : parts_{a, b}, pixels_{pixels}, channels_{a_channels, b_channels} {
    this->reads = {a, b};
  }
  void forward(tape<Engine>& t, const pass& p) override {
    for (std::size_t i = 0; i < 2; ++i)
      t.machine().run(ops::copy_channels<real>{t.data(parts_[i]), channels_[i], t.data(this->writes) + first(i),
                                               channels_[0] + channels_[1], t.count(parts_[i], p) * pixels_,
                                               channels_[i]});
  }
  void backward(tape<Engine>& t, const pass& p) override {
    for (std::size_t i = 0; i < 2; ++i)
      if (t.needs_gradient(parts_[i]))
        t.machine().run(ops::copy_channels<real>{t.gradient(this->writes) + first(i), channels_[0] + channels_[1],
                                                 t.gradient(parts_[i]), channels_[i], t.count(parts_[i], p) * pixels_,
                                                 channels_[i], t.claim_gradient(parts_[i])});
  }

 private:
  [[nodiscard]] index first(std::size_t part) const noexcept { return part == 0 ? 0 : channels_[0]; }
  std::array<value, 2> parts_;
  index pixels_;
  std::array<index, 2> channels_;
};

/// The channels of b behind those of a, pixel by pixel. Throws invalid_argument where one is no picture, or they differ
/// in height, width or kind.
template <engine Engine>
value concat_channels(tape<Engine>& t, value a, value b) {
  const image_shape left = t.image(a, "nn::concat_channels"), right = t.image(b, "nn::concat_channels");
  check(left.height == right.height && left.width == right.width && t.kind(a) == t.kind(b),
        "nn::concat_channels: needs two pictures of one size, got ", left.height, " by ", left.width, " for each ",
        name_of(t.kind(a)), " and ", right.height, " by ", right.width, " for each ", name_of(t.kind(b)));
  return t.record(std::make_unique<concat_node<Engine>>(a, b, left.pixels(), left.channels, right.channels), t.kind(a),
                  image_shape{left.height, left.width, left.channels + right.channels}, false);
}

}  // namespace anodiff::nn
