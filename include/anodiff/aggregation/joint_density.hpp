// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/aggregation/gaussian_mixture.hpp>
#include <anodiff/concepts/aggregator.hpp>

namespace anodiff::aggregation {

struct joint_density_params {
  index components = 8;   ///< most normal laws of the mixture; as many as the information criterion wants; [1, 64]
  double ridge = 0.1;     ///< added to each variance, as share of the mean one; above 0
  bool logarithm = true;  ///< of the views, which are then taken for at least 1e-12

  static constexpr void fields(auto& self, auto&& field) {
    field("components", self.components);
    field("ridge", self.ridge);
    field("logarithm", self.logarithm);
  }
};

/// −log of the density of a sample's views, taken together, over normal samples: what no view finds odd alone may be
/// odd beside the others. Each view is scaled to mean 0 and deviation 1, and their density is a mixture of normal laws.
/// Mahmood et al. 2021 (MSMA), arXiv:2010.13132, section 3; the value is relative to the densest normal sample.
class joint_density {
 public:
  using params = joint_density_params;
  static constexpr std::string_view name = "joint_density";
  static constexpr bool needs_statistics = false;
  static constexpr bool needs_generated = false;

  /// The density; views are the pooled ones.
  class fitted {
   public:
    [[nodiscard]] index views() const noexcept { return static_cast<index>(scale_.size()); }
    /// The score of a sample, and what each view does to it: slope[v] = ∂ score / ∂ values[v].
    [[nodiscard]] double score(std::span<const double> values, std::span<double> slope) const {
      std::vector<double> u(values.size());
      for (std::size_t v = 0; v < u.size(); ++v) u[v] = scaled(v, values[v]);
      const double log_density = mixture_.log_density(u, slope);
      for (std::size_t v = 0; v < slope.size(); ++v)
        slope[v] *= -1 / (scale_[v] * (logarithm_ ? std::max(values[v], least) : 1));
      return densest_ - log_density;
    }
    [[nodiscard]] const gaussian_mixture& mixture() const noexcept { return mixture_; }

    template <class F>
    void tensors(F&& f) const {
      f("offset", std::span<const double>{offset_});
      f("scale", std::span<const double>{scale_});
      f("densest", std::span<const double>{&densest_, 1});
      mixture_.tensors(f);
    }

   private:
    friend class joint_density;
    static constexpr double least = 1e-12;
    [[nodiscard]] double raw(double value) const noexcept {
      return logarithm_ ? std::log(std::max(value, least)) : value;
    }
    [[nodiscard]] double scaled(std::size_t v, double value) const noexcept {
      return (raw(value) - offset_[v]) / scale_[v];
    }
    bool logarithm_ = true;
    double densest_ = 0;
    std::vector<double> offset_, scale_;
    gaussian_mixture mixture_;
  };

  explicit joint_density(params p = {}) : params_{p} {
    check(p.components >= 1 && p.components <= 64, "aggregation::joint_density: components must lie in [1, 64], got ",
          p.components);
    check(p.ridge > 0 && std::isfinite(p.ridge), "aggregation::joint_density: ridge must be above 0, got ", p.ridge);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }

  /// From the views (n, views) of normal samples. Throws invalid_argument for fewer than two, numeric_error for a view
  /// that is not finite.
  [[nodiscard]] fitted fit(tensor_view<const double, 2> normal, tensor_view<const double, 2>,
                           std::uint64_t seed) const {
    check(normal.rows() >= 2, "aggregation::joint_density: needs at least 2 normal samples, got ", normal.rows());
    fitted out;
    out.logarithm_ = params_.logarithm;
    const auto n = static_cast<double>(normal.rows());
    for (index v = 0; v < normal.row_size(); ++v) {
      double mean = 0, square = 0;
      for (index i = 0; i < normal.rows(); ++i) mean += out.raw(normal(i, v)) / n;
      for (index i = 0; i < normal.rows(); ++i) {
        const double off = out.raw(normal(i, v)) - mean;
        square += off * off / n;
      }
      check<numeric_error>(std::isfinite(square), "aggregation::joint_density: view ", v + 1,
                           " of a normal sample is not finite");
      const double deviation = std::sqrt(square);
      out.offset_.push_back(mean);
      out.scale_.push_back(deviation > 1e-9 * std::abs(mean) ? deviation : 1);
    }
    tensor<double, 2> points{normal.extents()};
    for (index i = 0; i < normal.rows(); ++i)
      for (index v = 0; v < normal.row_size(); ++v)
        points(i, v) = out.scaled(static_cast<std::size_t>(v), normal(i, v));
    out.mixture_ = gaussian_mixture::choose(points.view(), params_.components, params_.ridge, seed);
    out.densest_ = -std::numeric_limits<double>::infinity();
    for (index i = 0; i < normal.rows(); ++i)
      out.densest_ = std::max(out.densest_, out.mixture_.log_density(points.row(i), {}));
    return out;
  }
  /// What tensors() has given, from find(name, count). Throws data_error for what it cannot have been.
  template <class Find>
  [[nodiscard]] fitted restored(Find&& find) const {
    fitted out;
    out.logarithm_ = params_.logarithm;
    out.scale_ = find("scale", index{-1});
    out.offset_ = find("offset", out.views());
    out.densest_ = find("densest", index{1})[0];
    check<data_error>(out.views() >= 1 && out.views() <= 4096, "a density has 1 to 4096 views, got ", out.views());
    for (const double s : out.scale_) check<data_error>(s > 0, "the scales of views must be above 0, got ", s);
    out.mixture_ = gaussian_mixture::restored(out.views(), find);
    return out;
  }

 private:
  params params_;
};
static_assert(joint_aggregator<joint_density>);

}  // namespace anodiff::aggregation
