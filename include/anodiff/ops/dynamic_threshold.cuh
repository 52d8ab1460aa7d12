// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/dynamic_threshold.hpp>
#include <anodiff/ops/row_team.cuh>

namespace anodiff::ops::cuda {

namespace detail {

/// The bits of sizes order as they do: the one at a place is found bit by bit, each from a count of those below.
template <class Team, class T>
__global__ void __launch_bounds__(Team::block) dynamic_threshold_kernel(const dynamic_threshold<T> op) {
  using namespace device;
  const std::size_t row = Team::row();
  if (row >= static_cast<std::size_t>(op.rows)) return;
  const auto size = static_cast<std::uint32_t>(op.row_size);
  T* const values = op.values + row * size;
  const auto bits_at = [&](std::uint32_t j) { return float_bits(values[j]) & 0x7FFFFFFFU; };
  const auto up_to = [&](std::uint32_t bits) {
    std::uint32_t count = 0;
    for (std::uint32_t j = Team::rank(); j < size; j += Team::size) count += bits_at(j) <= bits ? 1U : 0U;
    return Team::sum(count);
  };
  const double place = op.share * (size - 1.0);
  const auto below = static_cast<std::uint32_t>(place);
  std::uint32_t low = 0;
  for (std::uint32_t bit = 1U << 30; bit != 0; bit >>= 1U)
    if (up_to(low | (bit - 1)) <= below) low |= bit;
  std::uint32_t high = low;
  if (below + 1 < size && up_to(low) < below + 2) {
    std::uint32_t least = 0;  // of those above, counted from the top
    for (std::uint32_t j = Team::rank(); j < size; j += Team::size)
      if (const std::uint32_t bits = bits_at(j); bits > low) least = largest(least, 0x80000000U - bits);
    high = 0x80000000U - Team::max(least);
  }
  const auto from = static_cast<double>(bits_float(low)), to = static_cast<double>(bits_float(high));
  double s = from + (place - below) * (to - from);
  s = s < op.limit ? op.limit : s > op.most ? op.most : s;
  const auto bound = static_cast<T>(s), scale = static_cast<T>(op.limit / s);
  for (std::uint32_t j = Team::rank(); j < size; j += Team::size) {
    const T v = values[j];
    values[j] = scale * (v > bound ? bound : v < -bound ? -bound : v);
  }
}

}  // namespace detail

/// Needs no scratch.
inline void run(const dynamic_threshold<float>& op, device::stream on) {
  if (op.row_size <= 0) return;
  check(op.row_size < device::most_elements, "cuda: a row has at most 2^31 - 1 elements, got ", op.row_size);
  detail::with_team(op.row_size, [&](auto team) {
    detail::launch_rows(team, op.rows, on, &detail::dynamic_threshold_kernel<decltype(team), float>, op);
  });
}

}  // namespace anodiff::ops::cuda
