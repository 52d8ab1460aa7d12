// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/parallel.hpp>
#include <anodiff/corruptions/damage_shapes.hpp>
#include <anodiff/corruptions/gaussian.hpp>
#include <anodiff/corruptions/noise_family.hpp>
#include <anodiff/corruptions/simplex.hpp>

namespace anodiff::corruptions {

template <class Noise>
struct masked_params : Noise::params {
  index most = 5;          ///< boxes in a sample, from none on; [0, 64]
  double smallest = 0.09;  ///< side of a box as share of the height; above 0
  double largest = 0.18;   ///< likewise; at least `smallest`, at most 1
  double fill = -1;        ///< value in a box, in units of the prepared sample: black for pictures in [-1, 1]

  static constexpr void fields(auto& self, auto&& field) {
    Noise::params::fields(self, field);
    field("most", self.most);
    field("smallest", self.smallest);
    field("largest", self.largest);
    field("fill", self.fill);
  }
};

/// x_t = alpha M(x_0) + sigma n, where M blots boxes out, and the target is of the whole x_0: the network must infer
/// what it cannot copy. Iqbal et al. 2023 (mDDPM), arXiv:2305.19867, their masking of pixels; that of frequencies is
/// not here. Noise gives the noise: gaussian, or simplex as in the authors' code. Needs samples (height, width,
/// channels).
template <class Noise = simplex>
class masked {
 public:
  using params = masked_params<Noise>;
  using noise_policy = Noise;
  static constexpr std::string_view name = "masked";

  explicit masked(params p = {}) : params_{p}, noise_{p} {
    check(p.most >= 0 && p.most <= 64, "corruptions::masked: most must lie in [0, 64], got ", p.most);
    check(p.smallest > 0 && p.smallest <= p.largest && p.largest <= 1,
          "corruptions::masked: smallest and largest must be 0 < low <= high <= 1, got ", p.smallest, " and ",
          p.largest);
    check(std::isfinite(p.fill), "corruptions::masked: fill must be finite, got ", p.fill);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }

  template <class Engine>
  requires part::has_noise_of_its_own<Noise, Engine>
  void noise(Engine& engine, const noise_batch<typename Engine::real>& b) const { noise_.noise(engine, b); }

  template <class Engine>
  requires requires(Engine& e) { e.pool(); }
  void corrupt(Engine& engine, const corruption_batch<typename Engine::real>& b) const {
    check_pictures("corruptions::masked", b);
    fill_noise(noise_, engine, noise_of(b, b.target));
    parallel_for(engine.pool(), b.rows, 1, [&](index first, index last) {
      for (index i = first; i < last; ++i) {
        std::copy_n(b.x + i * b.row_size, b.row_size, b.damaged + i * b.row_size);
        noise_key key = b.key;
        key.draw = b.draws[i];
        key.use = purpose::augmentation;  // elements 0 to 3 of it place the crop
        blot(tensor_view<typename Engine::real, 3>{b.damaged + i * b.row_size, {b.sample[0], b.sample[1], b.sample[2]}},
             {key, 16});
        noise_damaged_row(b, i);
      }
    });
  }

  /// Blots boxes out of a picture (height, width, channels).
  template <class T>
  void blot(tensor_view<T, 3> picture, drawn_numbers draw) const {
    const index height = picture.extent(0), width = picture.extent(1), channels = picture.extent(2);
    for (index boxes = draw.below(params_.most + 1); boxes > 0; --boxes) {
      const auto side = [&](index extent) {
        const double pixels = draw.uniform(params_.smallest, params_.largest) * static_cast<double>(height);
        return std::clamp<index>(std::llround(pixels), 1, extent);
      };
      const index tall = side(height), wide = side(width);
      const index top = draw.below(height - tall + 1), left = draw.below(width - wide + 1);
      for (index y = top; y < top + tall; ++y)
        std::fill_n(picture.data() + (y * width + left) * channels, wide * channels, static_cast<T>(params_.fill));
    }
  }

 private:
  params params_;
  Noise noise_;
};

}  // namespace anodiff::corruptions
