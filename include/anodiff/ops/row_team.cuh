// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/device.cuh>

namespace anodiff::ops::cuda::detail {

/// The threads that share a row: a warp for a short row, a block for a long one. Sums are the same in every thread and
/// always added in the same order; all threads of a team must call them.
struct warp_team {
  static constexpr unsigned size = device::warp_size, block = 128, rows_a_block = block / size;
  [[nodiscard]] static __device__ __forceinline__ std::size_t row() noexcept {
    return std::size_t{blockIdx.x} * rows_a_block + threadIdx.x / size;
  }
  [[nodiscard]] static __device__ __forceinline__ unsigned rank() noexcept { return threadIdx.x % size; }
  template <class T>
  [[nodiscard]] static __device__ __forceinline__ T sum(T x, device::place at = device::here()) {
    return device::warp_sum(x, at);
  }
  template <class T>
  [[nodiscard]] static __device__ __forceinline__ T max(T x, device::place at = device::here()) {
    return device::warp_max(x, at);
  }
};

struct block_team {
  static constexpr unsigned size = 256, block = size, rows_a_block = 1;
  [[nodiscard]] static __device__ __forceinline__ std::size_t row() noexcept { return blockIdx.x; }
  [[nodiscard]] static __device__ __forceinline__ unsigned rank() noexcept { return threadIdx.x; }
  template <class T>
  [[nodiscard]] static __device__ __forceinline__ T sum(T x, device::place at = device::here()) {
    return device::block_sum(x, at);
  }
  template <class T>
  [[nodiscard]] static __device__ __forceinline__ T max(T x, device::place at = device::here()) {
    return device::block_max(x, at);
  }
};

/// The sum over the warps of a block of 32 warps, for each lane by itself, in the order of the warps. The first warp
/// alone has it, in the others it is 0. Uses the shared array with this Tag.
template <int Tag>
[[nodiscard]] __device__ __forceinline__ float sum_of_warps(float x, device::place at = device::here()) {
  using namespace device;
  auto& parts = shared<float[warp_size][warp_size], 1100 + Tag>(at);
  parts[threadIdx.x / warp_size][lane()] = x;
  sync_block(at);
  float sum = 0;
  if (threadIdx.x < warp_size) unrolled<warp_size>([&](auto warp) { sum += parts[warp][lane()]; });
  return sum;
}

/// Rows up to this long are a warp's.
inline constexpr index longest_warp_row = 1024;

/// Calls f(team) with the team for rows of this length.
template <class F>
void with_team(index row_size, F&& f) {
  if (row_size <= longest_warp_row)
    f(warp_team{});
  else
    f(block_team{});
}

template <class Team, class Kernel, class... Arguments>
void launch_rows(Team, index rows, device::stream on, Kernel kernel, const Arguments&... arguments) {
  if (rows <= 0) return;
  device::launch(on, {device::blocks_for(rows, Team::rows_a_block), Team::block}, kernel, arguments...);
}

}  // namespace anodiff::ops::cuda::detail
