// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/concepts/pooler.hpp>
#include <anodiff/core/check.hpp>
#include <limits>

namespace anodiff::pooling {

struct block_mean_params {
  index side = 8;  ///< of a block, pixels; [1, 4096]; a smaller map is one block

  static constexpr void fields(auto& self, auto&& field) { field("side", self.side); }
};

/// The largest mean over a square block of a map, every place of the block tried; channels count alike. Evidence
/// without a place, as of a row, has blocks of one element.
class block_mean {
 public:
  using params = block_mean_params;
  static constexpr std::string_view name = "block_mean";

  explicit block_mean(params p = {}) : params_{p} {
    check(p.side >= 1 && p.side <= 4096, "pooling::block_mean: side must lie in [1, 4096], got ", p.side);
  }
  [[nodiscard]] const params& parameters() const noexcept { return params_; }
  [[nodiscard]] double pool(std::span<const float> evidence) const noexcept {
    return static_cast<double>(*std::max_element(evidence.begin(), evidence.end()));
  }
  [[nodiscard]] double pool_map(std::span<const float> evidence, const map_extents& map) const {
    const index down = std::min(params_.side, map.height), across = std::min(params_.side, map.width);
    std::vector<double> sums(static_cast<std::size_t>(map.width));  // of the block's rows, by column
    double most = -std::numeric_limits<double>::infinity();
    const auto pixel = [&](index i, index j) {
      const auto at = static_cast<std::size_t>((i * map.width + j) * map.channels);
      double sum = 0;
      for (const float e : evidence.subspan(at, static_cast<std::size_t>(map.channels))) sum += static_cast<double>(e);
      return sum;
    };
    // each block is summed afresh: a running sum would carry rounding from place to place
    for (index i = 0; i + down <= map.height; ++i) {
      for (index j = 0; j < map.width; ++j) {
        double sum = 0;
        for (index p = 0; p < down; ++p) sum += pixel(i + p, j);
        sums[static_cast<std::size_t>(j)] = sum;
      }
      for (index j = 0; j + across <= map.width; ++j) {
        double sum = 0;
        for (index q = 0; q < across; ++q) sum += sums[static_cast<std::size_t>(j + q)];
        most = std::max(most, sum);
      }
    }
    return most / static_cast<double>(down * across * map.channels);
  }

 private:
  params params_;
};
static_assert(map_pooler<block_mean>);

}  // namespace anodiff::pooling
