// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/model.hpp>
#include <anodiff/concepts/scorer.hpp>
#include <anodiff/core/reflected.hpp>
#include <anodiff/ops/mahalanobis.hpp>
#include <cmath>
#include <string>
#include <vector>

namespace anodiff::scorers {

/// What the activations of normal pictures look like, pixel by pixel: a mean and the whitening of a covariance.
struct gaussian_features {
  std::vector<float> mean;    ///< (c)
  std::vector<float> whiten;  ///< (c, c), lower triangular: see ops::mahalanobis
  template <class F>
  void tensors(F&& f) const {
    f("mean", std::span<const float>{mean});
    f("whiten", std::span<const float>{whiten});
  }
  /// find(name) gives a span of floats. Throws data_error where the sizes do not belong together.
  template <class Find>
  void restore(Find&& find) {
    const auto values = [&](std::string_view name) {
      const auto found = find(name);
      return std::vector<float>(found.begin(), found.end());
    };
    auto new_mean = values("mean"), new_whiten = values("whiten");
    check<data_error>(new_whiten.size() == new_mean.size() * new_mean.size(), "features: ", new_mean.size(),
                      " channels need a whitening of ", new_mean.size() * new_mean.size(), " values, got ",
                      new_whiten.size());
    mean = std::move(new_mean);
    whiten = std::move(new_whiten);
  }
};

/// Gathers activations (pixels, c) and concludes with their mean and whitening. The covariance is raised by `floor`
/// times its largest variance, so that channels that hardly move do not decide alone.
class feature_study {
 public:
  static constexpr double floor = 1e-3;

  void add(const float* features, index pixels, index channels) {
    const auto c = static_cast<std::size_t>(channels);
    if (sum_.empty()) {
      sum_.resize(c);
      products_.resize(c * c);
    }
    // sums of one picture first, so that a picture's rounding does not depend on those before it
    std::vector<double> sum(c), products(c * c);
    for (index i = 0; i < pixels; ++i) {
      const float* x = features + i * channels;
      for (std::size_t a = 0; a < c; ++a) {
        sum[a] += static_cast<double>(x[a]);
        for (std::size_t b = 0; b <= a; ++b)
          products[a * c + b] += static_cast<double>(x[a]) * static_cast<double>(x[b]);
      }
    }
    for (std::size_t a = 0; a < c; ++a) sum_[a] += sum[a];
    for (std::size_t a = 0; a < c * c; ++a) products_[a] += products[a];
    count_ += static_cast<double>(pixels);
  }
  [[nodiscard]] gaussian_features conclude() const {
    const std::size_t c = sum_.size();
    gaussian_features out;
    std::vector<double> covariance(c * c);
    double largest = 1e-30;
    for (std::size_t a = 0; a < c; ++a) {
      out.mean.push_back(static_cast<float>(sum_[a] / count_));
      for (std::size_t b = 0; b <= a; ++b)
        covariance[a * c + b] = products_[a * c + b] / count_ - sum_[a] / count_ * (sum_[b] / count_);
      largest = std::max(largest, covariance[a * c + a]);
    }
    // S = L Lᵀ (Cholesky), then W = L⁻¹, row by row
    std::vector<double> lower(c * c), inverse(c * c);
    for (std::size_t a = 0; a < c; ++a)
      for (std::size_t b = 0; b <= a; ++b) {
        double rest = covariance[a * c + b] + (a == b ? floor * largest : 0);
        for (std::size_t k = 0; k < b; ++k) rest -= lower[a * c + k] * lower[b * c + k];
        lower[a * c + b] = a == b ? std::sqrt(std::max(rest, 1e-12 * largest)) : rest / lower[b * c + b];
      }
    for (std::size_t a = 0; a < c; ++a)
      for (std::size_t b = 0; b <= a; ++b) {
        double rest = a == b ? 1 : 0;
        for (std::size_t k = b; k < a; ++k) rest -= lower[a * c + k] * inverse[k * c + b];
        inverse[a * c + b] = rest / lower[a * c + a];
      }
    out.whiten.assign(inverse.begin(), inverse.end());
    return out;
  }

 private:
  std::vector<double> sum_, products_;
  double count_ = 0;
};

struct feature_distance_params {
  double depth = 0;  ///< noise level that the network is told the picture has, as share of the schedule; [0, 1]

  static constexpr void fields(auto& self, auto&& field) { field("depth", self.depth); }
};

/// How far a network's last activations, in means of 2 x 2 and then of 3 x 3 pixels, lie from those of normal pictures:
/// their Mahalanobis distance, in one call without noise. PaDiM (Defard et al. 2020, arXiv:2011.08785, eq. 2) with the
/// denoiser's own features and one Gaussian for all places. Needs pictures with even sides, and a network that taps
/// an activation of the picture's size.
class feature_distance {
 public:
  using params = feature_distance_params;
  using learned = gaussian_features;
  using study = feature_study;
  static constexpr std::string_view name = "feature_distance";

  explicit feature_distance(params p = {}) : params_{p} {
    check(p.depth >= 0 && p.depth <= 1, "scorers::feature_distance: depth must lie in [0, 1], got ", p.depth);
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
      check(extents_.size() == 3,
            "scorers::feature_distance: needs pictures (height, width, channels), got samples of ", extents_.size(),
            " dimensions");
      check(extents_[0] % 2 == 0 && extents_[1] % 2 == 0,
            "scorers::feature_distance: needs pictures with even sides, got ", extents_[0], " x ", extents_[1]);
    }
    [[nodiscard]] index views() const noexcept { return 1; }

    /// Adds the activations of normal pictures x (n, h w c).
    void study(tensor_view<const float, 2> x, feature_study& known) {
      for (index i = 0; i < x.rows(); ++i) {
        (void)estimator_.output(x.row(i).data(), level_.data(), 1);
        const index channels = gather();
        known.add(smooth_.data(), extents_[0] / 2 * (extents_[1] / 2), channels);
      }
    }
    void evidence(tensor_view<const float, 2> x, const gaussian_features& known, tensor_view<float, 3> out) {
      const index height = extents_[0], width = extents_[1], channels = extents_[2];
      const index pixels = height / 2 * (width / 2);
      for (index i = 0; i < x.rows(); ++i) {
        (void)estimator_.output(x.row(i).data(), level_.data(), 1);
        const index count = gather();
        check(static_cast<index>(known.mean.size()) == count, "scorers::feature_distance: has learned ",
              known.mean.size(), " channels, the network gives ", count);
        distance_.resize(static_cast<std::size_t>(pixels));
        machine_.run(ops::mahalanobis<float>{smooth_.data(), known.mean.data(), known.whiten.data(), distance_.data(),
                                             pixels, count});
        float* far = out.data() + i * x.row_size();
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
            "scorers::feature_distance: needs activations of ", extents_[0], " x ", extents_[1], ", got ",
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
static_assert(policy<feature_distance>);

}  // namespace anodiff::scorers
