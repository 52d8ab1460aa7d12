// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/model.hpp>
#include <anodiff/concepts/scorer.hpp>
#include <anodiff/core/cholesky.hpp>
#include <anodiff/ops/mahalanobis.hpp>
#include <anodiff/scorers/picture_features.hpp>
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
    const auto features = static_cast<index>(c);
    for (std::size_t a = 0; a < c; ++a) covariance[a * c + a] += floor * largest;
    std::vector<double> inverse(c * c);
    (void)cholesky::factor(covariance.data(), features, 1e-12 * largest);
    cholesky::invert(covariance.data(), features, inverse.data());
    out.whiten.assign(inverse.begin(), inverse.end());
    return out;
  }

 private:
  std::vector<double> sum_, products_;
  double count_ = 0;
};

/// How far a network's last activations, in means of 2 x 2 and then of 3 x 3 pixels, lie from those of normal pictures:
/// their Mahalanobis distance, in one call without noise. PaDiM (Defard et al. 2020, arXiv:2011.08785, eq. 2) with the
/// denoiser's own features and one Gaussian for all places. Needs pictures with even sides, and a network that taps
/// an activation of the picture's size.
class feature_distance : public feature_scorer<feature_distance> {
 public:
  using learned = gaussian_features;
  using study = feature_study;
  static constexpr std::string_view name = "feature_distance";

  explicit feature_distance(params p = {}) : feature_scorer{p} {}

  template <class Context>
  class run {
   public:
    run(const Context& context, index max_rows, double depth)
        : machine_{context.machine()}, features_{context, depth, max_rows} {}
    [[nodiscard]] index views() const noexcept { return 1; }

    /// Adds the activations of normal pictures x (n, h w c).
    void study(tensor_view<const float, 2> x, feature_study& known) {
      for (index i = 0; i < x.rows(); ++i) {
        const auto found = features_.of(x.row(i).data());
        known.add(found.data(), found.rows(), found.row_size());
      }
    }
    void evidence(tensor_view<const float, 2> x, const gaussian_features& known, tensor_view<float, 3> out) {
      for (index i = 0; i < x.rows(); ++i) {
        const auto found = features_.of(x.row(i).data());
        check(static_cast<index>(known.mean.size()) == found.row_size(), "scorers::feature_distance: has learned ",
              known.mean.size(), " channels, the network gives ", found.row_size());
        distance_.resize(static_cast<std::size_t>(found.rows()));
        machine_.run(ops::mahalanobis<float>{found.data(), known.mean.data(), known.whiten.data(), distance_.data(),
                                             found.rows(), found.row_size()});
        features_.spread(distance_.data(), out.data() + i * x.row_size());
      }
    }

   private:
    typename Context::machine_type machine_;
    picture_features<Context> features_;
    std::vector<float> distance_;
  };
};
static_assert(policy<feature_distance>);

}  // namespace anodiff::scorers
