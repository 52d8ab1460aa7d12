// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/shape.hpp>

namespace anodiff::ops {

/// Each row noised to every level with the level's own noise: y[(i levels + l)] = alpha[l] x[i] + sigma[l] eps[l].
/// The noise is the same for all rows (common random numbers), so it is drawn once and not here.
template <class T>
struct stack_levels {
  const T* x;              ///< (rows, row_size)
  const T* noise;          ///< (levels, row_size)
  const T *alpha, *sigma;  ///< (levels)
  T* y;                    ///< (rows levels, row_size)
  index rows, levels, row_size;
};

/// out[l][i] = weight[l] (eps[l] − ε̂)², where ε̂ = state[l] y + output[l] F is the noise that the network sees.
template <class T>
struct noise_error {
  const T* y;                        ///< (rows levels, row_size), from stack_levels
  const T* network;                  ///< F (rows levels, row_size)
  const T* noise;                    ///< (levels, row_size)
  const T *state, *output, *weight;  ///< (levels)
  T* out;                            ///< (levels, rows, row_size), with out_stride elements from level to level
  index out_stride;
  index rows, levels, row_size;
};

namespace reference {

template <class T>
void run(const stack_levels<T>& op) {
  for (index i = 0; i < op.rows; ++i)
    for (index l = 0; l < op.levels; ++l)
      for (index j = 0; j < op.row_size; ++j)
        op.y[(i * op.levels + l) * op.row_size + j] =
            op.alpha[l] * op.x[i * op.row_size + j] + op.sigma[l] * op.noise[l * op.row_size + j];
}
template <class T>
void run(const noise_error<T>& op) {
  for (index i = 0; i < op.rows; ++i)
    for (index l = 0; l < op.levels; ++l)
      for (index j = 0; j < op.row_size; ++j) {
        const index at = (i * op.levels + l) * op.row_size + j;
        const T e = op.noise[l * op.row_size + j] - (op.state[l] * op.y[at] + op.output[l] * op.network[at]);
        op.out[l * op.out_stride + i * op.row_size + j] = op.weight[l] * e * e;
      }
}

}  // namespace reference
}  // namespace anodiff::ops
