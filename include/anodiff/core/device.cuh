// SPDX-License-Identifier: Apache-2.0
#pragma once

// What kernels are written in. Under nvcc these names are CUDA's; where tests/ is on the include path a plain C++
// compiler runs the same source on the host, and checks it.

#if defined(__CUDACC__)
#include <anodiff/core/device_cuda.cuh>
#elif __has_include(<support/cuda_shim.hpp>)
#include <support/cuda_shim.hpp>
#else
#error "anodiff: a .cuh file needs nvcc"
#endif

#include <anodiff/core/shape.hpp>
#include <bit>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace anodiff::device {

inline constexpr int warp_size = 32;

/// Half precision (IEEE 754 binary16) and bfloat16, as they lie in memory; kernels compute in float.
struct half {
  std::uint16_t bits;
};
struct bfloat16 {
  std::uint16_t bits;
};

[[nodiscard]] __device__ __forceinline__ float to_float(float x) noexcept { return x; }
[[nodiscard]] __device__ __forceinline__ float to_float(half x) noexcept { return half_to_float(x.bits); }
[[nodiscard]] __device__ __forceinline__ float to_float(bfloat16 x) noexcept {
  return bits_float(static_cast<std::uint32_t>(x.bits) << 16);
}
/// The nearest bfloat16, ties to even, on the host.
[[nodiscard]] inline bfloat16 bfloat16_from(float x) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  if (x != x) return {0x7FFF};
  return {static_cast<std::uint16_t>((bits + 0x7FFFU + (bits >> 16 & 1U)) >> 16)};
}
/// The nearest element, ties to even.
template <class T>
[[nodiscard]] __device__ __forceinline__ T from_float(float x) noexcept {
  if constexpr (std::is_same_v<T, float>)
    return x;
  else if constexpr (std::is_same_v<T, half>)
    return {float_to_half(x)};
  else
    return {float_to_bf16(x)};
}

/// Calls f(0) … f(N - 1) with constants, so that an array indexed by them stays in registers.
template <int N, class F, std::uint32_t... K>
__device__ __forceinline__ void unrolled(F&& f, std::integer_sequence<std::uint32_t, K...> = {}) {
  if constexpr (sizeof...(K) == N)
    (f(std::integral_constant<std::uint32_t, K>{}), ...);
  else
    unrolled<N>(f, std::make_integer_sequence<std::uint32_t, N>{});
}

// ---- several elements at once -------------------------------------------------------------------------------------

/// Elements of T in 16 bytes.
template <class T>
inline constexpr int lanes_of = 16 / static_cast<int>(sizeof(T));

/// Whether 16-byte accesses may begin at p.
[[nodiscard]] inline bool aligned(const void* p) noexcept { return reinterpret_cast<std::uintptr_t>(p) % 16 == 0; }

/// to = N elements, or the first `left` of them and zeros. Wide: `from` is aligned to 16 bytes or to all N elements.
template <bool Wide, int N, class T>
__device__ __forceinline__ void load(const T* from, std::uint32_t left, float (&to)[N], place at = here()) {
  if constexpr (Wide)
    if (left >= N) {
      constexpr int words = N * static_cast<int>(sizeof(T)) / 4;
      std::uint32_t raw[words];
      load_words(static_cast<const void*>(from), raw, at);
      for (int k = 0; k < words; ++k) {
        if constexpr (sizeof(T) == 4) {
          to[k] = bits_float(raw[k]);
        } else {
          to[2 * k] = to_float(T{static_cast<std::uint16_t>(raw[k])});
          to[2 * k + 1] = to_float(T{static_cast<std::uint16_t>(raw[k] >> 16)});
        }
      }
      return;
    }
  for (std::uint32_t k = 0; k < N; ++k) to[k] = k < left ? to_float(from[k]) : 0;
}

/// Writes N elements, or the first `left` of them.
template <bool Wide, int N, class T>
__device__ __forceinline__ void store(T* to, std::uint32_t left, const float (&from)[N], place at = here()) {
  if constexpr (Wide)
    if (left >= N) {
      constexpr int words = N * static_cast<int>(sizeof(T)) / 4;
      std::uint32_t raw[words];
      for (int k = 0; k < words; ++k) {
        if constexpr (sizeof(T) == 4)
          raw[k] = float_bits(from[k]);
        else
          raw[k] = from_float<T>(from[2 * k]).bits | static_cast<std::uint32_t>(from_float<T>(from[2 * k + 1]).bits)
                                                         << 16;
      }
      store_words(static_cast<void*>(to), raw, at);
      return;
    }
  for (std::uint32_t k = 0; k < N; ++k)
    if (k < left) to[k] = from_float<T>(from[k]);
}

// ---- sums and maxima over lanes -----------------------------------------------------------------------------------

template <class T>
[[nodiscard]] __device__ __forceinline__ T largest(T a, T b) noexcept {
  return a > b || a != a ? a : b;  // NaN stays
}

/// The sum over the warp, the same in every lane: always added in the same order.
template <class T>
[[nodiscard]] __device__ __forceinline__ T warp_sum(T x, place at = here()) {
  for (unsigned step = warp_size / 2; step > 0; step /= 2) x += shuffle_xor(x, step, at);
  return x;
}
template <class T>
[[nodiscard]] __device__ __forceinline__ T warp_max(T x, place at = here()) {
  for (unsigned step = warp_size / 2; step > 0; step /= 2) x = largest(x, shuffle_xor(x, step, at));
  return x;
}

/// The sum over a block of whole warps, the same in every thread. Uses the shared array of T's with this Tag.
template <class T, int Tag = 1000>
[[nodiscard]] __device__ __forceinline__ T block_sum(T x, place at = here()) {
  auto& parts = shared<T[warp_size], Tag>(at);
  const unsigned warps = blockDim.x / warp_size;
  x = warp_sum(x, at);
  sync_block(at);  // the parts of the sum before have been read
  if (lane() == 0) parts[threadIdx.x / warp_size] = x;
  sync_block(at);
  return warp_sum(lane() < warps ? parts[lane()] : T{0}, at);
}

/// The maximum over a block of whole warps, the same in every thread. NaN stays.
template <class T, int Tag = 1001>
[[nodiscard]] __device__ __forceinline__ T block_max(T x, place at = here()) {
  auto& parts = shared<T[warp_size], Tag>(at);
  const unsigned warps = blockDim.x / warp_size;
  x = warp_max(x, at);
  sync_block(at);
  if (lane() == 0) parts[threadIdx.x / warp_size] = x;
  sync_block(at);
  return warp_max(parts[lane() < warps ? lane() : 0], at);
}

// ---- shapes of launches -------------------------------------------------------------------------------------------

/// Blocks of `block` threads for `count` threads, at least one.
[[nodiscard]] inline unsigned blocks_for(index count, unsigned block) noexcept {
  return static_cast<unsigned>(count <= 0 ? 1 : (count + block - 1) / block);
}

/// Elements that one launch counts in 32 bits.
inline constexpr index most_elements = index{1} << 31;

}  // namespace anodiff::device
