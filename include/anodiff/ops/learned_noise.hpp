// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/noise.hpp>
#include <cmath>

namespace anodiff::ops {

/// Relative error of a standard deviation that lies between two.
inline constexpr double learned_noise_bound = 1e-5;

/// x += s z, with z standard normal and s what v says of each element: where `most` > 0 the deviation between `least`
/// and `most` whose logarithm lies at (v + 1) / 2 of the way; else √v, 0 where v is below.
template <class T>
struct learned_noise {
  T* x;        ///< (rows, row_size)
  const T* v;  ///< (rows, row_size)
  index rows, row_size;
  T least = 0, most = 0;  ///< both above 0, or both 0
  row_noise noise{};
};

/// The standard deviation that an element of v means; log_least and half_span = (log most − log least) / 2 where they
/// count.
template <class T>
[[nodiscard]] inline T learned_deviation(T v, bool between, T log_least, T half_span) noexcept {
  return between ? std::exp(log_least + (v + 1) * half_span) : v > 0 ? std::sqrt(v) : T{0};
}

namespace reference {

template <class T>
void run(const learned_noise<T>& op) {
  const bool between = op.most > 0;
  const T low = between ? std::log(op.least) : T{0}, half = between ? (std::log(op.most) - low) / 2 : T{0};
  for (index i = 0; i < op.rows; ++i)
    for (index j = 0; j < op.row_size; ++j) {
      const index at = i * op.row_size + j;
      op.x[at] += learned_deviation(op.v[at], between, low, half) *
                  static_cast<T>(random_normal(op.noise.of(i), static_cast<std::uint64_t>(op.noise.first_element + j)));
    }
}

}  // namespace reference
}  // namespace anodiff::ops
