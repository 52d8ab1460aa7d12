// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/pipeline/picture_cut.hpp>
#include <anodiff/pipeline/picture_params.hpp>
#include <anodiff/pipeline/sample_source.hpp>

namespace anodiff {

/// Square pieces of pictures, cut anew at each step: where, and how mirrored, depends on the key and the place alone.
class crop_source final : public sample_source {
 public:
  /// pictures (h, w, c), prepared and borrowed; the first `training` of them train. Each gives `repeats` samples an
  /// epoch, spread over the epoch. side is a crop's, in pixels.
  crop_source(std::span<const tensor<float, 3>> pictures, index training, const picture_params& how, index side,
              index repeats)
      : pictures_{pictures}, training_{training}, how_{how}, side_{side}, repeats_{repeats} {}

  [[nodiscard]] index count() const override { return training() + static_cast<index>(pictures_.size()) - training_; }
  [[nodiscard]] index training() const override { return training_ * repeats_; }
  [[nodiscard]] index row_size() const override { return side_ * side_ * pictures_.front().extent(2); }
  void take(index place, const noise_key& key, std::span<float> out) const override {
    const bool trains = place < training();
    const auto& picture =
        pictures_[static_cast<std::size_t>(trains ? place % training_ : place - training() + training_)];
    noise_key own = key;
    own.draw = static_cast<std::uint32_t>(place);
    const index top = corner(own, 0, picture.extent(0)), left = corner(own, 1, picture.extent(1));
    const auto turned = [&](std::uint64_t element) { return how_.mirror && random_below(own, element, 2) == 1; };
    cut(picture, {top, left, side_, side_, turned(2), turned(3)}, out.data());
  }

 private:
  /// The first pixel of a crop: anywhere from margin before the picture to margin after it; the middle where it does
  /// not fit.
  [[nodiscard]] index corner(const noise_key& key, std::uint64_t element, index extent) const noexcept {
    const index room = extent + 2 * how_.margin - side_;
    if (room <= 0) return (extent - side_) / 2;
    return static_cast<index>(random_below(key, element, static_cast<std::uint64_t>(room + 1))) - how_.margin;
  }

  std::span<const tensor<float, 3>> pictures_;
  index training_;
  picture_params how_;
  index side_, repeats_;
};

}  // namespace anodiff
