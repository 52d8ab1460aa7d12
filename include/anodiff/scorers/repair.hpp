// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/model.hpp>
#include <anodiff/concepts/prediction.hpp>
#include <anodiff/concepts/scorer.hpp>
#include <anodiff/core/reflected.hpp>
#include <anodiff/ops/mahalanobis.hpp>
#include <anodiff/scorers/feature_distance.hpp>

namespace anodiff::scorers {

struct repair_params {
  double depth = 0;  ///< noise level that the network is told the picture has, as share of the schedule; [0, 1]

  static constexpr void fields(auto& self, auto&& field) { field("depth", self.depth); }
};

/// What a network that has learned to take damage away changes in a picture, in one call without noise; two views:
///   |x − x̂(x)|, and the Mahalanobis distance of its last activations, in means of 2 x 2 and then 3 x 3, from those of
/// normal pictures. The first is the residual of cold diffusion (Bansal et al. 2022, arXiv:2208.09392) started at the
/// clean end; the second is PaDiM's (Defard et al. 2020, arXiv:2011.08785, eq. 2) with the denoiser's own features and
/// one Gaussian for all places. Needs pictures and a network that taps an activation of the picture's size.
class repair {
 public:
  using params = repair_params;
  using learned = gaussian_features;
  using study = feature_study;
  static constexpr std::string_view name = "repair";

  explicit repair(params p = {}) : params_{p} {
    check(p.depth >= 0 && p.depth <= 1, "scorers::repair: depth must lie in [0, 1], got ", p.depth);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }

  template <class Context>
  class run {
   public:
    run(const Context& context, index max_rows, double depth)
        : machine_{context.machine()},
          levels_{context.schedule()[static_cast<std::size_t>(
              std::llround(depth * static_cast<double>(context.schedule().size() - 1)))]},
          estimator_{context.estimator(levels_, max_rows)},
          extents_{context.model().sample_shape().sample},
          level_(static_cast<std::size_t>(max_rows)) {
      check(extents_.size() == 3, "scorers::repair: needs pictures (height, width, channels), got samples of ",
            extents_.size(), " dimensions");
      check(extents_[0] % 2 == 0 && extents_[1] % 2 == 0, "scorers::repair: needs pictures with even sides, got ",
            extents_[0], " x ", extents_[1]);
    }
    [[nodiscard]] index views() const noexcept { return 2; }

    /// Adds the activations of normal pictures x (n, h w c).
    void study(tensor_view<const float, 2> x, feature_study& known) {
      for (index i = 0; i < x.rows(); ++i) {
        (void)estimator_.output(x.row(i).data(), level_.data(), 1);
        const index channels = gather();
        known.add(smooth_.data(), extents_[0] / 2 * (extents_[1] / 2), channels);
      }
    }
    void evidence(tensor_view<const float, 2> x, const gaussian_features& known, tensor_view<float, 3> out) {
      const mixture fold = estimator_.fold(levels_[0]);
      const auto of_x = static_cast<float>(1 - fold.first), of_output = static_cast<float>(-fold.second);
      const index height = extents_[0], width = extents_[1], channels = extents_[2];
      for (index i = 0; i < x.rows(); ++i) {
        const float* in = x.row(i).data();
        const float* output = estimator_.output(in, level_.data(), 1);
        float* residual = out.data() + i * x.row_size();
        for (index e = 0; e < x.row_size(); ++e) residual[e] = std::abs(of_x * in[e] + of_output * output[e]);
        const index count = gather();
        check(static_cast<index>(known.mean.size()) == count, "scorers::repair: has learned ", known.mean.size(),
              " channels, the network gives ", count);
        const index pixels = height / 2 * (width / 2);
        distance_.resize(static_cast<std::size_t>(pixels));
        machine_.run(ops::mahalanobis<float>{smooth_.data(), known.mean.data(), known.whiten.data(), distance_.data(),
                                             pixels, count});
        float* far = out.data() + (x.rows() + i) * x.row_size();
        for (index y = 0; y < height; ++y)
          for (index j = 0; j < width; ++j)
            std::fill_n(far + (y * width + j) * channels, channels,
                        distance_[static_cast<std::size_t>(y / 2 * (width / 2) + j / 2)]);
      }
    }

   private:
    /// smooth_ (h / 2, w / 2, channels) = the latest activations; returns their channels.
    index gather() {
      const auto activations = estimator_.features();
      const index height = extents_[0] / 2, width = extents_[1] / 2, channels = activations.image.channels;
      check(activations.image.height == extents_[0] && activations.image.width == extents_[1],
            "scorers::repair: needs activations of ", extents_[0], " x ", extents_[1], ", got ",
            activations.image.height, " x ", activations.image.width);
      const index line = width * channels;
      half_.resize(static_cast<std::size_t>(height * line));
      across_.resize(half_.size());
      smooth_.resize(half_.size());
      for (index y = 0; y < height; ++y)
        for (index x = 0; x < width; ++x)
          for (index c = 0; c < channels; ++c) {
            const float* from = activations.data + (2 * y * 2 * width + 2 * x) * channels + c;
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
      return channels;
    }

    typename Context::machine_type machine_;
    std::vector<noise_level> levels_;
    typename Context::estimator_type estimator_;
    std::vector<index> extents_;
    std::vector<std::int32_t> level_;
    std::vector<float> half_, across_, smooth_, distance_;
  };
  template <class Context>
  requires denoiser<typename Context::model_type>
  [[nodiscard]] run<Context> prepare(const Context& context, index max_rows) const {
    return {context, max_rows, params_.depth};
  }
  /// Calls of the network that one picture costs at each scale.
  template <class Context>
  [[nodiscard]] index network_calls(const Context&) const noexcept {
    return 1;
  }

 private:
  params params_;
};
static_assert(policy<repair>);

}  // namespace anodiff::scorers
