// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/cholesky.hpp>
#include <anodiff/core/philox.hpp>
#include <anodiff/core/tensor.hpp>
#include <cmath>
#include <numbers>
#include <span>
#include <vector>

namespace anodiff::aggregation {

/// A mixture of normal laws with full covariances, for a few dimensions.
class gaussian_mixture {
 public:
  gaussian_mixture() = default;

  /// From points (n, d), n at least 2, by expectation maximisation (Dempster et al. 1977): centres that lie far apart
  /// (Arthur & Vassilvitskii 2007, k-means++, drawn from the seed), then up to 200 rounds while the mean log density
  /// rises by more than 1e-6. `ridge` times the mean variance is added to every variance, so that a component cannot
  /// collapse.
  [[nodiscard]] static gaussian_mixture fit(tensor_view<const double, 2> points, index components, double ridge,
                                            std::uint64_t seed) {
    gaussian_mixture out;
    out.dimensions_ = points.row_size();
    const double floor = ridge * mean_variance(points);
    const auto n = static_cast<std::size_t>(points.rows()), k = static_cast<std::size_t>(components);
    std::vector<double> share = nearest(points, components, seed);
    double before = -std::numeric_limits<double>::infinity();
    for (int round = 0; round < 200; ++round) {
      out.maximise(points, share, k, floor + std::numeric_limits<double>::min());
      double sum = 0;
      for (std::size_t i = 0; i < n; ++i)
        sum += out.responsibilities(points.row(static_cast<index>(i)), {share.data() + i * k, k});
      if (sum / static_cast<double>(n) <= before + 1e-6) break;
      before = sum / static_cast<double>(n);
    }
    return out;
  }
  /// The number of components, 1 … most, of the smallest Bayesian information criterion (Schwarz 1978).
  [[nodiscard]] static gaussian_mixture choose(tensor_view<const double, 2> points, index most, double ridge,
                                               std::uint64_t seed) {
    const auto n = static_cast<double>(points.rows()), d = static_cast<double>(points.row_size());
    gaussian_mixture best;
    double least = std::numeric_limits<double>::infinity();
    for (index k = 1; k <= most; ++k) {
      const double free = static_cast<double>(k) * (1 + d + d * (d + 1) / 2) - 1;
      if (k > 1 && free > n / 2) break;
      auto made = fit(points, k, ridge, seed);
      double fitted = free * std::log(n);
      for (index i = 0; i < points.rows(); ++i) fitted -= 2 * made.log_density(points.row(i), {});
      if (fitted >= least) continue;
      least = fitted;
      best = std::move(made);
    }
    return best;
  }

  /// log p(x); where `slope` is not empty it becomes ∂ log p / ∂x.
  [[nodiscard]] double log_density(std::span<const double> x, std::span<double> slope) const {
    std::vector<double> share(weight_.size());
    const double value = responsibilities(x, share);
    if (slope.empty()) return value;
    std::ranges::fill(slope, 0.0);
    std::vector<double> pull(slope.size());
    for (std::size_t c = 0; c < share.size(); ++c) {
      for (std::size_t j = 0; j < x.size(); ++j) pull[j] = x[j] - mean_[c * x.size() + j];
      cholesky::solve(factor(c), dimensions_, pull.data());
      for (std::size_t j = 0; j < x.size(); ++j) slope[j] -= share[c] * pull[j];
    }
    return value;
  }
  [[nodiscard]] index dimensions() const noexcept { return dimensions_; }
  [[nodiscard]] index components() const noexcept { return static_cast<index>(weight_.size()); }

  /// Calls f(name, values) for each table.
  template <class F>
  void tensors(F&& f) const {
    f("weight", std::span<const double>{weight_});
    f("mean", std::span<const double>{mean_});
    f("factor", std::span<const double>{factor_});
  }
  /// From find(name, count) -> values, any number of them where count < 0. Throws data_error for what cannot have been
  /// written.
  template <class Find>
  [[nodiscard]] static gaussian_mixture restored(index dimensions, Find&& find) {
    gaussian_mixture out;
    out.dimensions_ = dimensions;
    out.weight_ = find("weight", index{-1});
    const auto k = static_cast<index>(out.weight_.size());
    check<data_error>(k >= 1 && k <= 4096, "a mixture has 1 to 4096 components, got ", k);
    out.mean_ = find("mean", k * dimensions);
    out.factor_ = find("factor", k * dimensions * dimensions);
    for (index c = 0; c < k; ++c) {
      check<data_error>(out.weight_[static_cast<std::size_t>(c)] > 0, "the weights of a mixture must be above 0");
      for (index j = 0; j < dimensions; ++j)
        check<data_error>(out.factor(static_cast<std::size_t>(c))[j * dimensions + j] > 0,
                          "the factors of a mixture must have diagonals above 0");
    }
    out.find_constants();
    return out;
  }

 private:
  [[nodiscard]] const double* factor(std::size_t c) const noexcept {
    return factor_.data() + c * static_cast<std::size_t>(dimensions_ * dimensions_);
  }
  [[nodiscard]] static double mean_variance(tensor_view<const double, 2> points) noexcept {
    const auto n = static_cast<double>(points.rows());
    double total = 0;
    for (index j = 0; j < points.row_size(); ++j) {
      double mean = 0, square = 0;
      for (index i = 0; i < points.rows(); ++i) mean += points(i, j) / n;
      for (index i = 0; i < points.rows(); ++i) square += (points(i, j) - mean) * (points(i, j) - mean) / n;
      total += square / static_cast<double>(points.row_size());
    }
    return total > 0 ? total : 1;
  }
  /// Each point's share of its nearest of `k` centres is 1.
  [[nodiscard]] static std::vector<double> nearest(tensor_view<const double, 2> points, index k, std::uint64_t seed) {
    const index n = points.rows();
    std::vector<double> share(static_cast<std::size_t>(n * k)),
        distance(static_cast<std::size_t>(n), std::numeric_limits<double>::infinity());
    std::vector<index> of(distance.size());
    const noise_key key{.seed = seed, .use = purpose::split};
    index centre = static_cast<index>(random_below(key, 0, static_cast<std::uint64_t>(n)));
    for (index c = 0; c < k; ++c) {
      double total = 0;
      for (index i = 0; i < n; ++i) {
        double square = 0;
        for (index j = 0; j < points.row_size(); ++j) {
          const double off = points(i, j) - points(centre, j);
          square += off * off;
        }
        auto& least = distance[static_cast<std::size_t>(i)];
        if (square < least) {
          least = square;
          of[static_cast<std::size_t>(i)] = c;
        }
        total += least;
      }
      double left = total * random_uniform(key, static_cast<std::uint64_t>(c) + 1);
      centre = n - 1;
      for (index i = 0; i < n && left >= 0; ++i) {
        left -= distance[static_cast<std::size_t>(i)];
        centre = i;
      }
    }
    for (index i = 0; i < n; ++i) share[static_cast<std::size_t>(i * k + of[static_cast<std::size_t>(i)])] = 1;
    return share;
  }
  void maximise(tensor_view<const double, 2> points, std::span<const double> share, std::size_t k, double floor) {
    const auto d = static_cast<std::size_t>(dimensions_);
    const index n = points.rows();
    weight_.assign(k, 0);
    mean_.assign(k * d, 0);
    factor_.assign(k * d * d, 0);
    for (std::size_t c = 0; c < k; ++c) {
      double total = std::numeric_limits<double>::min();
      double* const mean = mean_.data() + c * d;
      double* const spread = factor_.data() + c * d * d;
      for (index i = 0; i < n; ++i) {
        const double part = share[static_cast<std::size_t>(i) * k + c];
        total += part;
        for (std::size_t j = 0; j < d; ++j) mean[j] += part * points(i, static_cast<index>(j));
      }
      for (std::size_t j = 0; j < d; ++j) mean[j] /= total;
      for (index i = 0; i < n; ++i) {
        const double part = share[static_cast<std::size_t>(i) * k + c] / total;
        for (std::size_t r = 0; r < d; ++r)
          for (std::size_t e = 0; e <= r; ++e)
            spread[r * d + e] +=
                part * (points(i, static_cast<index>(r)) - mean[r]) * (points(i, static_cast<index>(e)) - mean[e]);
      }
      for (std::size_t j = 0; j < d; ++j) spread[j * d + j] += floor;
      (void)cholesky::factor(spread, dimensions_);
      weight_[c] = std::max(total / static_cast<double>(n), 1e-12);
    }
    find_constants();
  }
  void find_constants() {
    const double d = static_cast<double>(dimensions_);
    constant_.clear();
    for (std::size_t c = 0; c < weight_.size(); ++c) {
      double half_log_determinant = 0;
      for (index j = 0; j < dimensions_; ++j) half_log_determinant += std::log(factor(c)[j * dimensions_ + j]);
      constant_.push_back(std::log(weight_[c]) - half_log_determinant - d / 2 * std::log(2 * std::numbers::pi));
    }
  }
  /// log p(x); share becomes how likely each component is to have made x.
  double responsibilities(std::span<const double> x, std::span<double> share) const {
    std::vector<double> off(x.size());
    double most = -std::numeric_limits<double>::infinity();
    for (std::size_t c = 0; c < share.size(); ++c) {
      const double* const l = factor(c);
      double square = 0;
      for (index r = 0; r < dimensions_; ++r) {
        double v = x[static_cast<std::size_t>(r)] - mean_[c * x.size() + static_cast<std::size_t>(r)];
        for (index e = 0; e < r; ++e) v -= l[r * dimensions_ + e] * off[static_cast<std::size_t>(e)];
        off[static_cast<std::size_t>(r)] = v / l[r * dimensions_ + r];
        square += off[static_cast<std::size_t>(r)] * off[static_cast<std::size_t>(r)];
      }
      share[c] = constant_[c] - square / 2;
      most = std::max(most, share[c]);
    }
    double sum = 0;
    for (double& s : share) sum += s = std::exp(s - most);
    for (double& s : share) s /= sum;
    return most + std::log(sum);
  }

  index dimensions_ = 0;
  std::vector<double> weight_, mean_, factor_, constant_;  // factors are lower triangles of L Lᵀ, (components, d, d)
};

}  // namespace anodiff::aggregation
