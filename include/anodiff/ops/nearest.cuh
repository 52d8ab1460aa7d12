// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/device.cuh>
#include <anodiff/ops/nearest.hpp>

namespace anodiff::ops::cuda {

/// Relative error of a squared distance: the same sums in double as on every engine, but with fused steps. Places are
/// the reference's unless two distances differ by less than that.
inline constexpr double nearest_bound = 1e-14;

/// Most neighbours of one query.
inline constexpr index nearest_most = 1024;

namespace detail {

inline constexpr unsigned nearest_block = 128, nearest_queries = nearest_block / device::warp_size,
                          nearest_columns = 16;

/// Puts (distance, place) into a warp's ascending list of k in shared memory; every earlier entry has a lower place.
__device__ __forceinline__ void insert_nearest(double* distances, index* places, unsigned k, double distance,
                                               index place) {
  using namespace device;
  unsigned before = 0;
  for (unsigned i = lane(); i < k; i += warp_size) before += distances[i] <= distance ? 1U : 0U;
  before = warp_sum(before);
  if (before == k) return;
  for (unsigned first = (k - 1) / warp_size * warp_size;; first -= warp_size) {  // from the end: what moves makes room
    const unsigned i = first + lane();
    const bool moves = i > before && i < k;
    const double kept = moves ? distances[i - 1] : 0;
    const index kept_place = moves ? places[i - 1] : 0;
    sync_warp();
    if (moves) {
      distances[i] = kept;
      places[i] = kept_place;
    }
    sync_warp();
    if (first <= before) break;
  }
  if (lane() == 0) {
    distances[before] = distance;
    places[before] = place;
  }
  sync_warp();
}

/// A block has four queries, and tiles of 128 references, one a thread, in order; columns come through shared memory.
/// Then each warp sees to the list of one query.
template <class T>
__global__ void __launch_bounds__(nearest_block) nearest_kernel(const nearest<T> op) {
  using namespace device;
  auto& rows = shared<T[nearest_block][nearest_columns + 1], 0>();
  auto& query = shared<T[nearest_queries][nearest_columns], 1>();
  auto& found = shared<double[nearest_queries][nearest_block], 2>();
  const auto k = static_cast<unsigned>(op.k);
  auto* const distances = dynamic_shared<double>() + threadIdx.x / warp_size * 2 * k;
  auto* const places = reinterpret_cast<index*>(distances + k);
  const index first_query = index{blockIdx.x} * nearest_queries;
  for (unsigned i = lane(); i < k; i += warp_size) {
    distances[i] = INFINITY;
    places[i] = -1;
  }
  sync_warp();
  const index whole = op.row_size / 4 * 4;
  for (index first = 0; first < op.count; first += nearest_block) {
    double sum[nearest_queries][4] = {};
    for (index column = 0; column < op.row_size; column += nearest_columns) {
      const auto here =
          static_cast<unsigned>(op.row_size - column < nearest_columns ? op.row_size - column : nearest_columns);
      sync_block();  // the columns before have been read
      for (unsigned e = threadIdx.x; e < nearest_block * nearest_columns; e += nearest_block) {
        const unsigned r = e / nearest_columns, c = e % nearest_columns;
        rows[r][c] = first + r < op.count && c < here ? op.reference[(first + r) * op.row_size + column + c] : T{0};
      }
      if (threadIdx.x < nearest_queries * nearest_columns) {
        const unsigned q = threadIdx.x / nearest_columns, c = threadIdx.x % nearest_columns;
        query[q][c] =
            first_query + q < op.rows && c < here ? op.query[(first_query + q) * op.row_size + column + c] : T{0};
      }
      sync_block();
      unrolled<nearest_columns>([&](auto c) {
        if (c >= here) return;
        const auto x = static_cast<double>(rows[threadIdx.x][c]);
        unrolled<nearest_queries>([&](auto q) {
          const double e = static_cast<double>(query[q][c]) - x;
          if (column + c < whole)
            sum[q][c % 4] += e * e;
          else
            sum[q][0] += e * e;
        });
      });
    }
    unrolled<nearest_queries>(
        [&](auto q) { found[q][threadIdx.x] = (sum[q][0] + sum[q][1]) + (sum[q][2] + sum[q][3]); });
    sync_block();
    const unsigned mine = threadIdx.x / warp_size;
    if (first_query + mine < op.rows) {
      const index excluded = op.exclude != nullptr ? op.exclude[first_query + mine] : -1;
      for (unsigned group = 0; group < nearest_block; group += warp_size) {
        const index place = first + group + lane();
        const double distance = found[mine][group + lane()];
        unsigned candidates = ballot(place < op.count && place != excluded && distance < distances[k - 1]);
        for (unsigned r = 0; candidates != 0; ++r, candidates >>= 1)
          if ((candidates & 1U) != 0) insert_nearest(distances, places, k, found[mine][group + r], first + group + r);
      }
    }
    // `found` is written again only behind the next tile's barriers
  }
  if (first_query + threadIdx.x / warp_size >= op.rows) return;
  const index to = (first_query + threadIdx.x / warp_size) * op.k;
  for (unsigned i = lane(); i < k; i += warp_size) {
    op.distance[to + i] = distances[i];
    op.place[to + i] = places[i];
  }
}

}  // namespace detail

/// The references themselves are read, not their packed product. Throws invalid_argument for a k outside
/// [1, nearest_most].
inline void run(const nearest<float>& op, device::stream on) {
  if (op.rows <= 0) return;
  check(op.k >= 1 && op.k <= nearest_most, "cuda: nearest finds 1 to ", nearest_most, " neighbours, got ", op.k);
  device::launch(on,
                 {device::blocks_for(op.rows, detail::nearest_queries), detail::nearest_block,
                  detail::nearest_queries * static_cast<std::size_t>(op.k) * (sizeof(double) + sizeof(index))},
                 &detail::nearest_kernel<float>, op);
}

}  // namespace anodiff::ops::cuda
