// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/tensor.hpp>

namespace anodiff {

/// All that a training run must carry from one step to the next; random numbers depend on `step` alone.
template <class T>
struct training_state {
  index step = 0;
  aligned_vector<T> weights, first, second, average;  ///< AdamW's moments and the averaged weights
  double loss = 0;                                    ///< running mean of the minibatch loss
  double validation = 0;                              ///< last measurement with the averaged weights
};

}  // namespace anodiff
