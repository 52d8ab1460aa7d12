// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/cholesky.hpp>
#include <anodiff/core/reflected.hpp>
#include <anodiff/core/simd.hpp>
#include <anodiff/core/tensor.hpp>
#include <anodiff/ops/blur.hpp>
#include <anodiff/ops/vector_loop_cpu.hpp>
#include <cmath>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace anodiff::models {

/// The places whose distance from a place lies in (near, far], those of every `step`-th row and column.
struct ring {
  index near, far, step;
};

/// What a place of maps (planes, rows, columns) holds is guessed from a ring around it, linearly, and told how far off
/// the guess is: for maps that are a stationary Gaussian field, the exact mean given the ring, which is in-painting by
/// the best denoiser there is, and the Mahalanobis distance from it. A conditional autoregression (Besag 1974, eq. 4.7)
/// fitted by least squares, with a hole in its middle that hides a deviation as wide as itself. A place is a Gaussian
/// mean of the few around it; beyond the border the maps are mirrored, so that a place there is judged by its likes.
template <class Real>
class ring_regression {
  template <class Maps>
  [[nodiscard]] static auto* at(Maps& maps, index plane, index i, index j) noexcept {
    return maps.data() + (plane * maps.extent(1) + i) * maps.extent(2) + j;
  }

 public:
  /// Gathers maps of normal pictures, and concludes. The sums are in double, picture after picture.
  class study {
   public:
    study(const ring& where, index planes)
        : ring_{where},
          planes_{planes},
          inputs_{planes * static_cast<index>(offsets(where).size()) + 1},
          rows_{(inputs_ + planes + 3) / 4 * 4},
          sums_(static_cast<std::size_t>(rows_ * rows_)) {}

    /// maps (planes, rows, columns); of large ones every few rows.
    void add(tensor_view<const Real, 3> maps) {
      constexpr index most_places = 8192;
      const index rows = maps.extent(1), columns = maps.extent(2);
      const auto around = offsets(ring_);
      const auto padded = padded_by(maps, ring_.far);
      const auto smooth = smoothed(maps);
      const index stride = (columns + simd::lanes<double> - 1) / simd::lanes<double> * simd::lanes<double>;
      std::vector<double> values(static_cast<std::size_t>(rows_ * stride));  // (rows, stride): inputs, a one, targets
      const auto take = [&](index row, const Real* from) { std::copy_n(from, columns, values.data() + row * stride); };
      std::fill_n(values.data() + (inputs_ - 1) * stride, columns, 1.0);
      for (index i = 0; i < rows; i += 1 + rows * columns / most_places) {
        for (index c = 0; c < planes_; ++c) {
          take(inputs_ + c, at(smooth, c, i, 0));
          for (std::size_t k = 0; k < around.size(); ++k)
            take(static_cast<index>(k) * planes_ + c,
                 at(padded, c, i + ring_.far + around[k].first, ring_.far + around[k].second));
        }
        add_products(values.data(), stride);
        count_ += static_cast<double>(columns);
      }
    }
    /// Each input's variance is raised by 0.002 of the mean of all.
    [[nodiscard]] ring_regression conclude() const {
      check(count_ > 0, "models::ring_regression: needs maps to learn from");
      constexpr double ridge = 2e-3, floor = 1e-3;
      const auto n = inputs_, p = planes_;
      const auto mean = [&](index i, index j) { return sums_[place(std::max(i, j), std::min(i, j), rows_)] / count_; };
      std::vector<double> a(static_cast<std::size_t>(n * n)), weights(static_cast<std::size_t>(p * n));  // (p, n)
      for (index i = 0; i < n; ++i)
        for (index j = 0; j < n; ++j) a[place(i, j, n)] = mean(i, j);
      const double raise = ridge * trace(a, n) / static_cast<double>(n) + 1e-12;
      for (index i = 0; i + 1 < n; ++i) a[place(i, i, n)] += raise;
      auto factor = a;
      (void)cholesky::factor(factor.data(), n);
      for (index c = 0; c < p; ++c) {
        for (index i = 0; i < n; ++i) weights[place(c, i, n)] = mean(n + c, i);
        cholesky::solve(factor.data(), n, weights.data() + c * n);
      }
      std::vector<double> left(static_cast<std::size_t>(p * p));  // what the inputs leave of the targets' covariance
      std::vector<double> guess(static_cast<std::size_t>(n));
      for (index e = 0; e < p; ++e) {
        for (index i = 0; i < n; ++i) {
          double sum = 0;
          for (index j = 0; j < n; ++j) sum += a[place(i, j, n)] * weights[place(e, j, n)];
          guess[static_cast<std::size_t>(i)] = sum - mean(n + e, i);
        }
        for (index c = 0; c < p; ++c) {
          double sum = mean(n + c, n + e);
          for (index i = 0; i < n; ++i)
            sum +=
                weights[place(c, i, n)] * guess[static_cast<std::size_t>(i)] - weights[place(e, i, n)] * mean(n + c, i);
          left[place(c, e, p)] = sum;
        }
      }
      const double least = floor * trace(left, p) / static_cast<double>(p) + 1e-12;
      for (index c = 0; c < p; ++c) left[place(c, c, p)] += least;
      (void)cholesky::factor(left.data(), p);
      ring_regression out{ring_, planes_};
      for (index i = 0; i < n; ++i)
        for (index c = 0; c < p; ++c) out.weights_.push_back(static_cast<Real>(weights[place(c, i, n)]));
      std::vector<double> whiten(static_cast<std::size_t>(p * p));
      cholesky::invert(left.data(), p, whiten.data());
      out.whiten_.assign(whiten.begin(), whiten.end());
      return out;
    }

   private:
    [[nodiscard]] static std::size_t place(index i, index j, index columns) noexcept {
      return static_cast<std::size_t>(i * columns + j);
    }
    [[nodiscard]] static double trace(const std::vector<double>& m, index n) noexcept {
      double sum = 0;
      for (index i = 0; i < n; ++i) sum += m[place(i, i, n)];
      return sum;
    }
    /// Adds v vᵀ of v (rows, stride) to the sums, in squares of four by four that touch the lower triangle.
    void add_products(const double* v, index stride) noexcept {
      using vec = simd::vec<double>;
      for (index i = 0; i < rows_; i += 4)
        for (index j = 0; j <= i; j += 4) {
          vec sums[4][4] = {};
          for (index e = 0; e < stride; e += simd::lanes<double>) {
            const double *left = v + i * stride + e, *right = v + j * stride + e;
            const vec across[] = {simd::load<vec>(right), simd::load<vec>(right + stride),
                                  simd::load<vec>(right + 2 * stride), simd::load<vec>(right + 3 * stride)};
            ops::cpu::unrolled<4>([&](auto a) {
              const vec down = simd::load<vec>(left + a * stride);
              ops::cpu::unrolled<4>([&](auto b) { sums[a][b] += down * across[b]; });
            });
          }
          for (int a = 0; a < 4; ++a)
            for (int b = 0; b < 4; ++b) sums_[place(i + a, j + b, rows_)] += simd::sum(sums[a][b]);
        }
    }

    ring ring_;
    index planes_, inputs_, rows_;  // rows: inputs and targets, filled up to a multiple of four
    std::vector<double> sums_;      // (rows, rows), lower triangle: products of inputs, a one and targets
    double count_ = 0;
  };

  /// (rows, columns): how far each place lies from what its ring lets expect, in standard deviations, at least 0.
  [[nodiscard]] tensor<Real, 2> distance(tensor_view<const Real, 3> maps) const {
    check(maps.extent(0) == planes_, "models::ring_regression: has learned from ", planes_, " maps, got ",
          maps.extent(0));
    const index rows = maps.extent(1), columns = maps.extent(2);
    const auto around = offsets(ring_);
    const auto padded = padded_by(maps, ring_.far);
    auto rest = smoothed(maps);
    const Real* constant = weights_.data() + planes_ * planes_ * static_cast<index>(around.size());
    tensor<Real, 2> out{{rows, columns}};
    for (index i = 0; i < rows; ++i) {
      for (index c = 0; c < planes_; ++c) {
        Real* to = at(rest, c, i, 0);
        for (index j = 0; j < columns; ++j) to[j] -= constant[c];
        for (std::size_t k = 0; k < around.size(); ++k)
          for (index p = 0; p < planes_; ++p) {
            const Real weight = weights_[(k * static_cast<std::size_t>(planes_) + static_cast<std::size_t>(p)) *
                                             static_cast<std::size_t>(planes_) +
                                         static_cast<std::size_t>(c)];
            const Real* from = at(padded, p, i + ring_.far + around[k].first, ring_.far + around[k].second);
            for (index j = 0; j < columns; ++j) to[j] -= weight * from[j];
          }
      }
      for (index j = 0; j < columns; ++j) {
        Real square = 0;
        for (index a = 0; a < planes_; ++a) {
          Real sum = 0;
          for (index b = 0; b <= a; ++b) sum += whiten_[static_cast<std::size_t>(a * planes_ + b)] * *at(rest, b, i, j);
          square += sum * sum;
        }
        out(i, j) = std::sqrt(square);
      }
    }
    return out;
  }

  /// For storage: f(name, span of Real).
  template <class F>
  void tensors(F&& f) const {
    f("weights", std::span<const Real>{weights_});
    f("whiten", std::span<const Real>{whiten_});
  }
  /// What find(name), a span of finite numbers, has stored. Throws data_error where the sizes do not fit.
  template <class Find>
  [[nodiscard]] static ring_regression restored(const ring& where, index planes, Find&& find) {
    ring_regression out{where, planes};
    const auto take = [&](std::string_view name, index count, std::vector<Real>& to) {
      const auto found = find(name);
      check<data_error>(static_cast<index>(found.size()) == count, name, ": needs ", count, " numbers, got ",
                        found.size());
      to.assign(found.begin(), found.end());
    };
    take("weights", (planes * static_cast<index>(offsets(where).size()) + 1) * planes, out.weights_);
    take("whiten", planes * planes, out.whiten_);
    return out;
  }

 private:
  ring_regression(const ring& where, index planes) : ring_{where}, planes_{planes} {}

  [[nodiscard]] static std::vector<std::pair<index, index>> offsets(const ring& where) {
    std::vector<std::pair<index, index>> out;
    for (index i = -where.far; i <= where.far; i += where.step)
      for (index j = -where.far; j <= where.far; j += where.step)
        if (const index square = i * i + j * j; square > where.near * where.near && square <= where.far * where.far)
          out.emplace_back(i, j);
    return out;
  }
  [[nodiscard]] static tensor<Real, 3> padded_by(tensor_view<const Real, 3> maps, index margin) {
    const index rows = maps.extent(1), columns = maps.extent(2);
    tensor<Real, 3> out{{maps.extent(0), rows + 2 * margin, columns + 2 * margin}};
    for (index c = 0; c < out.extent(0); ++c)
      for (index i = 0; i < out.extent(1); ++i)
        for (index j = 0; j < out.extent(2); ++j)
          *at(out, c, i, j) = maps.row(c).data()[mirrored(i - margin, rows) * columns + mirrored(j - margin, columns)];
    return out;
  }
  [[nodiscard]] static tensor<Real, 3> smoothed(tensor_view<const Real, 3> maps) {
    static const auto weights = ops::gaussian_weights<Real>(0.7);
    const index rows = maps.extent(1), columns = maps.extent(2);
    tensor<Real, 3> out{maps.extents()};
    std::vector<Real> scratch(static_cast<std::size_t>(rows * columns));
    ops::reference::run(
        ops::blur<Real>{maps.data(), out.data(), scratch.data(), &weights, maps.extent(0), rows, columns, 1});
    return out;
  }

  ring ring_;
  index planes_;
  std::vector<Real> weights_;  // (offsets x planes + 1, planes)
  std::vector<Real> whiten_;   // (planes, planes), lower triangular
};

}  // namespace anodiff::models
