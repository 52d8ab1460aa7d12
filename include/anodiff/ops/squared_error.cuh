// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/row_team.cuh>
#include <anodiff/ops/squared_error.hpp>

namespace anodiff::ops::cuda {

/// Relative error of a row's loss against double arithmetic, the differences being rounded to float; of the gradient
/// in units of max(1, |gradient|).
inline constexpr double squared_error_bound = 5e-7;

namespace detail {

/// The sums are in double, as the reference's.
template <class Team, class T>
__global__ void __launch_bounds__(Team::block) squared_error_kernel(const squared_error<T> op) {
  const std::size_t row = Team::row();
  if (row >= static_cast<std::size_t>(op.rows)) return;
  const auto size = static_cast<std::uint32_t>(op.row_size);
  const T weight = op.weight[op.level[row]], slope = 2 * op.scale * weight / static_cast<T>(size);
  double sum = 0;
  for (std::uint32_t j = Team::rank(); j < size; j += Team::size) {
    const std::size_t at = row * size + j;
    const T e = op.output[at] - op.target[at];
    sum += static_cast<double>(e) * static_cast<double>(e);
    if (op.gradient != nullptr) op.gradient[at] = slope * e;
  }
  sum = Team::sum(sum);
  if (Team::rank() == 0) op.row_loss[row] = static_cast<double>(weight) * sum / static_cast<double>(size);
}

}  // namespace detail

inline void run(const squared_error<float>& op, device::stream on) {
  if (op.row_size <= 0) return;
  detail::with_team(op.row_size, [&](auto team) {
    detail::launch_rows(team, op.rows, on, &detail::squared_error_kernel<decltype(team), float>, op);
  });
}

}  // namespace anodiff::ops::cuda
