// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/shape.hpp>
#include <cmath>

namespace anodiff::ops {

/// One AdamW step (Loshchilov & Hutter 2017, arXiv:1711.05101, algorithm 2, decay scaled by the rate) and the moving
/// average of the weights, in one pass; the gradient is scaled on the way and left zero for the next step.
template <class T>
struct adamw_step {
  T *weight, *gradient, *first, *second;  ///< (count)
  T* average = nullptr;                   ///< (count), or null
  index count;
  T rate, beta_1, beta_2, epsilon, decay;
  T gradient_scale = 1;          ///< clipping
  T correction_1, correction_2;  ///< 1 − beta^step
  T average_decay = 0;
};

/// Sum of squares in double: each block of sum_block elements apart, then the blocks in order.
template <class T>
struct sum_of_squares {
  const T* x;
  index count;
  double* blocks;  ///< scratch (ceil(count / sum_block))
  double* sum;
};
inline constexpr index sum_block = 16384;

namespace reference {

template <class T>
void run(const adamw_step<T>& op) {
  for (index i = 0; i < op.count; ++i) {
    const T g = op.gradient[i] * op.gradient_scale;
    const T m = op.beta_1 * op.first[i] + (1 - op.beta_1) * g;
    const T v = op.beta_2 * op.second[i] + (1 - op.beta_2) * g * g;
    op.first[i] = m;
    op.second[i] = v;
    op.gradient[i] = 0;
    const T step = (m / op.correction_1) / (std::sqrt(v / op.correction_2) + op.epsilon);
    op.weight[i] -= op.rate * (step + op.decay * op.weight[i]);
    if (op.average != nullptr) op.average[i] += (1 - op.average_decay) * (op.weight[i] - op.average[i]);
  }
}

template <class T>
void run(const sum_of_squares<T>& op) {
  *op.sum = 0;
  for (index first = 0; first < op.count; first += sum_block) {
    double block = 0;
    for (index i = first; i < op.count && i < first + sum_block; ++i)
      block += static_cast<double>(op.x[i]) * static_cast<double>(op.x[i]);
    *op.sum += block;
  }
}

}  // namespace reference
}  // namespace anodiff::ops
