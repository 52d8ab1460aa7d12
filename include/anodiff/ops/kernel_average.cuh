// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/kernel_average.hpp>
#include <anodiff/ops/row_team.cuh>

namespace anodiff::ops::cuda {

namespace detail {

inline constexpr unsigned average_tile = 64;  ///< references whose energies lie in shared memory at once

/// One block a sample. Tiles of references come in order; the sums so far are scaled down whenever a tile holds a
/// nearer one (Milakov & Gimelshein 2018, arXiv:1805.02867, algorithm 3). In double: energies of thousands are
/// compared by their differences.
template <class T>
__global__ void __launch_bounds__(block_team::block) kernel_average_kernel(const kernel_average<T> op) {
  using namespace device;
  constexpr unsigned warps = block_team::block / warp_size;
  const std::size_t i = blockIdx.x;
  const auto size = static_cast<std::uint32_t>(op.row_size);
  auto& energy = shared<double[average_tile], 0>();
  auto& weight = shared<double[average_tile + 1], 2>();  // of the tile's references, and of all before them
  double* const sum = size <= kernel_average_small ? shared<double[kernel_average_small], 1>() : op.sum + i * size;
  const double alpha = op.alpha[op.level[i]], sigma = op.sigma[op.level[i]], scale = 1 / (2 * sigma * sigma);
  const index excluded = op.exclude != nullptr ? op.exclude[i] : -1;
  const T* const x = op.x + i * size;
  for (std::uint32_t j = threadIdx.x; j < size; j += block_team::block) sum[j] = 0;
  double least = INFINITY, total = 0;
  for (index first = 0; first < op.count; first += average_tile) {
    const auto here = static_cast<unsigned>(op.count - first < average_tile ? op.count - first : average_tile);
    for (unsigned k = threadIdx.x / warp_size; k < here; k += warps) {
      const T* const r = op.reference + (first + k) * size;
      double square = 0;
      for (std::uint32_t j = lane(); j < size; j += warp_size) {
        const double e = static_cast<double>(x[j]) - alpha * static_cast<double>(r[j]);
        square += e * e;
      }
      square = warp_sum(square);
      if (lane() == 0) energy[k] = first + k == excluded ? INFINITY : square * scale;
    }
    sync_block();
    double nearest = least;
    for (unsigned k = 0; k < here; ++k) nearest = energy[k] < nearest ? energy[k] : nearest;
    if (threadIdx.x < here) {
      const double e = energy[threadIdx.x];
      weight[threadIdx.x] = e == INFINITY ? 0.0 : exp(nearest - e);
    } else if (threadIdx.x == average_tile) {
      weight[average_tile] = nearest == least ? 1.0 : exp(nearest - least);
    }
    least = nearest;
    sync_block();  // from here on energies may change, and weights once the next tile's energies are there
    const double shrink = weight[average_tile];
    total *= shrink;
    for (unsigned k = 0; k < here; ++k) total += weight[k];
    for (std::uint32_t j = threadIdx.x; j < size; j += block_team::block) {
      double s = sum[j] * shrink;
      for (unsigned k = 0; k < here; ++k) s += weight[k] * static_cast<double>(op.reference[(first + k) * size + j]);
      sum[j] = s;
    }
  }
  for (std::uint32_t j = threadIdx.x; j < size; j += block_team::block)
    op.clean[i * size + j] = static_cast<T>(sum[j] / total);
  if (threadIdx.x == 0 && op.log_sum != nullptr) op.log_sum[i] = log(total) - least;
}

}  // namespace detail

/// Bound: kernel_average_bound. Throws invalid_argument for rows above kernel_average_small without scratch.
inline void run(const kernel_average<float>& op, device::stream on) {
  if (op.rows <= 0) return;
  check(op.row_size <= kernel_average_small || op.sum != nullptr, "cuda: kernel_average of rows of ", op.row_size,
        " needs scratch; up to ", kernel_average_small, " it needs none");
  device::launch(on, {static_cast<unsigned>(op.rows), detail::block_team::block}, &detail::kernel_average_kernel<float>,
                 op);
}

}  // namespace anodiff::ops::cuda
