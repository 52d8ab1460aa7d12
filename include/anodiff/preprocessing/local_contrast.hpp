// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/picture_preprocessor.hpp>
#include <anodiff/ops/blur.hpp>

namespace anodiff::preprocessing {

struct local_contrast_params {
  double sigma = 12;    ///< of the surroundings that a pixel is compared with, in pixels; (0, 1000]
  double coarser = 3;   ///< factor of sigma from each scale to the next coarser one; above 0
  double dark = 0.016;  ///< brightness below which the surroundings count as no darker; above 0
  double flat = 0.01;   ///< relative deviation below which the surroundings count as no flatter; above 0
  double gain = 0.8;    ///< brings ordinary texture to about unit deviation; above 0
  double limit = 8;     ///< largest value, either way; above 0
  index whole = 8;      ///< scale from which on a pixel is compared with the whole picture; 8 = never; [0, 8]

  static constexpr void fields(auto& self, auto&& field) {
    field("sigma", self.sigma);
    field("coarser", self.coarser);
    field("dark", self.dark);
    field("flat", self.flat);
    field("gain", self.gain);
    field("limit", self.limit);
    field("whole", self.whole);
  }
};

/// A pixel's relative deviation from the brightness around it, over the mean deviation there:
///   d = (I − G I) / (G I + dark),  x = clip(gain d / (G|d| + flat), ±limit),  G a Gaussian mean.
/// Exposure and slow changes of light drop out. The mean of |d| and not its root mean square, so that a defect, which
/// is part of its own surroundings, keeps its size. At coarse scales, where a defect can be as large as any
/// surroundings, a pixel is compared with the whole picture in logarithms, channel by channel:
///   x = clip(ln(I + 2 dark) − median, ±limit).
class local_contrast {
 public:
  using params = local_contrast_params;
  static constexpr std::string_view name = "local_contrast";
  static constexpr bool prepares_pictures = true;

  explicit local_contrast(params p = {}) : params_{p} {
    (void)ops::gaussian_weights<float>(p.sigma);  // checks it
    const auto positive = [](const char* what, double v) {
      check(v > 0, "preprocessing::local_contrast: ", what, " must be above 0, got ", v);
    };
    positive("coarser", p.coarser);
    positive("dark", p.dark);
    positive("flat", p.flat);
    positive("gain", p.gain);
    positive("limit", p.limit);
    check(p.whole >= 0 && p.whole <= 8, "preprocessing::local_contrast: whole must lie in [0, 8], got ", p.whole);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }

  template <class Engine>
  void apply(const Engine& machine, tensor_view<const float, 3> in, tensor_view<float, 3> out, index scale = 0) const {
    if (scale >= params_.whole) return compare_with_whole(in, out);
    const double sigma = std::min(params_.sigma * std::pow(params_.coarser, static_cast<double>(scale)), 1000.0);
    const auto weights = ops::gaussian_weights<float>(sigma);
    tensor<float, 3> mean{in.extents()}, scratch{in.extents()};
    const auto blur = [&](const float* from, float* to) {
      machine.run(ops::blur<float>{from, to, scratch.data(), &weights, 1, in.extent(0), in.extent(1), in.extent(2)});
    };
    blur(in.data(), mean.data());
    const auto dark = static_cast<float>(params_.dark), flat = static_cast<float>(params_.flat),
               gain = static_cast<float>(params_.gain), limit = static_cast<float>(params_.limit);
    const auto pixels = static_cast<std::size_t>(in.size());
    for (std::size_t i = 0; i < pixels; ++i) {
      out.data()[i] = (in.data()[i] - mean.data()[i]) / (mean.data()[i] + dark);
      mean.data()[i] = std::abs(out.data()[i]);
    }
    blur(mean.data(), mean.data());
    for (std::size_t i = 0; i < pixels; ++i)
      out.data()[i] = std::clamp(gain * out.data()[i] / (mean.data()[i] + flat), -limit, limit);
  }

 private:
  void compare_with_whole(tensor_view<const float, 3> in, tensor_view<float, 3> out) const {
    const index channels = in.extent(2), pixels = in.extent(0) * in.extent(1);
    const auto dark = static_cast<float>(2 * params_.dark), limit = static_cast<float>(params_.limit);
    std::vector<float> values(static_cast<std::size_t>(pixels));
    for (index c = 0; c < channels; ++c) {
      float* to = out.data() + c;
      for (index i = 0; i < pixels; ++i)
        to[i * channels] = values[static_cast<std::size_t>(i)] =
            std::log(std::max(in.data()[i * channels + c], 0.0F) + dark);
      const auto middle = values.begin() + pixels / 2;
      std::nth_element(values.begin(), middle, values.end());
      for (index i = 0; i < pixels; ++i) to[i * channels] = std::clamp(to[i * channels] - *middle, -limit, limit);
    }
  }
  params params_;
};

}  // namespace anodiff::preprocessing
