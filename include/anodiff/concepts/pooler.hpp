// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/policy.hpp>
#include <anodiff/core/shape.hpp>
#include <span>

namespace anodiff {

/// Extents of the evidence of a picture, channels last.
struct map_extents {
  index height = 0, width = 0, channels = 1;
};

namespace part {
template <class P>
concept pools_evidence = requires(const P p, std::span<const float> evidence) {
  { p.pool(evidence) } -> std::same_as<double>;
};
template <class P>
concept pools_maps = requires(const P p, std::span<const float> evidence, const map_extents& map) {
  { p.pool_map(evidence, map) } -> std::same_as<double>;
};
}  // namespace part

/// The number of a sample, made of its evidence. Laws: raising an element never lowers the result; the order of the
/// elements does not matter; a constant map gives its constant.
template <class P>
concept pooler = policy<P> && part::pools_evidence<P>;

/// A pooler that knows where in a picture an element stands; pool_map(evidence, extents) keeps the laws but for order.
template <class P>
concept map_pooler = pooler<P> && part::pools_maps<P>;

/// The number of a sample whose evidence has these extents: one for a row, three for a picture.
template <pooler P>
[[nodiscard]] double pool_sample(const P& p, std::span<const float> evidence, std::span<const index> extents) {
  if constexpr (map_pooler<P>)
    if (extents.size() == 3) return p.pool_map(evidence, {extents[0], extents[1], extents[2]});
  return p.pool(evidence);
}

}  // namespace anodiff
