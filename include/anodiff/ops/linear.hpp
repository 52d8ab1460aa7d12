// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/activation.hpp>

namespace anodiff::ops {

/// Relative error of the float product against the same sum in double, for sums of up to 4096 terms of mixed sign.
inline constexpr double linear_bound = 2e-5;

/// y = f(x W + bias + table[level[row]]) + residual, with every part but the product optional (null).
/// The table holds what depends on the noise level alone; it is computed once for each level and not once for each row.
template <class T, class Weight = const T*>
struct linear_forward {
  const T* x;                           ///< (rows, in)
  Weight weight;                        ///< (in, out), row-major, or the engine's packed form of it
  const T* bias = nullptr;              ///< (out)
  const T* table = nullptr;             ///< (levels, out)
  const std::int32_t* level = nullptr;  ///< (rows); null with a table means level row of row
  const T* residual = nullptr;          ///< (rows, out)
  T* before = nullptr;                  ///< (rows, out): what goes into f, kept for the backward pass
  T* y;                                 ///< (rows, out); not x
  index rows, in, out;
  activation kind = activation::identity;
};

/// The same layer with its matrix in another form.
template <class T, class From, class Weight>
[[nodiscard]] constexpr linear_forward<T, Weight> with_weight(const linear_forward<T, From>& op,
                                                              Weight weight) noexcept {
  return {.x = op.x,
          .weight = weight,
          .bias = op.bias,
          .table = op.table,
          .level = op.level,
          .residual = op.residual,
          .before = op.before,
          .y = op.y,
          .rows = op.rows,
          .in = op.in,
          .out = op.out,
          .kind = op.kind};
}

/// Gradients of linear_forward. dz = dy f'(before) is written first, then used for all others.
template <class T>
struct linear_backward {
  const T* x;               ///< (rows, in)
  const T* weight;          ///< (in, out)
  const T* before;          ///< (rows, out); read unless kind is identity
  const T* dy;              ///< (rows, out)
  T* dz;                    ///< (rows, out); may be dy where dy is needed no more
  T* dweight = nullptr;     ///< (in, out); always added to
  T* dbias = nullptr;       ///< (out); always added to
  T* dx = nullptr;          ///< (rows, in)
  bool accumulate = false;  ///< adds to dx instead of writing it
  index rows, in, out;
  activation kind = activation::identity;
};

/// dtable[level[row]] += dz[row], the rows taken in order.
template <class T>
struct scatter_rows {
  const T* dz;                ///< (rows, width)
  const std::int32_t* level;  ///< (rows); null means level row of row
  T* dtable;                  ///< (levels, width)
  index rows, width;
};

namespace reference {

template <class T>
void run(const linear_forward<T>& op) {
  for (index i = 0; i < op.rows; ++i)
    for (index j = 0; j < op.out; ++j) {
      T z = 0;
      for (index k = 0; k < op.in; ++k) z += op.x[i * op.in + k] * op.weight[k * op.out + j];
      if (op.bias != nullptr) z += op.bias[j];
      if (op.table != nullptr) z += op.table[(op.level != nullptr ? op.level[i] : i) * op.out + j];
      if (op.before != nullptr) op.before[i * op.out + j] = z;
      op.y[i * op.out + j] = activate(op.kind, z) + (op.residual != nullptr ? op.residual[i * op.out + j] : T{0});
    }
}

template <class T>
void run(const linear_backward<T>& op) {
  for (index i = 0; i < op.rows * op.out; ++i)
    op.dz[i] = op.kind == activation::identity ? op.dy[i] : op.dy[i] * slope(op.kind, op.before[i]);
  for (index j = 0; j < op.out; ++j)
    for (index i = 0; i < op.rows; ++i) {
      const T dz = op.dz[i * op.out + j];
      if (op.dbias != nullptr) op.dbias[j] += dz;
      if (op.dweight != nullptr)
        for (index k = 0; k < op.in; ++k) op.dweight[k * op.out + j] += op.x[i * op.in + k] * dz;
    }
  if (op.dx == nullptr) return;
  for (index i = 0; i < op.rows; ++i)
    for (index k = 0; k < op.in; ++k) {
      T sum = op.accumulate ? op.dx[i * op.in + k] : T{0};
      for (index j = 0; j < op.out; ++j) sum += op.dz[i * op.out + j] * op.weight[k * op.out + j];
      op.dx[i * op.in + k] = sum;
    }
}

template <class T>
void run(const scatter_rows<T>& op) {
  for (index i = 0; i < op.rows; ++i)
    for (index j = 0; j < op.width; ++j)
      op.dtable[(op.level != nullptr ? op.level[i] : i) * op.width + j] += op.dz[i * op.width + j];
}

}  // namespace reference
}  // namespace anodiff::ops
