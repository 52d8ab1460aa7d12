// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/ops/noise.hpp>
#include <array>

namespace anodiff::ops {

/// Largest difference between the vectorised form and the reference in a picture of n pixels a side, as a multiple of
/// n / period of the finest octave plus 4: the float arithmetic of a place in the lattice.
inline constexpr double simplex_bound = 3e-6;

/// out (rows, height, width, channels) = smooth noise of mean 0 and variance 1 at each pixel: a plane, at a place drawn
/// for each row, octave and channel, of simplex noise in space (Perlin 2001, "Noise hardware", SIGGRAPH course notes;
/// the gradients are the twelve edges of a cube), summed over octaves. Octave k has a lattice of period / 2^k pixels
/// and decay^k of the first one's amplitude.
template <class T>
struct simplex_noise {
  T* out;
  index rows, height, width, channels, octaves;
  double decay, period;
  row_noise noise{};
};

/// Variance of one octave of unit amplitude. Corners lie twice as dense as unit cubes, and each gives (1/2 − r²)⁴ g · r
/// within r² < 1/2, g of covariance 2/3: 2 (2/3) 4π ∫ (1/2 − r²)⁸ r⁴ dr = (8π/3) 2^(−21/2) B(5/2, 9).
inline constexpr double simplex_variance = 2.6057603265179806e-05;

/// Where an octave of a channel lies in the lattice, and how much of it is taken.
struct simplex_octave {
  double pixel;                  ///< lattice units of one pixel
  double amplitude;              ///< with which all octaves together have variance 1
  std::array<double, 3> origin;  ///< of the first pixel, (x, y, z) in [0, 3)³: the lattice has period 3 along each
  std::uint32_t seed;            ///< of the corners' gradients

  template <class T>
  simplex_octave(const simplex_noise<T>& op, index row, index octave, index channel) noexcept
      : pixel{std::exp2(static_cast<double>(octave)) / op.period}, origin{} {
    const noise_key key = op.noise.of(row);
    const auto first = static_cast<std::uint64_t>(4 * (octave * op.channels + channel));
    for (std::size_t axis = 0; axis < 3; ++axis) origin[axis] = 3 * random_uniform(key, first + axis);
    seed = random_word(key, first + 3);
    double square = 0;
    for (index k = 0; k < op.octaves; ++k) square += std::pow(op.decay, static_cast<double>(2 * k));
    amplitude = std::pow(op.decay, static_cast<double>(octave)) / std::sqrt(simplex_variance * square);
  }
};

/// The gradient's number of a corner of the lattice: a mixture of its coordinates and the seed, each bit of which
/// depends on all of theirs. Words are std::uint32_t, or vectors of them.
template <class Words>
[[nodiscard]] Words simplex_hash(std::uint32_t seed, const Words& i, const Words& j, const Words& k) noexcept {
  Words h = i * 0x9E3779B1U + j * 0x85EBCA77U + k * 0xC2B2AE3DU + seed;
  h = (h ^ (h >> 16)) * 0x7FEB352DU;
  h = (h ^ (h >> 15)) * 0x846CA68BU;
  return h ^ (h >> 16);
}

namespace reference {

/// One octave of unit amplitude at a place of the lattice with x + y + z ≥ 0.
[[nodiscard]] inline double simplex_at(std::uint32_t seed, double x, double y, double z) noexcept {
  const double skew = (x + y + z) / 3;
  const std::array place{x, y, z};
  std::array<std::int64_t, 3> base{};
  std::array<double, 3> from{};
  for (std::size_t a = 0; a < 3; ++a) base[a] = static_cast<std::int64_t>(std::floor(place[a] + skew));
  const double unskew = static_cast<double>(base[0] + base[1] + base[2]) / 6;
  for (std::size_t a = 0; a < 3; ++a) from[a] = place[a] - static_cast<double>(base[a]) + unskew;
  std::array<std::size_t, 3> order{0, 1, 2};  // the way from the first corner to the last goes along the largest first
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) { return from[a] > from[b]; });
  std::array<std::int64_t, 3> corner = base;
  double sum = 0;
  for (std::size_t c = 0; c < 4; ++c) {
    if (c > 0) ++corner[order[c - 1]];
    std::array<double, 3> r{};
    double near = 0.5;
    for (std::size_t a = 0; a < 3; ++a) {
      r[a] = from[a] - static_cast<double>(corner[a] - base[a]) + static_cast<double>(c) / 6;
      near -= r[a] * r[a];
    }
    if (near <= 0) continue;
    const auto h = simplex_hash(seed, static_cast<std::uint32_t>(corner[0]), static_cast<std::uint32_t>(corner[1]),
                                static_cast<std::uint32_t>(corner[2]));
    const std::uint32_t without = (h >> 16) * 3 >> 16;  // the axis along which the gradient is 0
    const double u = without == 0 ? r[1] : r[0], v = without == 2 ? r[1] : r[2];
    sum += near * near * near * near * ((h & 1) != 0 ? -u : u) + near * near * near * near * ((h & 2) != 0 ? -v : v);
  }
  return sum;
}

template <class T>
void run(const simplex_noise<T>& op) {
  for (index row = 0; row < op.rows; ++row)
    for (index c = 0; c < op.channels; ++c)
      for (index i = 0; i < op.height; ++i)
        for (index j = 0; j < op.width; ++j) {
          double sum = 0;
          for (index k = 0; k < op.octaves; ++k) {
            const simplex_octave octave{op, row, k, c};
            sum += octave.amplitude * simplex_at(octave.seed, octave.origin[0] + octave.pixel * static_cast<double>(j),
                                                 octave.origin[1] + octave.pixel * static_cast<double>(i),
                                                 octave.origin[2]);
          }
          op.out[((row * op.height + i) * op.width + j) * op.channels + c] = static_cast<T>(sum);
        }
}

}  // namespace reference
}  // namespace anodiff::ops
