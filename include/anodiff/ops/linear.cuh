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
  index share = 1;  ///< neighbouring rows that have one entry of level: the pixels of a picture
};

/// c (m, n) = op(a) op(b), or that added to c: row-major, op being the transpose where it says so. T is float (in full
/// float) or device::bfloat16 (sums in float).
template <class T>
struct dense_product {
  const T* a;  ///< (m, k), or (k, m) where transposed
  const T* b;  ///< (k, n), or (n, k) where transposed
  T* c;        ///< (m, n)
  index m, n, k;
  bool a_transposed = false, b_transposed = false, add = false;
};

/// sum[j] += Σ_i x[i, j]: the rows in 32 interleaved parts, then the parts in order. Error: 2e-6 of Σ |x|.
template <class T>
struct add_columns {
  const T* x;  ///< (rows, width)
  float* sum;  ///< (width)
  index rows, width;
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
      load<Wide>(op.table + (op.level != nullptr ? op.level[row / op.share] : row) * out + j, left, more);
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

/// A block has 32 columns, each warp every 32nd row of them.
template <class T>
__global__ void __launch_bounds__(1024) add_columns_kernel(const add_columns<T> op) {
  using namespace device;
  const index j = index{blockIdx.x} * warp_size + lane();
  float sum = 0;
  if (j < op.width)
    for (index i = threadIdx.x / warp_size; i < op.rows; i += warp_size) sum += to_float(op.x[i * op.width + j]);
  sum = sum_of_warps<0>(sum);
  if (threadIdx.x < warp_size && j < op.width) op.sum[j] += sum;
}

/// A block sums for the level of its row, unless an earlier row has it too: the rows in order, found 256 at a time.
template <class T>
__global__ void __launch_bounds__(elementwise_block) scatter_rows_kernel(const scatter_rows<T> op) {
  using namespace device;
  constexpr unsigned warps = elementwise_block / warp_size;
  auto& found = shared<index[elementwise_block], 0>();
  auto& of_warp = shared<unsigned[warps], 1>();
  const index j = index{blockIdx.x} * elementwise_block + threadIdx.x;
  const unsigned warp = threadIdx.x / warp_size;
  for (index i = blockIdx.y; i < op.rows; i += gridDim.y) {
    if (op.level == nullptr) {
      if (j < op.width) op.dtable[i * op.width + j] += op.dz[i * op.width + j];
      continue;
    }
    const index level = op.level[i];
    unsigned earlier = 0;
    for (index r = threadIdx.x; r < i; r += elementwise_block) earlier |= op.level[r] == level ? 1U : 0U;
    if (block_max(earlier) != 0) continue;
    T sum = j < op.width ? op.dtable[level * op.width + j] : T{0};
    for (index first = i; first < op.rows; first += elementwise_block) {
      const index r = first + threadIdx.x;
      const bool mine = r < op.rows && op.level[r] == level;
      const unsigned votes = ballot(mine);
      if (lane() == 0) of_warp[warp] = votes;
      sync_block();  // and the rows found before have been added
      unsigned before = 0, all = 0;
      for (unsigned w = 0; w < warps; ++w) {
        const auto count = static_cast<unsigned>(std::popcount(of_warp[w]));
        before += w < warp ? count : 0U;
        all += count;
      }
      before += static_cast<unsigned>(std::popcount(votes & ((1U << lane()) - 1)));
      if (mine) found[before] = r;
      sync_block();
      if (j < op.width)
        for (unsigned k = 0; k < all; ++k) sum += op.dz[found[k] * op.width + j];
    }
    if (j < op.width) op.dtable[level * op.width + j] = sum;
  }
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

template <class T>
void run(const add_columns<T>& op, device::stream on) {
  if (op.width <= 0) return;
  device::launch(on, {device::blocks_for(op.width, device::warp_size), 1024}, &detail::add_columns_kernel<T>, op);
}

/// The whole dense layer. product.run(dense_product, stream) multiplies: cublas_product (engines/cublas.cuh) on a GPU.
/// The product lies in y before the rest comes to it, so that y must be no residual.
template <class T, class Product>
void run(const linear_forward<T>& op, Product& product, device::stream on) {
  if (op.rows <= 0 || op.out <= 0) return;
  product.run(dense_product<T>{.a = op.x, .b = op.weight, .c = op.y, .m = op.rows, .n = op.out, .k = op.in}, on);
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

/// Its gradients: dz, then two products and the sums of dz's columns.
template <class Product>
void run(const linear_backward<float>& op, Product& product, device::stream on) {
  if (op.rows <= 0 || op.out <= 0) return;
  if (op.kind != activation::identity)
    run(activate_backward<float>{op.before, op.dy, op.dz, op.rows * op.out, op.kind, false}, on);
  else if (op.dz != op.dy)
    run(accumulate<float>{op.dy, op.dz, op.rows * op.out, false}, on);
  if (op.dbias != nullptr) run(add_columns<float>{op.dz, op.dbias, op.rows, op.out}, on);
  if (op.dweight != nullptr)
    product.run(dense_product<float>{.a = op.x,
                                     .b = op.dz,
                                     .c = op.dweight,
                                     .m = op.in,
                                     .n = op.out,
                                     .k = op.rows,
                                     .a_transposed = true,
                                     .add = true},
                on);
  if (op.dx != nullptr)
    product.run(dense_product<float>{.a = op.dz,
                                     .b = op.weight,
                                     .c = op.dx,
                                     .m = op.rows,
                                     .n = op.in,
                                     .k = op.out,
                                     .b_transposed = true,
                                     .add = op.accumulate},
                on);
}

inline void run(const scatter_rows<float>& op, device::stream on) {
  detail::launch_rows_of_elements(&detail::scatter_rows_kernel<float>, op, op.rows, op.width, on);
}

}  // namespace anodiff::ops::cuda
