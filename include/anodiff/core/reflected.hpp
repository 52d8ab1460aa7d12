// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/shape.hpp>

namespace anodiff {

/// Where place i of an axis lies after reflection at its first and last element, which are not repeated: …, 2, 1, 0, 1,
/// 2, …; an axis of one element repeats it. Any i; size is at least 1.
[[nodiscard]] constexpr index reflected(index i, index size) noexcept {
  if (i >= 0 && i < size) return i;
  if (size == 1) return 0;
  const index period = 2 * (size - 1), at = (i % period + period) % period;
  return at < size ? at : period - at;
}

/// Where place i lies after reflection at the axis' two edges, so that its first and last element are repeated: …, 1,
/// 0, 0, 1, …. Any i; size is at least 1.
[[nodiscard]] constexpr index mirrored(index i, index size) noexcept {
  const index period = 2 * size, at = (i % period + period) % period;
  return at < size ? at : period - 1 - at;
}

}  // namespace anodiff
