// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/shape.hpp>
#include <anodiff/core/simd.hpp>

namespace anodiff::ops::cpu {

/// A whole vector of T in memory; float memory may be read as double.
template <class T>
struct whole_lanes {
  using V = simd::vec<T>;
  template <class U>
  [[nodiscard]] ANODIFF_ALWAYS_INLINE V load(const U* p) const noexcept {
    if constexpr (sizeof(U) == sizeof(T))
      return simd::load<V>(p);
    else
      return __builtin_convertvector((simd::load<simd::vec<U, simd::lanes<T>>>(p)), V);
  }
  ANODIFF_ALWAYS_INLINE void store(T* p, const V& v) const noexcept { simd::store(p, v); }
};

/// The first count lanes of a vector of T; the others are read as zero and never written.
template <class T>
struct first_lanes {
  using V = simd::vec<T>;
  int count;
  template <class U>
  [[nodiscard]] ANODIFF_ALWAYS_INLINE V load(const U* p) const noexcept {
    V v{};
    for (int i = 0; i < count; ++i) v[i] = static_cast<T>(p[i]);
    return v;
  }
  ANODIFF_ALWAYS_INLINE void store(T* p, const V& v) const noexcept { simd::store_part(p, v, count); }
};

/// Calls f(position, whole_lanes or first_lanes) over [0, n). One body serves both, so that an element's result has the
/// same bits wherever in a vector it falls.
template <class T, class F>
ANODIFF_ALWAYS_INLINE void for_each_lanes(index n, F&& f) noexcept {
  constexpr int width = simd::lanes<T>;
  index i = 0;
  for (; i + width <= n; i += width) f(i, whole_lanes<T>{});
  if (i < n) f(i, first_lanes<T>{static_cast<int>(n - i)});
}

}  // namespace anodiff::ops::cpu
