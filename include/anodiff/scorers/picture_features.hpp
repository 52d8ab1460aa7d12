// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/distance.hpp>
#include <anodiff/concepts/model.hpp>
#include <anodiff/core/reflected.hpp>
#include <cmath>
#include <vector>

namespace anodiff::scorers {

struct feature_params {
  double depth = 0;  ///< noise level that the network is told the picture has, as share of the schedule; [0, 1]

  static constexpr void fields(auto& self, auto&& field) { field("depth", self.depth); }
};

/// What scorers on picture_features have in common: one call of the network a picture, at one noise level.
template <class Scorer>
class feature_scorer {
 public:
  using params = feature_params;

  explicit feature_scorer(params p) : params_{p} {
    check(p.depth >= 0 && p.depth <= 1, "scorers::", Scorer::name, ": depth must lie in [0, 1], got ", p.depth);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  template <class Context>
  requires denoiser<typename Context::model_type>
  [[nodiscard]] auto prepare(const Context& context, index max_rows) const {
    return typename Scorer::template run<Context>{context, max_rows, params_.depth};
  }
  /// Calls of the network that one picture costs at each scale.
  template <class Context>
  [[nodiscard]] index network_calls(const Context&) const noexcept {
    return 1;
  }

 private:
  params params_;
};

/// The last activations of a network that is shown a picture as it is, in means of 2 x 2 and then of 3 x 3 pixels.
/// Needs pictures with even sides, and a network that taps an activation of the picture's size.
template <class Context>
class picture_features {
 public:
  /// The network is told that the picture has the noise level at `depth` of the schedule, in [0, 1].
  picture_features(const Context& context, double depth, index max_rows)
      : levels_{context.schedule()[static_cast<std::size_t>(
            std::llround(depth * static_cast<double>(context.schedule().size() - 1)))]},
        estimator_{context.estimator(levels_, max_rows)},
        extents_{context.sample()} {
    check_is_picture("scorers::picture_features", extents_);
    check(extents_[0] % 2 == 0 && extents_[1] % 2 == 0,
          "scorers::picture_features: needs pictures with even sides, got ", extents_[0], " x ", extents_[1]);
  }

  /// Of one picture (h, w, c): (h/2 · w/2, channels), valid until the next call.
  [[nodiscard]] tensor_view<const float, 2> of(const float* picture) {
    const std::int32_t level = 0;
    (void)estimator_.output(picture, &level, 1);
    const auto activations = estimator_.features();
    check(activations.image.height == extents_[0] && activations.image.width == extents_[1],
          "scorers::picture_features: needs activations of ", extents_[0], " x ", extents_[1], ", got ",
          activations.image.height, " x ", activations.image.width);
    const index channels = activations.image.channels;
    smooth(activations.data, channels);
    return {smooth_.data(), {extents_[0] / 2 * (extents_[1] / 2), channels}};
  }
  /// One value for each place of `of` to all channels of its 2 x 2 pixels: out (h, w, c).
  void spread(const float* values, float* out) const noexcept {
    const index width = extents_[1], channels = extents_[2];
    for (index i = 0; i < extents_[0]; ++i)
      for (index j = 0; j < width; ++j)
        std::fill_n(out + (i * width + j) * channels, channels, values[i / 2 * (width / 2) + j / 2]);
  }

 private:
  void smooth(const float* activations, index channels) {
    const index height = extents_[0] / 2, width = extents_[1] / 2, line = width * channels;
    half_.resize(static_cast<std::size_t>(height * line));
    across_.resize(half_.size());
    smooth_.resize(half_.size());
    for (index y = 0; y < height; ++y)
      for (index x = 0; x < width; ++x)
        for (index c = 0; c < channels; ++c) {
          const float* from = activations + (2 * y * 2 * width + 2 * x) * channels + c;
          half_[static_cast<std::size_t>(y * line + x * channels + c)] =
              (from[0] + from[channels] + from[2 * line] + from[2 * line + channels]) / 4;
        }
    for (index y = 0; y < height; ++y)
      for (index x = 0; x < width; ++x) {
        const float* middle = half_.data() + y * line;
        const float *left = middle + reflected(x - 1, width) * channels, *at = middle + x * channels,
                    *right = middle + reflected(x + 1, width) * channels;
        float* to = across_.data() + y * line + x * channels;
        for (index c = 0; c < channels; ++c) to[c] = left[c] + at[c] + right[c];
      }
    for (index y = 0; y < height; ++y) {
      const float *above = across_.data() + reflected(y - 1, height) * line, *at = across_.data() + y * line,
                  *below = across_.data() + reflected(y + 1, height) * line;
      float* to = smooth_.data() + y * line;
      for (index e = 0; e < line; ++e) to[e] = (above[e] + at[e] + below[e]) / 9;
    }
  }

  std::vector<noise_level> levels_;
  typename Context::estimator_type estimator_;
  std::vector<index> extents_;
  std::vector<float> half_, across_, smooth_;
};

}  // namespace anodiff::scorers
