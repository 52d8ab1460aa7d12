// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/learned_noise.hpp>
#include <anodiff/ops/noise_cpu.hpp>

namespace anodiff::ops::cpu {

template <class T>
void run(const learned_noise<T>& op, thread_pool& pool) {
  const bool between = op.most > 0;
  const T low = between ? std::log(op.least) : T{0}, half = between ? (std::log(op.most) - low) / 2 : T{0};
  detail::for_each_piece(pool, op.rows, op.row_size, op.noise,
                         [&](index row, index first, index count, const float* z) {
                           const index at = row * op.row_size + first;
                           for (index i = 0; i < count; ++i)
                             op.x[at + i] += learned_deviation(op.v[at + i], between, low, half) * static_cast<T>(z[i]);
                         });
}

}  // namespace anodiff::ops::cpu
