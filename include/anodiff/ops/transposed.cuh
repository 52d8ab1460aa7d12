// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/check.hpp>
#include <anodiff/core/device.cuh>

namespace anodiff::ops::cuda {

/// y (columns, rows) = the transpose of x (rows, columns), or that added to y; y is not x.
template <class T>
struct transposed {
  const T* x;
  T* y;
  index rows, columns;
  bool add = false;
};

namespace detail {

inline constexpr unsigned transposed_tile = 32, transposed_lines = 8;

/// A block has a tile, in shared memory: read and written along its lines.
template <class T>
__global__ void __launch_bounds__(transposed_tile* transposed_lines) transposed_kernel(const transposed<T> op) {
  using namespace device;
  auto& tile = shared<T[transposed_tile][transposed_tile + 1]>();  // one more: a column of the tile meets no bank twice
  const unsigned j = threadIdx.x % transposed_tile, line = threadIdx.x / transposed_tile;
  const index row = index{blockIdx.y} * transposed_tile, column = index{blockIdx.x} * transposed_tile;
  for (unsigned i = line; i < transposed_tile; i += transposed_lines)
    if (row + i < op.rows && column + j < op.columns) tile[i][j] = op.x[(row + i) * op.columns + column + j];
  sync_block();
  for (unsigned i = line; i < transposed_tile; i += transposed_lines)
    if (column + i < op.columns && row + j < op.rows) {
      T& to = op.y[(column + i) * op.rows + row + j];
      to = op.add ? to + tile[j][i] : tile[j][i];
    }
}

}  // namespace detail

/// Throws invalid_argument for more than 2 million rows.
inline void run(const transposed<float>& op, device::stream on) {
  if (op.rows <= 0 || op.columns <= 0) return;
  const unsigned lines = device::blocks_for(op.rows, detail::transposed_tile);
  check(lines <= 65535, "cuda: transposed takes at most 2097120 rows, got ", op.rows);
  device::launch(on,
                 {{device::blocks_for(op.columns, detail::transposed_tile), lines},
                  detail::transposed_tile * detail::transposed_lines},
                 &detail::transposed_kernel<float>, op);
}

}  // namespace anodiff::ops::cuda
