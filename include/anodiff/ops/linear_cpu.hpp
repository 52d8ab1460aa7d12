// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/activation_cpu.hpp>
#include <anodiff/ops/linear.hpp>
#include <anodiff/ops/matmul_cpu.hpp>

namespace anodiff::ops::cpu {

namespace detail {

/// What follows the product, on one piece of one row: bias, table, activation, residual.
template <activation Kind, class T, class Weight>
ANODIFF_ALWAYS_INLINE void finish_piece(const linear_forward<T, Weight>& op, index row, index column, const T* sums,
                                        int count) noexcept {
  using V = simd::vec<T>;
  const index at = row * op.out + column;
  const T* table =
      op.table != nullptr ? op.table + (op.level != nullptr ? op.level[row] : row) * op.out + column : nullptr;
  for_each_lanes<T>(count, [&](index j, auto lanes) {
    V z = lanes.load(sums + j);
    if (op.bias != nullptr) z += lanes.load(op.bias + column + j);
    if (table != nullptr) z += lanes.load(table + j);
    if (op.before != nullptr) lanes.store(op.before + at + j, z);
    V y = activate<Kind>(z);
    if (op.residual != nullptr) y += lanes.load(op.residual + at + j);
    lanes.store(op.y + at + j, y);
  });
}

template <class T, class Weight>
struct linear_finish {
  const linear_forward<T, Weight>& op;
  void operator()(index row, index column, const T* sums, int count) const noexcept {
    with_kind(op.kind, [&]<activation Kind>() { finish_piece<Kind>(op, row, column, sums, count); });
  }
  void tile(index row, index rows, index column, const T* sums, index stride, int count) const noexcept {
    const auto each_row = [&](auto length) {
      with_kind(op.kind, [&]<activation Kind>() {
        for (index r = 0; r < rows; ++r) finish_piece<Kind>(op, row + r, column, sums + r * stride, length);
      });
    };
    if (count == tile_size<T>::columns)
      each_row(std::integral_constant<int, tile_size<T>::columns>{});
    else
      each_row(count);
  }
};

/// Writes or adds each finished piece to a row-major target.
template <class T>
struct store_finish {
  T* target;
  index stride;
  bool add;
  void operator()(index row, index column, const T* sums, int count) const noexcept {
    T* to = target + row * stride + column;
    for_each_lanes<T>(count, [&](index j, auto lanes) {
      const auto sum = lanes.load(sums + j);
      lanes.store(to + j, add ? lanes.load(to + j) + sum : sum);
    });
  }
  void tile(index row, index rows, index column, const T* sums, index sums_stride, int count) const noexcept {
    const store_finish self = *this;
    for (index r = 0; r < rows; ++r)
      if (count == tile_size<T>::columns)
        self(row + r, column, sums + r * sums_stride, tile_size<T>::columns);
      else
        self(row + r, column, sums + r * sums_stride, count);
  }
};

/// sums[j] += Σ_row dz[row][j] for columns [first, last), the rows in order.
template <class T>
void add_column_sums(const T* dz, index rows, index stride, index first, index last, T* sums) noexcept {
  using V = simd::vec<T>;
  if (rows == 0) return;  // dz may be null
  for_each_lanes_by<T, 4>(last - first, [&](index j, auto lanes, auto vectors) {
    const T* column = dz + first + j;
    V sum[vectors]{};
    for (index i = 0; i < rows; ++i)
      unrolled<vectors>([&](auto v) { sum[v] += lanes.load(column + i * stride + v * simd::lanes<T>); });
    unrolled<vectors>([&](auto v) {
      T* to = sums + first + j + v * simd::lanes<T>;
      lanes.store(to, lanes.load(to) + sum[v]);
    });
  });
}

}  // namespace detail

template <class T>
void run(const linear_forward<T, const packed_matrix<T>*>& op, thread_pool& pool) {
  multiply<T>(pool, op.rows, {op.x, op.in, 1}, *op.weight, detail::linear_finish<T, const packed_matrix<T>*>{op});
}

template <class T>
void run(const linear_forward<T>& op, thread_pool& pool) {
  multiply<T>(pool, op.rows, op.out, op.in, {op.x, op.in, 1}, {op.weight, op.out, 1},
              detail::linear_finish<T, const T*>{op});
}

template <class T>
void run(const linear_backward<T>& op, thread_pool& pool) {
  if (op.kind != activation::identity)
    run(activate_backward<T>{op.before, op.dy, op.dz, op.rows * op.out, op.kind, false}, pool);
  else if (op.dz != op.dy)
    std::copy(op.dy, op.dy + op.rows * op.out, op.dz);
  const T* dz = op.dz;
  constexpr index slab = 256;  // rows of x and dz that stay in the cache while every piece of dweight reads them
  if (op.dweight != nullptr)
    for (index first = 0; first < op.rows; first += slab)
      multiply<T>(pool, op.in, op.out, std::min(slab, op.rows - first), {op.x + first * op.in, 1, op.in},
                  {dz + first * op.out, op.out, 1}, detail::store_finish<T>{op.dweight, op.out, true});
  if (op.dbias != nullptr)
    parallel_for(pool, op.out, 64,
                 [&](index first, index last) { detail::add_column_sums(dz, op.rows, op.out, first, last, op.dbias); });
  if (op.dx != nullptr)
    multiply<T>(pool, op.rows, op.in, op.out, {dz, op.out, 1}, {op.weight, 1, op.out},
                detail::store_finish<T>{op.dx, op.in, op.accumulate});
}

template <class T>
void run(const scatter_rows<T>& op, thread_pool& pool) {
  parallel_for(pool, op.width, 64, [&](index first, index last) {
    for (index i = 0; i < op.rows; ++i) {
      T* to = op.dtable + (op.level != nullptr ? op.level[i] : i) * op.width;
      const T* from = op.dz + i * op.width;
      for (index j = first; j < last; ++j) to[j] += from[j];
    }
  });
}

}  // namespace anodiff::ops::cpu
