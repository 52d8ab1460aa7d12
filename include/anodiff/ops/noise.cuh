// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/elementwise.cuh>
#include <anodiff/ops/noise.hpp>

namespace anodiff::ops::cuda {

namespace detail {

/// sqrt(-2 ln u) for u = (word + 1/2) / 2^32, from the distance q of u to the nearer end of (0, 1), which keeps a
/// float's relative precision: near 0, ln u = ln 2 log2 q; near 1, -ln (1 - q) = 2 artanh(s), s = q / (2 - q), whose
/// series 2 s (1 + s^2 / 3 + s^4 / 5 + …) stops where s <= 1/3 leaves 1e-8 of it.
__device__ __forceinline__ float normal_radius(std::uint32_t word) noexcept {
  using namespace device;
  const bool upper = (word >> 31) != 0;
  const float q = fused(static_cast<float>(upper ? ~word : word), 0x1p-32F, 0x1p-33F);
  const float s = divide_fast(q, 2.0F - q), z = s * s;
  float series = 1.0F / 15;
  series = fused(series, z, 1.0F / 13);
  series = fused(series, z, 1.0F / 11);
  series = fused(series, z, 1.0F / 9);
  series = fused(series, z, 1.0F / 7);
  series = fused(series, z, 1.0F / 5);
  series = fused(series, z, 1.0F / 3);
  series = fused(series, z, 1.0F);
  constexpr float minus_two_ln_2 = -1.38629436F;
  return sqrtf(upper ? 4.0F * s * series : minus_two_ln_2 * log2_fast(q));
}

/// Two normals of a pair of words, by Box and Muller.
__device__ __forceinline__ void two_normals(std::uint32_t a, std::uint32_t b, float& first, float& second) noexcept {
  const float radius = normal_radius(a);
  float sine, cosine;
  device::sin_cos_pi(static_cast<float>(static_cast<std::int32_t>(b)) * 0x1p-31F, sine, cosine);
  first = radius * cosine;
  second = radius * sine;
}

[[nodiscard]] __device__ __forceinline__ philox_words words_of(const noise_key& key, std::uint32_t counter) noexcept {
  return philox4x32({counter, key.draw, key.step, static_cast<std::uint32_t>(key.use)}, key.seed);
}

/// Elements 4 counter … 4 counter + 3 of the key's normals: as random_normal, within normal_bound.
__device__ __forceinline__ void four_normals(const noise_key& key, std::uint32_t counter, float (&z)[4]) noexcept {
  const auto words = words_of(key, counter);
  two_normals(words[0], words[1], z[0], z[1]);
  two_normals(words[2], words[3], z[2], z[3]);
}
/// The same of an even element and the next.
__device__ __forceinline__ void normal_pair(const noise_key& key, std::uint64_t element, float (&z)[2]) noexcept {
  const auto words = words_of(key, static_cast<std::uint32_t>(element / 4));
  const bool upper = element % 4 != 0;
  two_normals(upper ? words[2] : words[0], upper ? words[3] : words[1], z[0], z[1]);
}

/// The noise of a launch's rows; elements are counted in 32 bits from the first row.
struct noise_source {
  row_noise of_row;
  std::uint32_t row_size;
  bool whole_counters;  ///< a vector of elements begins with a counter and stays in its row

  noise_source(const row_noise& noise, index row_size_, int lanes) noexcept
      : of_row{noise},
        row_size{static_cast<std::uint32_t>(row_size_)},
        whole_counters{row_size_ % lanes == 0 && noise.first_element % 4 == 0} {}
};

/// z = what make(key, counter, four) gives for elements 4 counter … 4 counter + 3, of the elements at … at + N - 1 of
/// all rows side by side, the first `left` of them; N a multiple of 4.
template <int N, class Make>
__device__ __forceinline__ void draw(const noise_source& noise, std::uint32_t at, std::uint32_t left, float (&z)[N],
                                     Make&& make) noexcept {
  std::uint32_t row = at / noise.row_size, column = at - row * noise.row_size;
  noise_key key = noise.of_row.of(row);
  std::uint64_t element = static_cast<std::uint64_t>(noise.of_row.first_element) + column;
  float four[4];
  if (noise.whole_counters) {
    device::unrolled<N / 4>([&](auto group) {
      make(key, static_cast<std::uint32_t>(element / 4) + group, four);
      device::unrolled<4>([&](auto k) { z[4 * group + k] = four[k]; });
    });
    return;
  }
  device::unrolled<N>([&](auto k) {
    z[k] = 0;
    if (k >= left) return;
    if (column == noise.row_size) {
      column = 0;
      key = noise.of_row.of(++row);
      element = static_cast<std::uint64_t>(noise.of_row.first_element);
    }
    const auto place = static_cast<std::uint32_t>(element % 4);
    if (k == 0 || column == 0 || place == 0) make(key, static_cast<std::uint32_t>(element / 4), four);
    z[k] = place == 0 ? four[0] : place == 1 ? four[1] : place == 2 ? four[2] : four[3];
    ++column;
    ++element;
  });
}
template <int N>
__device__ __forceinline__ void draw_normals(const noise_source& noise, std::uint32_t at, std::uint32_t left,
                                             float (&z)[N]) noexcept {
  draw(noise, at, left, z,
       [](const noise_key& key, std::uint32_t counter, float(&four)[4]) { four_normals(key, counter, four); });
}

/// Calls f(first row, rows) on pieces of the rows whose elements can be counted in 32 bits. Throws invalid_argument
/// for a row that cannot.
template <class F>
void for_each_countable(index rows, index row_size, F&& f) {
  if (rows <= 0 || row_size <= 0) return;
  check(row_size < device::most_elements, "cuda: a row has at most 2^31 - 1 elements, got ", row_size);
  const index most = (device::most_elements - 1) / row_size;
  for (index first = 0; first < rows; first += most) f(first, rows - first < most ? rows - first : most);
}

[[nodiscard]] inline row_noise from_row(row_noise noise, index first) noexcept {
  if (noise.draws != nullptr) noise.draws += first;
  return noise;
}

template <class T>
[[nodiscard]] T* advanced(T* p, index by) noexcept {
  return p != nullptr ? p + by : nullptr;
}

template <bool Wide, class T>
__global__ void __launch_bounds__(elementwise_block)
    fill_normal_kernel(T* out, std::uint32_t count, const noise_source noise) {
  constexpr int lanes = device::lanes_of<T>;
  const std::uint32_t at = (blockIdx.x * elementwise_block + threadIdx.x) * lanes;
  if (at >= count) return;
  float z[lanes];
  draw_normals(noise, at, count - at, z);
  device::store<Wide>(out + at, count - at, z);
}

template <class T>
struct corrupt_arguments {
  const T* x;
  T *noised, *target;
  const float *alpha, *sigma, *clean, *epsilon;
  const std::int32_t* level;
  std::uint32_t count;
};

template <bool Wide, class T>
__global__ void __launch_bounds__(elementwise_block)
    corrupt_rows_kernel(const corrupt_arguments<T> op, const noise_source noise) {
  constexpr int lanes = device::lanes_of<T>;
  const std::uint32_t at = (blockIdx.x * elementwise_block + threadIdx.x) * lanes;
  if (at >= op.count) return;
  const std::uint32_t left = op.count - at;
  float x[lanes], z[lanes], target[lanes];
  device::load<Wide>(op.x + at, left, x);
  draw_normals(noise, at, left, z);
  std::uint32_t row = at / noise.row_size, row_end = (row + 1) * noise.row_size;
  std::int32_t l = op.level[row];
  device::unrolled<lanes>([&](auto k) {
    if (k < left && at + k == row_end) {
      l = op.level[++row];
      row_end += noise.row_size;
    }
    const float v = x[k];
    if (op.target != nullptr) target[k] = device::fused(op.clean[l], v, op.epsilon[l] * z[k]);
    x[k] = device::fused(op.alpha[l], v, op.sigma[l] * z[k]);
  });
  if (op.target != nullptr) device::store<Wide>(op.target + at, left, target);
  device::store<Wide>(op.noised + at, left, x);
}

}  // namespace detail

/// T: float, device::half or device::bfloat16.
template <class T>
void run(const fill_normal<T>& op, device::stream on) {
  detail::for_each_countable(op.rows, op.row_size, [&](index first, index rows) {
    constexpr int lanes = device::lanes_of<T>;
    T* const out = op.out + first * op.row_size;
    const auto count = static_cast<std::uint32_t>(rows * op.row_size);
    const auto kernel =
        device::aligned(out) ? &detail::fill_normal_kernel<true, T> : &detail::fill_normal_kernel<false, T>;
    device::launch(
        on,
        {device::blocks_for((index{count} + lanes - 1) / lanes, detail::elementwise_block), detail::elementwise_block},
        kernel, out, count, detail::noise_source{detail::from_row(op.noise, first), op.row_size, lanes});
  });
}

/// In float; the levels' numbers lie in device memory.
inline void run(const corrupt_rows<float>& op, device::stream on) {
  detail::for_each_countable(op.rows, op.row_size, [&](index first, index rows) {
    constexpr int lanes = device::lanes_of<float>;
    const index skip = first * op.row_size;
    const detail::corrupt_arguments<float> a{.x = op.x + skip,
                                             .noised = op.noised + skip,
                                             .target = detail::advanced(op.target, skip),
                                             .alpha = op.alpha,
                                             .sigma = op.sigma,
                                             .clean = op.clean,
                                             .epsilon = op.epsilon,
                                             .level = op.level + first,
                                             .count = static_cast<std::uint32_t>(rows * op.row_size)};
    const bool wide = device::aligned(a.x) && device::aligned(a.noised) && device::aligned(a.target);
    device::launch(on,
                   {device::blocks_for((index{a.count} + lanes - 1) / lanes, detail::elementwise_block),
                    detail::elementwise_block},
                   wide ? &detail::corrupt_rows_kernel<true, float> : &detail::corrupt_rows_kernel<false, float>, a,
                   detail::noise_source{detail::from_row(op.noise, first), op.row_size, lanes});
  });
}

}  // namespace anodiff::ops::cuda
