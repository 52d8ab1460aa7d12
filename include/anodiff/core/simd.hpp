// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/annotate.hpp>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

namespace anodiff::simd {

/// Bytes of the widest vector register that the compiler may use.
#if defined(__AVX512F__)
inline constexpr int register_bytes = 64;
#elif defined(__AVX__)
inline constexpr int register_bytes = 32;
#else
inline constexpr int register_bytes = 16;
#endif
/// Vector registers of that width: it decides the tile of the matrix product.
#if defined(__AVX512F__) || defined(__aarch64__)
inline constexpr int registers = 32;
#else
inline constexpr int registers = 16;
#endif

template <class T>
inline constexpr int lanes = register_bytes / static_cast<int>(sizeof(T));

namespace detail {
template <class T, int N>
struct vector_of {
  typedef T type __attribute__((vector_size(N * sizeof(T))));
};
template <class T>
struct bits_of;
template <>
struct bits_of<float> {
  using type = std::int32_t;
  static constexpr int mantissa = 23, bias = 127;
};
template <>
struct bits_of<double> {
  using type = std::int64_t;
  static constexpr int mantissa = 52, bias = 1023;
};
}  // namespace detail

/// A compiler vector of N elements of T; arithmetic and comparisons work lane by lane.
template <class T, int N = lanes<T>>
using vec = typename detail::vector_of<T, N>::type;

template <class V>
using element = std::remove_cvref_t<decltype(std::declval<V>()[0])>;
template <class V>
inline constexpr int lanes_of = static_cast<int>(sizeof(V) / sizeof(element<V>));

template <class V, class T>
[[nodiscard]] ANODIFF_ALWAYS_INLINE V load(const T* p) noexcept {
  V v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
template <class V, class T>
ANODIFF_ALWAYS_INLINE void store(T* p, const V& v) noexcept {
  std::memcpy(p, &v, sizeof v);
}
#if defined(__AVX__)
namespace detail {
/// All bits of the first count lanes.
template <class V>
[[nodiscard]] ANODIFF_ALWAYS_INLINE auto first_of(int count) noexcept {
  using integers = vec<std::conditional_t<sizeof(element<V>) == 4, int, long long>, lanes_of<V>>;
  integers number;
  for (int i = 0; i < lanes_of<V>; ++i) number[i] = i;
  return std::bit_cast<integers>(number < integers{} + count);
}
}  // namespace detail
#endif

/// The first count lanes from p, the others zero; reads no more than these.
template <class V, class T>
[[nodiscard]] ANODIFF_ALWAYS_INLINE V load_part(const T* p, int count) noexcept {
#if defined(__AVX512F__)
  if constexpr (sizeof(V) == 64 && std::is_same_v<T, float>)
    return __builtin_ia32_loadups512_mask(p, V{}, static_cast<unsigned short>((1U << count) - 1));
  if constexpr (sizeof(V) == 64 && std::is_same_v<T, double>)
    return __builtin_ia32_loadupd512_mask(p, V{}, static_cast<unsigned char>((1U << count) - 1));
#endif
#if defined(__AVX__)
  if constexpr (sizeof(V) == 32 && std::is_same_v<T, float>)
    return __builtin_ia32_maskloadps256(reinterpret_cast<const V*>(p), detail::first_of<V>(count));
  if constexpr (sizeof(V) == 32 && std::is_same_v<T, double>)
    return __builtin_ia32_maskloadpd256(reinterpret_cast<const V*>(p), detail::first_of<V>(count));
#endif
  V v{};
  for (int i = 0; i < count; ++i) v[i] = p[i];
  return v;
}
template <class V, class T>
ANODIFF_ALWAYS_INLINE void store_part(T* p, const V& v, int count) noexcept {
#if defined(__AVX512F__)
  if constexpr (sizeof(V) == 64 && std::is_same_v<T, float>)
    return __builtin_ia32_storeups512_mask(p, v, static_cast<unsigned short>((1U << count) - 1));
  if constexpr (sizeof(V) == 64 && std::is_same_v<T, double>)
    return __builtin_ia32_storeupd512_mask(p, v, static_cast<unsigned char>((1U << count) - 1));
#endif
#if defined(__AVX__)
  if constexpr (sizeof(V) == 32 && std::is_same_v<T, float>)
    return __builtin_ia32_maskstoreps256(reinterpret_cast<V*>(p), detail::first_of<V>(count), v);
  if constexpr (sizeof(V) == 32 && std::is_same_v<T, double>)
    return __builtin_ia32_maskstorepd256(reinterpret_cast<V*>(p), detail::first_of<V>(count), v);
#endif
  for (int i = 0; i < count; ++i) p[i] = v[i];
}
template <class V>
[[nodiscard]] ANODIFF_ALWAYS_INLINE V broadcast(element<V> x) noexcept {
  return x - V{};
}
/// One half of the lanes joined with the other by f, until one lane is left.
template <class V, class F>
[[nodiscard]] ANODIFF_ALWAYS_INLINE element<V> fold(const V& v, F&& f) noexcept {
  constexpr int half = lanes_of<V> / 2;
  if constexpr (half == 1)
    return f(v[0], v[1]);
  else
    return [&]<int... I>(std::integer_sequence<int, I...>) {
      using halves = vec<element<V>, half>;
      const halves low = __builtin_shufflevector(v, v, I...), high = __builtin_shufflevector(v, v, (half + I)...);
      return fold<halves>(f(low, high), f);
    }
  (std::make_integer_sequence<int, half>{});
}
/// Sum of all lanes in a fixed order.
template <class V>
[[nodiscard]] ANODIFF_ALWAYS_INLINE element<V> sum(const V& v) noexcept {
  return fold<V>(v, [](const auto& a, const auto& b) { return a + b; });
}
/// a > b ? a : b, lane by lane: b where either is not a number.
template <class V>
[[nodiscard]] ANODIFF_ALWAYS_INLINE V max(const V& a, const V& b) noexcept {
#if defined(__GNUC__) && !defined(__clang__)  // clang finds the instruction by itself
#if defined(__AVX512F__)
  if constexpr (sizeof(V) == 64 && std::is_same_v<element<V>, float>)
    return __builtin_ia32_maxps512_mask(a, b, V{}, static_cast<unsigned short>(0xFFFF), 4);
#endif
#if defined(__AVX__)
  if constexpr (sizeof(V) == 32 && std::is_same_v<element<V>, float>) return __builtin_ia32_maxps256(a, b);
#endif
#endif
  return a > b ? a : b;
}
/// a < b ? a : b, lane by lane: b where either is not a number.
template <class V>
[[nodiscard]] ANODIFF_ALWAYS_INLINE V min(const V& a, const V& b) noexcept {
#if defined(__GNUC__) && !defined(__clang__)
#if defined(__AVX512F__)
  if constexpr (sizeof(V) == 64 && std::is_same_v<element<V>, float>)
    return __builtin_ia32_minps512_mask(a, b, V{}, static_cast<unsigned short>(0xFFFF), 4);
#endif
#if defined(__AVX__)
  if constexpr (sizeof(V) == 32 && std::is_same_v<element<V>, float>) return __builtin_ia32_minps256(a, b);
#endif
#endif
  return a < b ? a : b;
}

/// Applies f(vector, position, count) to [0, n) in whole vectors and one padded part.
template <class T, class F>
ANODIFF_ALWAYS_INLINE void for_each_vector(std::int64_t n, F&& f) noexcept {
  constexpr int width = lanes<T>;
  std::int64_t i = 0;
  for (; i + width <= n; i += width) f(i, width);
  if (i < n) f(i, static_cast<int>(n - i));
}

/// Square root, lane by lane, correctly rounded.
template <class V>
[[nodiscard]] ANODIFF_ALWAYS_INLINE V sqrt(const V& x) noexcept {
#if defined(__AVX512F__)
  constexpr int rounding_of_the_thread = 4;
  if constexpr (sizeof(V) == 64 && sizeof(element<V>) == 4)
#if defined(__clang__)
    return __builtin_ia32_sqrtps512(x, rounding_of_the_thread);
#else
    return __builtin_ia32_sqrtps512_mask(x, x, -1, rounding_of_the_thread);
#endif
#endif
#if defined(__AVX__)
  if constexpr (sizeof(V) == 32 && sizeof(element<V>) == 4) return __builtin_ia32_sqrtps256(x);
#endif
#if defined(__SSE2__)
  if constexpr (sizeof(V) == 16 && sizeof(element<V>) == 4) return __builtin_ia32_sqrtps(x);
#endif
  V y{};
  for (int i = 0; i < lanes_of<V>; ++i) y[i] = std::sqrt(x[i]);
  return y;
}

/// Product of the lower halves of 64-bit lanes; the upper halves are ignored.
template <class V>
[[nodiscard]] ANODIFF_ALWAYS_INLINE V multiply_low(const V& a, const V& b) noexcept {
#if defined(__GNUC__) && !defined(__clang__)  // clang finds the instruction by itself
#if defined(__AVX512F__)
  if constexpr (sizeof(V) == 64) {
    using words = vec<int, 16>;
    using products = vec<long long, 8>;
    return std::bit_cast<V>(
        __builtin_ia32_pmuludq512_mask(std::bit_cast<words>(a), std::bit_cast<words>(b), products{}, -1));
  }
#endif
#if defined(__AVX2__)
  if constexpr (sizeof(V) == 32) {
    using words = vec<int, 8>;
    return std::bit_cast<V>(__builtin_ia32_pmuludq256(std::bit_cast<words>(a), std::bit_cast<words>(b)));
  }
#endif
#if defined(__SSE2__)
  if constexpr (sizeof(V) == 16) {
    using words = vec<int, 4>;
    return std::bit_cast<V>(__builtin_ia32_pmuludq128(std::bit_cast<words>(a), std::bit_cast<words>(b)));
  }
#endif
#endif
  constexpr element<V> low = 0xFFFFFFFFU;
  return (a & low) * (b & low);
}

namespace detail {
/// e^x of floats in [-87.3, 88.3], relative error below 2e-7.
template <class V>
[[nodiscard]] ANODIFF_ALWAYS_INLINE V exp_within(const V& x) noexcept {
  using integers = vec<std::int32_t, lanes_of<V>>;
  constexpr float shift = 0x1.8p23F + 127;  // leaves the nearest integer, and the exponent's bias, in the lowest bits
  const V shifted = x * 1.44269504F + shift;
  const V n = shifted - shift;
  const V r = (x - n * 0.693359375F) - n * -2.12194440e-4F;  // ln 2 in two parts: the first product is exact
  V p = r * 1.3813880599e-3F + 8.3690635591e-3F;
  p = p * r + 4.1668421826e-2F;
  p = p * r + 1.6666517762e-1F;
  p = p * r + 4.9999993254e-1F;
  p = p * r + 1.0F;
  p = p * r + 1.0F;
  return p * std::bit_cast<V>(std::bit_cast<integers>(shifted) << 23);
}
}  // namespace detail

/// e^x. float: relative error below 2e-7 for x in [-87, 88], clamped outside; double: std::exp lane by lane.
template <class V>
[[nodiscard]] ANODIFF_ALWAYS_INLINE V exp(const V& x) noexcept {
  if constexpr (sizeof(element<V>) == 8) {
    V y;
    for (int i = 0; i < lanes_of<V>; ++i) y[i] = std::exp(x[i]);
    return y;
  } else {
    return detail::exp_within<V>(min(max(x, broadcast<V>(-87.3F)), broadcast<V>(88.3F)));
  }
}

/// ln x of normal positive floats, relative error below 3e-7 away from x = 1, absolute error below 1e-7 near it.
template <class V>
[[nodiscard]] ANODIFF_ALWAYS_INLINE V log(const V& x) noexcept {
  if constexpr (sizeof(element<V>) == 8) {
    V y;
    for (int i = 0; i < lanes_of<V>; ++i) y[i] = std::log(x[i]);
    return y;
  } else {
    using integers = vec<std::int32_t, lanes_of<V>>;
    const integers bits = std::bit_cast<integers>(x);
    const integers exponent = (bits - 0x3F3504F3) >> 23;  // so that the mantissa lies in [sqrt(1/2), sqrt(2))
    const V m = std::bit_cast<V>(bits - (exponent << 23)) - 1.0F;
    const V e = __builtin_convertvector(exponent, V);
    const V z = m * m;
    V p = m * 7.0376836292e-2F + -1.1514610310e-1F;
    p = p * m + 1.1676998740e-1F;
    p = p * m + -1.2420140846e-1F;
    p = p * m + 1.4249322787e-1F;
    p = p * m + -1.6668057665e-1F;
    p = p * m + 2.0000714765e-1F;
    p = p * m + -2.4999993993e-1F;
    p = p * m + 3.3333331174e-1F;
    p = p * m * z + e * -2.12194440e-4F - 0.5F * z;
    return m + p + e * 0.693359375F;
  }
}

/// 1 / x of normal numbers whose inverse is normal, relative error below 1.5e-7 in float. A division takes as long as a
/// dozen multiply-adds: where the machine gives a first guess of 14 bits, one step of Newton's makes it whole.
template <class V>
[[nodiscard]] ANODIFF_ALWAYS_INLINE V inverse(const V& x) noexcept {
#if defined(__AVX512F__)
  if constexpr (sizeof(V) == 64 && sizeof(element<V>) == 4) {
    const V guess = __builtin_ia32_rcp14ps512_mask(x, V{}, static_cast<unsigned short>(0xFFFF));
    return guess + guess * (1 - x * guess);
  }
#endif
  return 1 / x;
}

/// 1 / (1 + e^-x). float: below x = -80 the value at -80, since products of denormal numbers can take a hundred times
/// as long.
template <class V>
[[nodiscard]] ANODIFF_ALWAYS_INLINE V sigmoid(const V& x) noexcept {
  if constexpr (sizeof(element<V>) == 4)
    return inverse<V>(1 + detail::exp_within<V>(-min(max(x, broadcast<V>(-80)), broadcast<V>(87.3F))));
  return 1 / (1 + exp<V>(-x));
}

}  // namespace anodiff::simd
