// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/tensor.hpp>
#include <string>
#include <vector>

namespace anodiff {

/// Pictures that are read one at a time: load(i) gives (h, w, c) with values in [0, 1], name(i) is for messages.
class picture_list {
 public:
  virtual ~picture_list() = default;
  [[nodiscard]] virtual index count() const = 0;
  [[nodiscard]] virtual tensor<float, 3> load(index i) const = 0;
  [[nodiscard]] virtual std::string name(index i) const = 0;
};

/// Pictures that are in memory; borrowed.
class pictures_in_memory final : public picture_list {
 public:
  explicit pictures_in_memory(std::span<const tensor<float, 3>> pictures) noexcept : pictures_{pictures} {}
  [[nodiscard]] index count() const override { return static_cast<index>(pictures_.size()); }
  [[nodiscard]] tensor<float, 3> load(index i) const override { return pictures_[static_cast<std::size_t>(i)]; }
  [[nodiscard]] std::string name(index i) const override { return concat("picture ", i + 1); }

 private:
  std::span<const tensor<float, 3>> pictures_;
};

/// What of a picture may raise an alarm.
struct picture_focus {
  /// (h, w) of every picture: 0 where a pixel never counts; empty: all pixels of pictures of any size do.
  tensor<std::uint8_t, 2> interest{};
  index minimum_area = 1;  ///< pixels of a region of the map that may raise one; [1, 2^24]
};

/// Regions of a map above the threshold that raise no alarm, and their pixels.
struct dropped_regions {
  index regions = 0, pixels = 0;
  void add(index size) noexcept {
    ++regions;
    pixels += size;
  }
  [[nodiscard]] bool operator==(const dropped_regions&) const = default;
};

/// What a detector says of one picture.
struct picture_finding {
  double score = 0;         ///< higher is more anomalous
  double p_value = 1;       ///< (0, 1]; 1 without calibration
  bool is_anomaly = false;  ///< the score exceeds the threshold; false without calibration
  tensor<float, 2> map;     ///< (h, w) of the picture: how anomalous each pixel is, on the scale of the score; 0 where
                            ///< a pixel is outside the region of interest
  /// Where the detector has a focus and is calibrated: what it has dropped because it is smaller than the minimum area,
  /// or because it lies outside the region of interest or in the border.
  dropped_regions too_small{}, outside{};
};

}  // namespace anodiff
