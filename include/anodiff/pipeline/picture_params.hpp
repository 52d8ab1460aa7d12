// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/parameters.hpp>
#include <anodiff/core/tensor.hpp>
#include <anodiff/pipeline/detector_options.hpp>
#include <anodiff/pipeline/picture_texture.hpp>

namespace anodiff {

/// How pictures reach a network, and how its evidence becomes a map.
struct picture_params {
  index reduce = 1;  ///< the finest scale is the picture in means of reduce x reduce pixels; [1, 64]
  index scales = 1;  ///< sizes at which a picture is judged; the map is the largest of theirs; [1, 8]
  index ratio = 4;   ///< between one scale and the next coarser one; [2, 16]
  index crop = 64;   ///< side of a training crop, in pixels of its scale; [8, 4096]
  /// Whether the scales after the finest are judged by a network of their own, which learns from them alone, from crops
  /// of coarse_crop pixels and the damage of coarse_corruption; without it one network learns from all scales.
  bool coarse_network = false;
  index coarse_crop = 32;  ///< [8, 4096]
  index margin = 16;       ///< a crop may begin that far outside a picture, which is reflected there; [0, 4096]
  index surround = 16;     ///< pixels of its reflection around a picture that is scored; [0, 4096]
  bool mirror = true;      ///< training crops are mirrored at random, both ways
  double map_blur = 1;     ///< sigma of the map's Gaussian, in pixels of its scale; 0 = none; [0, 100]
  index border = 0;        ///< the picture's score leaves out that many outer pixels of the finest scale; [0, 4096]
  index minimum_area = 1;  ///< a region of the map with fewer pixels of the picture raises no alarm; [1, 2^24]
  index tile = 1024;       ///< a side beyond which a scale is scored in pieces; a multiple of 16; [64, 65536]
  index overlap = 64;      ///< of those pieces, each way; a multiple of 16; [0, 4096]

  static constexpr void fields(auto& self, auto&& field) {
    field("reduce", self.reduce);
    field("scales", self.scales);
    field("ratio", self.ratio);
    field("crop", self.crop);
    field("coarse_network", self.coarse_network);
    field("coarse_crop", self.coarse_crop);
    field("margin", self.margin);
    field("surround", self.surround);
    field("mirror", self.mirror);
    field("map_blur", self.map_blur);
    field("border", self.border);
    field("minimum_area", self.minimum_area);
    field("tile", self.tile);
    field("overlap", self.overlap);
  }
  /// Throws invalid_argument on numbers outside the ranges above.
  void verify() const {
    const auto in = [](const char* what, auto value, auto low, auto high) {
      check(value >= low && value <= high, "picture: ", what, " must lie in [", low, ", ", high, "], got ", value);
    };
    in("reduce", reduce, index{1}, index{64});
    in("scales", scales, index{1}, index{8});
    in("ratio", ratio, index{2}, index{16});
    in("crop", crop, index{8}, index{4096});
    in("coarse_crop", coarse_crop, index{8}, index{4096});
    check(!coarse_network || scales > 1, "picture: coarse_network needs more scales than one, got ", scales);
    in("margin", margin, index{0}, index{4096});
    in("surround", surround, index{0}, index{4096});
    in("map_blur", map_blur, 0.0, 100.0);
    in("border", border, index{0}, index{4096});
    in("minimum_area", minimum_area, index{1}, index{1} << 24);
    in("tile", tile, index{64}, index{65536});
    in("overlap", overlap, index{0}, index{4096});
    check(tile % 16 == 0 && overlap % 16 == 0, "picture: tile and overlap must be multiples of 16, got ", tile, " and ",
          overlap);
    check(tile > 2 * overlap, "picture: tile must exceed twice the overlap, got ", tile, " and ", overlap);
  }
  /// Pixels of the picture that a pixel of a scale stands for, along each side.
  [[nodiscard]] index reduction(index scale) const noexcept {
    index factor = reduce;
    for (; scale > 0; --scale) factor *= ratio;
    return factor;
  }
};

/// The numbers of a picture detector: those of a detector, and how pictures are cut.
template <class Parts>
struct picture_options : detector_options<Parts> {
  picture_params picture = [] {
    if constexpr (requires { Parts::preset_type::picture; }) return Parts::preset_type::picture;
    return picture_params{};
  }();

  /// How the texture of squares is judged beside the networks' evidence, where the aggregation adds tails.
  texture_params texture = [] {
    if constexpr (requires { Parts::preset_type::texture; }) return Parts::preset_type::texture;
    return texture_params{};
  }();

  /// Damage from which the coarser scales' own network learns; without such a network without use.
  typename Parts::recipe_type::corruption_policy::params coarse_corruption = [] {
    if constexpr (requires { Parts::preset_type::coarse_corruption; }) return Parts::preset_type::coarse_corruption;
    return typename Parts::recipe_type::corruption_policy::params{};
  }();

  static constexpr void groups(auto& self, auto&& f) {
    f("picture.", self.picture);
    f("texture.", self.texture);
    f("coarse_corruption.", self.coarse_corruption);
    detector_options<Parts>::groups(self, f);
  }
  void verify() const {
    detector_options<Parts>::verify();
    picture.verify();
    texture.verify();
    check(texture.scales == 0 || needs_tails<typename Parts::aggregator_type>,
          "texture: scales above 0 need an aggregation that adds tails, such as aggregation::surprise");
  }
};

}  // namespace anodiff
