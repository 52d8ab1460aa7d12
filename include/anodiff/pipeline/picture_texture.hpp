// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/calibration/tail_curve.hpp>
#include <anodiff/concepts/parameters.hpp>
#include <anodiff/models/ring_regression.hpp>
#include <anodiff/preprocessing/texture.hpp>
#include <string>

namespace anodiff {

struct texture_params {
  index scales = 0;  ///< sizes of the squares whose texture is judged; 0 = it is not; [0, 8]
  index square =
      2;  ///< side of the smallest, in pixels of the picture's finest scale; each next is twice as wide; [1, 64]
  index near = 3;  ///< a square is judged by those farther away than that, in squares; [1, 32]
  index far = 9;   ///< and no farther than that; above `near`, at most 64

  static constexpr void fields(auto& self, auto&& field) {
    field("scales", self.scales);
    field("square", self.square);
    field("near", self.near);
    field("far", self.far);
  }
  /// Throws invalid_argument on numbers outside the ranges above.
  void verify() const {
    const auto in = [](const char* what, index value, index low, index high) {
      check(value >= low && value <= high, "texture: ", what, " must lie in [", low, ", ", high, "], got ", value);
    };
    in("scales", scales, 0, 8);
    in("square", square, 1, 64);
    in("near", near, 1, 32);
    in("far", far, near + 1, 64);
  }
  /// Pixels of the finest scale along the side of a square.
  [[nodiscard]] index side(index scale) const noexcept { return square << scale; }
};

/// How rare the brightness and the roughness of a picture's squares are, given the ring of squares around each: what no
/// network needs to learn, and what shows deviations that are wide, soft, or smoother than they should be. At each
/// scale a models::ring_regression of preprocessing::texture, and a calibration::tail_curve of its distance.
template <class Real>
class basic_picture_texture {
 public:
  explicit basic_picture_texture(texture_params p = {}) : params_{p} { p.verify(); }

  [[nodiscard]] bool has_learned() const noexcept { return !scales_.empty(); }
  /// What it looks at in a picture (h, w, c) of the finest scale: the maps of each scale, less their median, so that
  /// exposure and overall finish drop out. inside(rows, columns) gives which squares count, 1 each, or is empty for
  /// all; the others are as the median.
  template <class Inside>
  [[nodiscard]] std::vector<tensor<float, 3>> features(tensor_view<const float, 3> picture, Inside&& inside) const {
    std::vector<tensor<float, 3>> out;
    for (index k = 0; k < params_.scales; ++k) {
      auto& maps = out.emplace_back(preprocessing::texture(picture, params_.side(k)));
      const tensor<std::uint8_t, 2> counts = inside(maps.extent(1), maps.extent(2));
      for (index c = 0; c < maps.extent(0); ++c) less_median(maps.row(c), counts);
    }
    return out;
  }
  /// Learns from the features of normal pictures, one at least.
  template <class Inside>
  void learn(std::span<const std::vector<tensor<float, 3>>> normal, Inside&& inside) {
    scales_.clear();
    for (std::size_t k = 0; k < static_cast<std::size_t>(params_.scales); ++k) {
      typename models::ring_regression<Real>::study study{around(), normal.front()[k].extent(0)};
      for (const auto& picture : normal) study.add(picture[k]);
      const auto guess = study.conclude();
      constexpr index most_values = 20'000;  // of a picture
      std::vector<float> values, all;
      for (const auto& picture : normal) {
        const auto far = guess.distance(picture[k]);
        const tensor<std::uint8_t, 2> counts = judged(inside(far.extent(0), far.extent(1)));
        for (index e = 0, step = 1 + far.size() / most_values; e < far.size(); e += step) {
          all.push_back(far.data()[e]);
          if (counts.size() == 0 || counts.data()[e] != 0) values.push_back(far.data()[e]);
        }
      }
      if (values.size() < 2) values = std::move(all);  // no ring lies inside, and none will be judged
      if (values.size() < 2) values.resize(2, values.front());
      scales_.push_back({guess, calibration::tail_curve{std::move(values)}});
    }
  }
  /// −log10 of how rare each square is, at each scale; 0 where a square or its ring does not lie inside, so that what
  /// is outside is not felt.
  template <class Inside>
  [[nodiscard]] std::vector<tensor<float, 2>> maps(std::span<const tensor<float, 3>> features, Inside&& inside) const {
    std::vector<tensor<float, 2>> out;
    for (std::size_t k = 0; k < scales_.size(); ++k) {
      auto& map = out.emplace_back(scales_[k].guess.distance(features[k]));
      const auto counts = judged(inside(map.extent(0), map.extent(1)));
      for (index e = 0; e < map.size(); ++e) {
        float& v = map.data()[e];
        v = counts.size() > 0 && counts.data()[e] == 0 ? 0
                                                       : static_cast<float>(scales_[k].tail(static_cast<double>(v)));
      }
    }
    return out;
  }

  /// For storage: floats(name, span) for texture.K.weights and .whiten, doubles(name, values) for texture.K.tail.
  template <class Floats, class Doubles>
  void tensors(Floats&& floats, Doubles&& doubles) const {
    for (std::size_t k = 0; k < scales_.size(); ++k) {
      scales_[k].guess.tensors([&](std::string_view name, std::span<const float> values) {
        floats(concat("texture.", k, ".", name), values);
      });
      doubles(concat("texture.", k, ".tail"), scales_[k].tail.values());
    }
  }
  /// floats(name) and doubles(name) give what is stored, finite.
  template <class Floats, class Doubles>
  void restore(index channels, Floats&& floats, Doubles&& doubles) {
    scales_.clear();
    for (index k = 0; k < params_.scales; ++k)
      scales_.push_back(
          {models::ring_regression<Real>::restored(
               around(), channels + 1, [&](std::string_view name) { return floats(concat("texture.", k, ".", name)); }),
           calibration::tail_curve::restored(doubles(concat("texture.", k, ".tail")))});
  }

 private:
  struct scale {
    models::ring_regression<Real> guess;
    calibration::tail_curve tail;
  };
  static void less_median(std::span<float> map, const tensor<std::uint8_t, 2>& counts) {
    std::vector<float> counted;
    for (std::size_t e = 0; e < map.size(); ++e)
      if (counts.size() == 0 || counts.data()[e] != 0) counted.push_back(map[e]);
    const auto middle = counted.begin() + static_cast<std::ptrdiff_t>(counted.size() / 2);
    if (!counted.empty()) std::nth_element(counted.begin(), middle, counted.end());
    for (std::size_t e = 0; e < map.size(); ++e)
      map[e] = counts.size() == 0 || counts.data()[e] != 0 ? map[e] - *middle : 0;
  }
  /// The squares whose ring, too, lies inside.
  [[nodiscard]] tensor<std::uint8_t, 2> judged(const tensor<std::uint8_t, 2>& counts) const {
    const index rows = counts.extent(0), columns = counts.extent(1);
    tensor<std::uint8_t, 2> across{counts.extents()}, out{counts.extents()};
    const auto all = [&](index k, index size, auto&& at) {
      for (index n = std::max<index>(0, k - params_.far); n <= std::min(size - 1, k + params_.far); ++n)
        if (at(n) == 0) return std::uint8_t{0};
      return std::uint8_t{1};
    };
    for (index i = 0; i < rows; ++i)
      for (index j = 0; j < columns; ++j) across(i, j) = all(j, columns, [&](index n) { return counts(i, n); });
    for (index i = 0; i < rows; ++i)
      for (index j = 0; j < columns; ++j) out(i, j) = all(i, rows, [&](index n) { return across(n, j); });
    return out;
  }
  /// Every second row and column: the squares of a texture resemble their neighbours.
  [[nodiscard]] models::ring around() const noexcept { return {params_.near, params_.far, 2}; }

  texture_params params_;
  std::vector<scale> scales_;
};

using picture_texture = basic_picture_texture<float>;

}  // namespace anodiff
