// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/shape.hpp>
#include <anodiff/core/simd.hpp>
#include <bit>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace anodiff::ops::cpu {

/// Calls f(0), …, f(N - 1) with constants, so that arrays indexed by them live in registers at any optimisation level.
template <int N, class F>
ANODIFF_ALWAYS_INLINE void unrolled(F&& f) noexcept {
  [&]<int... I>(std::integer_sequence<int, I...>) __attribute__((always_inline)) {
    (f(std::integral_constant<int, I>{}), ...);
  }
  (std::make_integer_sequence<int, N>{});
}

/// The same numbers in another floating-point type. GCC 12 would convert the two halves of a register apart.
template <class To, class From>
[[nodiscard]] ANODIFF_ALWAYS_INLINE To convert(const From& v) noexcept {
#if defined(__AVX512F__) && defined(__GNUC__) && !defined(__clang__)
  constexpr int rounding_of_the_thread = 4;
  if constexpr (sizeof(To) == 64 && sizeof(From) == 32)
    return __builtin_ia32_cvtps2pd512_mask(v, To{}, -1, rounding_of_the_thread);
  if constexpr (sizeof(To) == 32 && sizeof(From) == 64)
    return __builtin_ia32_cvtpd2ps512_mask(v, To{}, -1, rounding_of_the_thread);
#endif
#if defined(__AVX__) && defined(__GNUC__) && !defined(__clang__)
  if constexpr (sizeof(To) == 32 && sizeof(From) == 16) return __builtin_ia32_cvtps2pd256(v);
  if constexpr (sizeof(To) == 16 && sizeof(From) == 32) return __builtin_ia32_cvtpd2ps256(v);
#endif
  return __builtin_convertvector(v, To);
}

/// A whole vector of T in memory, which may hold another floating-point type.
template <class T>
struct whole_lanes {
  using V = simd::vec<T>;
  [[nodiscard]] ANODIFF_ALWAYS_INLINE V broadcast(T x) const noexcept { return simd::broadcast<V>(x); }
  template <class U>
  [[nodiscard]] ANODIFF_ALWAYS_INLINE V load(const U* p) const noexcept {
    if constexpr (sizeof(U) == sizeof(T))
      return simd::load<V>(p);
    else
      return convert<V>(simd::load<simd::vec<U, simd::lanes<T>>>(p));
  }
  template <class U>
  ANODIFF_ALWAYS_INLINE void store(U* p, const V& v) const noexcept {
    if constexpr (sizeof(U) == sizeof(T))
      simd::store(p, v);
    else
      simd::store(p, convert<simd::vec<U, simd::lanes<T>>>(v));
  }
};

/// The first count lanes of a vector of T; the others are zero and never written.
template <class T>
struct first_lanes {
  using V = simd::vec<T>;
  int count;
  [[nodiscard]] ANODIFF_ALWAYS_INLINE V broadcast(T x) const noexcept {
    V v{};
    for (int i = 0; i < count; ++i) v[i] = x;
    return v;
  }
  template <class U>
  [[nodiscard]] ANODIFF_ALWAYS_INLINE V load(const U* p) const noexcept {
    using stored = simd::vec<U, simd::lanes<T>>;
    if constexpr (sizeof(U) == sizeof(T))
      return simd::load_part<stored>(p, count);
    else
      return convert<V>(simd::load_part<stored>(p, count));
  }
  template <class U>
  ANODIFF_ALWAYS_INLINE void store(U* p, const V& v) const noexcept {
    if constexpr (sizeof(U) == sizeof(T))
      simd::store_part(p, v, count);
    else
      simd::store_part(p, convert<simd::vec<U, simd::lanes<T>>>(v), count);
  }
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

/// Calls f(position, lanes, vectors) over [0, n) with `vectors` vectors side by side, a constant: Most of them, then
/// one at a time. For sums down the columns of a matrix, which should read whole cache lines.
template <class T, int Most, class F>
ANODIFF_ALWAYS_INLINE void for_each_lanes_by(index n, F&& f) noexcept {
  constexpr int width = simd::lanes<T>;
  index i = 0;
  for (; i + Most * width <= n; i += Most * width) f(i, whole_lanes<T>{}, std::integral_constant<int, Most>{});
  for (; i + width <= n; i += width) f(i, whole_lanes<T>{}, std::integral_constant<int, 1>{});
  if (i < n) f(i, first_lanes<T>{static_cast<int>(n - i)}, std::integral_constant<int, 1>{});
}

/// Bit i: whether lane i of a comparison holds.
template <class Lanes>
[[nodiscard]] ANODIFF_ALWAYS_INLINE std::uint32_t lane_bits(const Lanes& lanes) noexcept {
  constexpr int count = simd::lanes_of<Lanes>;
#if defined(__AVX__)
  if constexpr (sizeof(Lanes) == 32 && count == 8)
    return static_cast<std::uint32_t>(__builtin_ia32_movmskps256(std::bit_cast<simd::vec<float, 8>>(lanes)));
  if constexpr (sizeof(Lanes) == 32 && count == 4)
    return static_cast<std::uint32_t>(__builtin_ia32_movmskpd256(std::bit_cast<simd::vec<double, 4>>(lanes)));
#endif
#if defined(__SSE2__)
  if constexpr (sizeof(Lanes) == 16 && count == 4)
    return static_cast<std::uint32_t>(__builtin_ia32_movmskps(std::bit_cast<simd::vec<float, 4>>(lanes)));
#endif
#if defined(__AVX512DQ__)
  if constexpr (count == 16) return __builtin_ia32_cvtd2mask512(std::bit_cast<simd::vec<int, 16>>(lanes));
  if constexpr (sizeof(Lanes) == 64 && count == 8)
    return __builtin_ia32_cvtq2mask512(std::bit_cast<simd::vec<long long, 8>>(lanes));
#endif
  std::uint32_t bits = 0;
  for (int i = 0; i < count; ++i) bits |= (lanes[i] != 0 ? 1U : 0U) << i;
  return bits;
}

/// Exchanges the lanes of a whose number has the bit with the lanes of b whose number has it not.
template <int Bit, class V, std::size_t... I>
ANODIFF_ALWAYS_INLINE void exchange_lanes(V& a, V& b, std::index_sequence<I...>) noexcept {
  const V kept = a;
  a = __builtin_shufflevector(kept, b, ((I & Bit) != 0 ? sizeof...(I) + I - Bit : I)...);
  b = __builtin_shufflevector(kept, b, ((I & Bit) != 0 ? sizeof...(I) + I : I + Bit)...);
}

/// Transposes a square of lanes: lane j of row i becomes lane i of row j, one bit of the numbers at a time.
template <class V, int N = simd::lanes_of<V>>
ANODIFF_ALWAYS_INLINE void transpose(V (&rows)[N]) noexcept {
  const auto exchange = [&]<int Bit>(std::integral_constant<int, Bit>) {
    if constexpr (Bit < N)
      unrolled<N>([&](auto i) {
        if constexpr ((i & Bit) == 0) exchange_lanes<Bit>(rows[i], rows[i + Bit], std::make_index_sequence<N>{});
      });
  };
  unrolled<4>([&](auto power) { exchange(std::integral_constant<int, 1 << power>{}); });
}

/// Sum of f(position, whole_lanes or first_lanes) over [0, n), by lanes in a fixed order: rounding depends on n alone.
template <class T, class F>
[[nodiscard]] ANODIFF_ALWAYS_INLINE T sum_lanes(index n, F&& f) noexcept {
  using V = simd::vec<T>;
  constexpr int width = simd::lanes<T>;
  V a{}, b{}, c{}, d{};
  index i = 0;
  for (; i + 4 * width <= n; i += 4 * width) {
    a += f(i, whole_lanes<T>{});
    b += f(i + width, whole_lanes<T>{});
    c += f(i + 2 * width, whole_lanes<T>{});
    d += f(i + 3 * width, whole_lanes<T>{});
  }
  for (; i + width <= n; i += width) a += f(i, whole_lanes<T>{});
  if (i < n) b += f(i, first_lanes<T>{static_cast<int>(n - i)});
  return simd::sum<V>((a + b) + (c + d));
}

}  // namespace anodiff::ops::cpu
