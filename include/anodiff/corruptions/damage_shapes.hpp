// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/philox.hpp>
#include <anodiff/core/tensor.hpp>
#include <array>
#include <cmath>
#include <numbers>

namespace anodiff::corruptions {

/// Numbers drawn one after another from a key, from a position on.
class drawn_numbers {
 public:
  drawn_numbers(const noise_key& key, std::uint64_t first) noexcept : key_{key}, next_{first} {}
  /// Uniform in (low, high).
  [[nodiscard]] double uniform(double low = 0, double high = 1) noexcept {
    return low + (high - low) * random_uniform(key_, next_++);
  }
  /// Uniform in its logarithm; both ends positive.
  [[nodiscard]] double log_uniform(double low, double high) noexcept {
    return std::exp(uniform(std::log(low), std::log(high)));
  }
  /// Uniform among 0, …, bound - 1.
  [[nodiscard]] index below(index bound) noexcept {
    return static_cast<index>(random_below(key_, next_++, static_cast<std::uint64_t>(bound)));
  }
  [[nodiscard]] bool chance(double share) noexcept { return uniform() < share; }
  /// Standard normal.
  [[nodiscard]] double normal() noexcept { return random_normal(key_, next_++); }

 private:
  noise_key key_;
  std::uint64_t next_;
};

/// The outlines of drawn damage. Each has inside(y, x): the signed distance in pixels from its edge, positive within,
/// and reach(), the radius around its centre beyond which nothing lies within.
struct blob_outline {
  double radius, stretch, turn;       ///< of an ellipse: radius stretch by radius / stretch pixels
  std::array<double, 4> wave, phase;  ///< of the edge, at two to five turns; shares of the radius

  /// An ellipse with a wavy edge.
  blob_outline(drawn_numbers& draw, double size)
      : radius{size},
        stretch{std::sqrt(draw.log_uniform(1, 3))},
        turn{draw.uniform(0, 2 * std::numbers::pi)},
        wave{},
        phase{} {
    const double rough = draw.chance(0.5) ? 0.25 : 0.05;
    for (std::size_t k = 0; k < wave.size(); ++k) {
      wave[k] = rough * draw.uniform(-1, 1);
      phase[k] = draw.uniform(0, 2 * std::numbers::pi);
    }
  }
  [[nodiscard]] double reach() const noexcept { return radius * stretch * 2; }
  [[nodiscard]] double inside(double y, double x) const noexcept {
    const double c = std::cos(turn), s = std::sin(turn);
    const double u = (c * x + s * y) / stretch, v = (c * y - s * x) * stretch;
    const double angle = std::atan2(v, u);
    double edge = radius;
    for (std::size_t k = 0; k < wave.size(); ++k)
      edge += radius * wave[k] * std::cos(static_cast<double>(k + 2) * angle + phase[k]);
    return edge - std::hypot(u, v);
  }
};

struct box_outline {
  double half_height, half_width, turn;

  box_outline(drawn_numbers& draw, double size)
      : half_height{size * draw.uniform(0.4, 1)}, half_width{size}, turn{draw.uniform(0, std::numbers::pi)} {}
  [[nodiscard]] double reach() const noexcept { return half_height + half_width; }
  [[nodiscard]] double inside(double y, double x) const noexcept {
    const double c = std::cos(turn), s = std::sin(turn);
    return std::min(half_width - std::abs(c * x + s * y), half_height - std::abs(c * y - s * x));
  }
};

/// A bent line: a quadratic curve of straight pieces.
struct line_outline {
  static constexpr std::size_t pieces = 12;
  double half_width;
  std::array<double, pieces + 1> y, x;

  line_outline(drawn_numbers& draw, double half_length, double width) : half_width{width / 2}, y{}, x{} {
    const double turn = draw.uniform(0, 2 * std::numbers::pi), bend = half_length * draw.uniform(-0.8, 0.8);
    for (std::size_t i = 0; i <= pieces; ++i) {
      const double t = 2 * static_cast<double>(i) / static_cast<double>(pieces) - 1;
      const double along = half_length * t, across = bend * (t * t - 0.5);
      y[i] = std::sin(turn) * along + std::cos(turn) * across;
      x[i] = std::cos(turn) * along - std::sin(turn) * across;
    }
  }
  [[nodiscard]] double reach() const noexcept {
    double most = 0;
    for (std::size_t i = 0; i <= pieces; ++i) most = std::max(most, std::hypot(y[i], x[i]));
    return most + half_width + 1;
  }
  [[nodiscard]] double inside(double at_y, double at_x) const noexcept {
    double nearest = 1e300;
    for (std::size_t i = 0; i < pieces; ++i) {
      const double dy = y[i + 1] - y[i], dx = x[i + 1] - x[i], length = std::max(1e-12, dy * dy + dx * dx);
      const double t = std::clamp(((at_y - y[i]) * dy + (at_x - x[i]) * dx) / length, 0.0, 1.0);
      nearest = std::min(nearest, std::hypot(at_y - y[i] - t * dy, at_x - x[i] - t * dx));
    }
    return half_width - nearest;
  }
};

/// A Gaussian hill: it has no edge, and its height at distance r is exp(-r^2 / (2 size^2)).
struct hill {
  double size, stretch, turn;

  hill(drawn_numbers& draw, double radius)
      : size{radius}, stretch{std::sqrt(draw.uniform(1, 3))}, turn{draw.uniform(0, std::numbers::pi)} {}
  [[nodiscard]] double reach() const noexcept { return 3 * size * stretch; }
  [[nodiscard]] double height(double y, double x) const noexcept {
    const double c = std::cos(turn), s = std::sin(turn);
    const double u = (c * x + s * y) / (stretch * size), v = (c * y - s * x) * stretch / size;
    return std::exp(-(u * u + v * v) / 2);
  }
};

/// Calls f(row, column, share in (0, 1]) for each pixel of (height, width) that a shape around (y, x) covers: an
/// outline's edge is `soft` pixels wide.
template <class Shape, class F>
void for_each_covered(const Shape& shape, double y, double x, double soft, index height, index width, F&& f) {
  const double reach = shape.reach() + soft;
  const auto clip = [](double v, index n) { return std::clamp<index>(static_cast<index>(std::floor(v)), 0, n); };
  const index top = clip(y - reach, height), bottom = clip(y + reach + 2, height), left = clip(x - reach, width),
              right = clip(x + reach + 2, width);
  for (index i = top; i < bottom; ++i)
    for (index j = left; j < right; ++j) {
      const double dy = static_cast<double>(i) - y, dx = static_cast<double>(j) - x;
      double share = 0;
      if constexpr (requires { shape.height(dy, dx); })
        share = shape.height(dy, dx);
      else
        share = std::clamp(shape.inside(dy, dx) / soft + 0.5, 0.0, 1.0);
      if (share > 1e-3) f(i, j, share);
    }
}

}  // namespace anodiff::corruptions
