// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/activation.cuh>
#include <anodiff/ops/linear.hpp>
#include <anodiff/ops/row_team.cuh>

namespace anodiff::ops::cuda {

/// What linear_forward does behind the product z = x W, in one pass over it: y = f(z + bias + table[level]) + residual.
template <class T>
struct linear_epilogue {
  const T* z;                           ///< (rows, out): may be y
  const T* bias = nullptr;              ///< (out)
  const T* table = nullptr;             ///< (levels, out)
  const std::int32_t* level = nullptr;  ///< (rows); null with a table means level row of row
  const T* residual = nullptr;          ///< (rows, out)
  T* before = nullptr;                  ///< (rows, out)
  T* y;                                 ///< (rows, out)
  index rows, out;
  activation kind = activation::identity;
};

namespace detail {

template <bool Wide, class T>
__global__ void __launch_bounds__(elementwise_block) linear_epilogue_kernel(const linear_epilogue<T> op) {
  using namespace device;
  constexpr int lanes = lanes_of<T>;
  const auto out = static_cast<std::uint32_t>(op.out);
  const std::uint32_t j = (blockIdx.x * elementwise_block + threadIdx.x) * lanes;
  if (j >= out) return;
  const std::uint32_t left = out - j;
  float bias[lanes] = {};
  if (op.bias != nullptr) load<Wide>(op.bias + j, left, bias);
  for (index row = blockIdx.y; row < op.rows; row += gridDim.y) {
    float z[lanes], more[lanes];
    load<Wide>(op.z + row * out + j, left, z);
    unrolled<lanes>([&](auto k) { z[k] += bias[k]; });
    if (op.table != nullptr) {
      load<Wide>(op.table + (op.level != nullptr ? op.level[row] : row) * out + j, left, more);
      unrolled<lanes>([&](auto k) { z[k] += more[k]; });
    }
    if (op.before != nullptr) store<Wide>(op.before + row * out + j, left, z);
    unrolled<lanes>([&](auto k) { z[k] = activate(op.kind, z[k]); });
    if (op.residual != nullptr) {
      load<Wide>(op.residual + row * out + j, left, more);
      unrolled<lanes>([&](auto k) { z[k] += more[k]; });
    }
    store<Wide>(op.y + row * out + j, left, z);
  }
}

/// Each thread sums its column of dz by level, the rows in order.
template <class T>
__global__ void __launch_bounds__(elementwise_block) scatter_rows_kernel(const scatter_rows<T> op) {
  const index j = index{blockIdx.x} * elementwise_block + threadIdx.x;
  if (j >= op.width) return;
  for (index i = 0; i < op.rows; ++i)
    op.dtable[(op.level != nullptr ? op.level[i] : i) * op.width + j] += op.dz[i * op.width + j];
}

}  // namespace detail

template <class T>
void run(const linear_epilogue<T>& op, device::stream on) {
  if (op.rows <= 0 || op.out <= 0) return;
  constexpr int lanes = device::lanes_of<T>;
  const bool wide = op.out % lanes == 0 && device::aligned(op.z) && device::aligned(op.bias) &&
                    device::aligned(op.table) && device::aligned(op.residual) && device::aligned(op.before) &&
                    device::aligned(op.y);
  const unsigned columns = device::blocks_for((op.out + lanes - 1) / lanes, detail::elementwise_block);
  const auto rows = static_cast<unsigned>(op.rows < 65535 ? op.rows : 65535);
  device::launch(on, {{columns, rows}, detail::elementwise_block},
                 wide ? &detail::linear_epilogue_kernel<true, T> : &detail::linear_epilogue_kernel<false, T>, op);
}

/// The whole dense layer. product(x, weight, z, rows, in, out, stream) gives z = x W: cublas_product
/// (engines/cublas.cuh) on a GPU. z is y, so that y must be no residual.
template <class T, class Product>
void run(const linear_forward<T>& op, Product& product, device::stream on) {
  if (op.rows <= 0 || op.out <= 0) return;
  product(op.x, op.weight, op.y, op.rows, op.in, op.out, on);
  run(linear_epilogue<T>{.z = op.y,
                         .bias = op.bias,
                         .table = op.table,
                         .level = op.level,
                         .residual = op.residual,
                         .before = op.before,
                         .y = op.y,
                         .rows = op.rows,
                         .out = op.out,
                         .kind = op.kind},
      on);
}

inline void run(const scatter_rows<float>& op, device::stream on) {
  if (op.width <= 0) return;
  device::launch(on, {device::blocks_for(op.width, detail::elementwise_block), detail::elementwise_block},
                 &detail::scatter_rows_kernel<float>, op);
}

}  // namespace anodiff::ops::cuda
