// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/row_team.cuh>

namespace anodiff::ops::cuda {

/// out[i] = the mean of the k largest elements of row i; NaN where the row holds one. Relative error: 1e-6.
struct top_k_mean {
  const float* x;  ///< (rows, row_size)
  float* out;      ///< (rows)
  index rows, row_size;
  index k;  ///< [1, row_size]
};

/// counts[i, b] = how many elements of row i lie in [low + b width, low + (b + 1) width), width = (high − low) / bins;
/// those outside and NaN are not counted.
struct row_histogram {
  const float* x;    ///< (rows, row_size)
  unsigned* counts;  ///< (rows, bins)
  index rows, row_size;
  index bins;  ///< [1, histogram_most_bins]
  float low, high;
};
inline constexpr index histogram_most_bins = 4096;

namespace detail {

/// An integer that orders as the float does, NaN above all.
[[nodiscard]] __device__ __forceinline__ std::uint32_t ordered(float x) noexcept {
  const std::uint32_t bits = device::float_bits(x);
  if (x != x) return 0xFFFFFFFFU;
  return (bits >> 31) != 0 ? ~bits : bits | 0x80000000U;
}

/// The k-th largest is found digit by digit, each from a count of the 256 values it can have; then what is larger is
/// summed, and the k-th itself fills up the rest.
template <class T>
__global__ void __launch_bounds__(block_team::block) top_k_mean_kernel(const T op) {
  using namespace device;
  static_assert(block_team::block == 256);
  auto& counts = shared<unsigned[256]>();
  auto& found = shared<unsigned[2], 1>();  // the digit, and how many of the k lie in or below it
  const float* const x = op.x + index{blockIdx.x} * op.row_size;
  std::uint32_t prefix = 0, mask = 0;
  auto wanted = static_cast<unsigned>(op.k);
  for (unsigned shift = 24;; shift -= 8) {
    counts[threadIdx.x] = 0;
    sync_block();
    for (index j = threadIdx.x; j < op.row_size; j += block_team::block) {
      const std::uint32_t key = ordered(x[j]);
      if ((key & mask) == prefix) atomic_add(&counts[key >> shift & 255U], 1U);
    }
    sync_block();
    if (threadIdx.x == 0) {
      unsigned digit = 255, left = wanted;
      while (counts[digit] < left) left -= counts[digit--];
      found[0] = digit;
      found[1] = left;
    }
    sync_block();
    prefix |= found[0] << shift;
    mask |= 255U << shift;
    wanted = found[1];
    if (shift == 0) break;
  }
  float sum = 0;
  for (index j = threadIdx.x; j < op.row_size; j += block_team::block)
    if (ordered(x[j]) > prefix) sum += x[j];
  sum = block_sum(sum);
  const float kth = bits_float(prefix == 0xFFFFFFFFU ? prefix : (prefix >> 31) != 0 ? prefix & 0x7FFFFFFFU : ~prefix);
  if (threadIdx.x == 0) op.out[blockIdx.x] = fused(static_cast<float>(wanted), kth, sum) / static_cast<float>(op.k);
}

template <class T>
__global__ void __launch_bounds__(block_team::block) row_histogram_kernel(const T op) {
  using namespace device;
  auto* const counts = dynamic_shared<unsigned>();
  const auto bins = static_cast<unsigned>(op.bins);
  for (unsigned b = threadIdx.x; b < bins; b += block_team::block) counts[b] = 0;
  sync_block();
  const float* const x = op.x + index{blockIdx.x} * op.row_size;
  const float a_bin = static_cast<float>(bins) / (op.high - op.low);
  for (index j = threadIdx.x; j < op.row_size; j += block_team::block) {
    const float place = (x[j] - op.low) * a_bin;
    if (place >= 0 && place < static_cast<float>(bins)) atomic_add(&counts[static_cast<unsigned>(place)], 1U);
  }
  sync_block();
  for (unsigned b = threadIdx.x; b < bins; b += block_team::block)
    op.counts[index{blockIdx.x} * op.bins + b] = counts[b];
}

}  // namespace detail

/// Throws invalid_argument for a k outside its range, or a row of 2^31 elements or more.
inline void run(const top_k_mean& op, device::stream on) {
  if (op.rows <= 0) return;
  check(op.k >= 1 && op.k <= op.row_size && op.row_size < device::most_elements, "cuda: top_k_mean needs k in [1, ",
        op.row_size, "] and rows of less than 2^31 elements, got ", op.k);
  device::launch(on, {static_cast<unsigned>(op.rows), detail::block_team::block},
                 &detail::top_k_mean_kernel<top_k_mean>, op);
}

/// Throws invalid_argument for a number of bins outside its range, or high that is not above low.
inline void run(const row_histogram& op, device::stream on) {
  if (op.rows <= 0) return;
  check(op.bins >= 1 && op.bins <= histogram_most_bins && op.high > op.low, "cuda: row_histogram needs 1 to ",
        histogram_most_bins, " bins and low < high, got ", op.bins, ", ", op.low, " and ", op.high);
  device::launch(
      on,
      {static_cast<unsigned>(op.rows), detail::block_team::block, static_cast<std::size_t>(op.bins) * sizeof(unsigned)},
      &detail::row_histogram_kernel<row_histogram>, op);
}

}  // namespace anodiff::ops::cuda
