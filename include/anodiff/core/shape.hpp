// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/check.hpp>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

namespace anodiff {

/// Counts and positions; signed, so that differences are safe.
using index = std::int64_t;

/// Extents of a row-major tensor, slowest first: (n, d) rows, (n, length, channels) series, (n, h, w, c) images.
template <std::size_t Rank>
using shape = std::array<index, Rank>;

/// Number of elements. Throws invalid_argument where an extent is negative or the product leaves the range of index.
template <std::size_t Rank>
[[nodiscard]] index volume(const shape<Rank>& extents) {
  index product = 1;
  for (const index extent : extents) {
    check(extent >= 0, "shape: an extent must not be negative, got ", extent);
    check(extent == 0 || product <= std::numeric_limits<index>::max() / extent, "shape: more elements than 2^63");
    product *= extent;
  }
  return product;
}

/// The shape as "(3, 4)", for messages.
template <std::size_t Rank>
[[nodiscard]] std::string to_string(const shape<Rank>& extents) {
  std::string out = "(";
  for (std::size_t i = 0; i < Rank; ++i) out += concat(i == 0 ? "" : ", ", extents[i]);
  return out + ")";
}

}  // namespace anodiff
