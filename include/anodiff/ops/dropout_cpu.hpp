// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/dropout.hpp>
#include <anodiff/ops/noise_cpu.hpp>

namespace anodiff::ops::cpu {

template <class T>
void run(const dropout<T>& op, thread_pool& pool) {
  const auto limit = static_cast<std::uint32_t>(op.rate * 0x1p32);
  const T scale = static_cast<T>(1 / (1 - op.rate));
  const bool add = op.accumulate;
  detail::for_each_piece<std::uint32_t>(pool, op.rows, op.width, op.noise,
                                        [&](index row, index first, index count, const std::uint32_t* words) {
                                          const T* x = op.x + row * op.width + first;
                                          T* y = op.y + row * op.width + first;
                                          for (index j = 0; j < count; ++j) {
                                            const T value = words[j] >= limit ? x[j] * scale : T{0};
                                            y[j] = add ? y[j] + value : value;
                                          }
                                        });
}

}  // namespace anodiff::ops::cpu
