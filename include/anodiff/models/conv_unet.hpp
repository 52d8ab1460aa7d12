// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/models/neural.hpp>
#include <anodiff/nn/activation.hpp>
#include <anodiff/nn/concat.hpp>
#include <anodiff/nn/conv2d.hpp>
#include <anodiff/nn/resample.hpp>
#include <anodiff/nn/scale_shift.hpp>
#include <anodiff/nn/time_embedding.hpp>

namespace anodiff::models {

struct conv_unet_params {
  index width = 16;          ///< channels at full size; the i-th halving has (i + 1) times as many; [1, 4096]
  index levels = 3;          ///< sizes: the whole picture and levels − 1 halvings; [1, 8]
  index outputs = 0;         ///< channels of the output; 0: those of the sample; up to 4096
  index time_features = 64;  ///< sinusoids of the level's time; even, [2, 4096]
  index time_width = 64;     ///< of the time's embedding; [1, 65536]
  /// Whether a crop's inside has the same bits as the whole picture's. Without it layers of 32 channels and more take
  /// about half the time, and a crop differs by rounding.
  bool same_everywhere = true;

  static constexpr void fields(auto& self, auto&& field) {
    field("width", self.width);
    field("levels", self.levels);
    field("outputs", self.outputs);
    field("time_features", self.time_features);
    field("time_width", self.time_width);
    field("same_everywhere", self.same_everywhere);
  }
};

/// A small convolutional U-Net for pictures (Ronneberger et al. 2015, arXiv:1505.04597), of residual blocks
///   h ← shortcut(h) + C₂ SiLU((1 + s) C₁ SiLU(h) + t),
/// (s, t) a projection of the time's embedding. Nothing in it is normalised over the picture: a pixel's output depends
/// on its surroundings alone, so that what is learned on crops holds for pictures of any size. Its last activations are
/// tapped: see neural::run::features. Throws invalid_argument for a picture whose height or width is no multiple of
/// 2^(levels − 1).
class conv_unet_architecture {
 public:
  using params = conv_unet_params;
  static constexpr std::string_view name = "conv_unet";

  explicit conv_unet_architecture(params p = {}) : params_{p} {
    check(p.width >= 1 && p.width <= 4096, "models::conv_unet: width must lie in [1, 4096], got ", p.width);
    check(p.levels >= 1 && p.levels <= 8, "models::conv_unet: levels must lie in [1, 8], got ", p.levels);
    check(p.outputs >= 0 && p.outputs <= 4096, "models::conv_unet: outputs must lie in [0, 4096], got ", p.outputs);
    check(p.time_features >= 2 && p.time_features <= 4096 && p.time_features % 2 == 0,
          "models::conv_unet: time_features must be even and lie in [2, 4096], got ", p.time_features);
    check(p.time_width >= 1 && p.time_width <= 65536, "models::conv_unet: time_width must lie in [1, 65536], got ",
          p.time_width);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] index time_features() const noexcept { return params_.time_features; }
  /// What height and width must be a multiple of.
  [[nodiscard]] index granule() const noexcept { return index{1} << (params_.levels - 1); }

  template <class Tape>
  [[nodiscard]] nn::value forward(Tape& t, nn::value x, nn::value features) const {
    const nn::image_shape image = t.image(x, "models::conv_unet");
    check(image.height % granule() == 0 && image.width % granule() == 0,
          "models::conv_unet: height and width must be multiples of ", granule(), ", got ", image.height, " by ",
          image.width);
    const nn::value embedded = nn::time_embedding(t, "time", features, params_.time_width);
    const nn::value time = nn::activate(t, embedded, ops::activation::silu);
    std::vector<nn::value> skips;
    nn::value h = nn::conv2d(t, "in", x, channels(0), convolution());
    for (index i = 0; i < params_.levels; ++i) {
      if (i > 0) h = nn::mean_pool(t, h);
      h = block(t, concat("down.", i), h, time, channels(i));
      if (i + 1 < params_.levels) skips.push_back(h);
    }
    h = block(t, "middle", h, time, channels(params_.levels - 1));
    for (index i = params_.levels - 2; i >= 0; --i) {
      h = nn::concat_channels(t, nn::upsample(t, h), skips[static_cast<std::size_t>(i)]);
      h = block(t, concat("up.", i), h, time, channels(i));
    }
    h = nn::activate(t, h, ops::activation::silu);
    t.tap(h);
    return nn::conv2d(t, "out", h, params_.outputs == 0 ? image.channels : params_.outputs, convolution());
  }

 private:
  [[nodiscard]] nn::conv2d_options convolution(nn::value residual = {}) const noexcept {
    return {.same_everywhere = params_.same_everywhere, .residual = residual};
  }
  [[nodiscard]] index channels(index level) const noexcept { return params_.width * (level + 1); }

  template <class Tape>
  [[nodiscard]] nn::value block(Tape& t, const std::string& which, nn::value x, nn::value time, index out) const {
    const auto part = [&](const char* what) { return concat(which, ".", what); };
    const nn::value table = nn::linear(t, part("project"), time, 2 * out);
    nn::value h = nn::conv2d(t, part("first"), nn::activate(t, x, ops::activation::silu), out, convolution());
    h = nn::scale_shift(t, h, table, ops::activation::silu);
    const bool same = t.image(x).channels == out;
    const nn::value shortcut = same ? x : nn::conv2d(t, part("shortcut"), x, out, {.kernel = 1});
    return nn::conv2d(t, part("second"), h, out, convolution(shortcut));
  }

  params params_;
};

template <engine Engine>
using conv_unet = neural<conv_unet_architecture, Engine>;

}  // namespace anodiff::models
