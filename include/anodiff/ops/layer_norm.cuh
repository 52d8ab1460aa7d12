// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/layer_norm.hpp>
#include <anodiff/ops/row_team.cuh>

namespace anodiff::ops::cuda {

/// Error against double arithmetic, in units of max(1, |y|), where |mean| is at most 10 standard deviations.
inline constexpr double layer_norm_bound = 4e-6;

namespace detail {

template <bool Wide, class Team, class T>
__global__ void __launch_bounds__(Team::block) layer_norm_kernel(const layer_norm_forward<T> op) {
  using namespace device;
  constexpr int lanes = lanes_of<T>;
  const std::size_t row = Team::row();
  if (row >= static_cast<std::size_t>(op.rows)) return;
  const auto width = static_cast<std::uint32_t>(op.width);
  const T* const x = op.x + row * width;
  const auto each = [&](auto&& f) {
    for (std::uint32_t j = Team::rank() * lanes; j < width; j += Team::size * lanes) {
      float v[lanes];
      load<Wide>(x + j, width - j, v);
      f(j, v);
    }
  };
  float sum = 0, square = 0;
  each([&](std::uint32_t, float(&v)[lanes]) { unrolled<lanes>([&](auto k) { sum += v[k]; }); });
  const float mean = Team::sum(sum) / static_cast<float>(width);
  each([&](std::uint32_t j, float(&v)[lanes]) {
    unrolled<lanes>([&](auto k) {
      const float e = j + k < width ? v[k] - mean : 0.0F;
      square = fused(e, e, square);
    });
  });
  const float inverse =
      inverse_root(Team::sum(square) / static_cast<float>(width) + static_cast<float>(layer_norm_epsilon));
  if (Team::rank() == 0) {
    if (op.mean != nullptr) op.mean[row] = from_float<T>(mean);
    if (op.inverse != nullptr) op.inverse[row] = from_float<T>(inverse);
  }
  each([&](std::uint32_t j, float(&v)[lanes]) {
    float gain[lanes], bias[lanes];
    load<Wide>(op.gain + j, width - j, gain);
    load<Wide>(op.bias + j, width - j, bias);
    unrolled<lanes>([&](auto k) { v[k] = fused((v[k] - mean) * inverse, gain[k], bias[k]); });
    store<Wide>(op.y + row * width + j, width - j, v);
  });
}

template <class Team>
__global__ void __launch_bounds__(Team::block) layer_norm_slope_kernel(const layer_norm_backward<float> op) {
  const std::size_t row = Team::row();
  if (row >= static_cast<std::size_t>(op.rows)) return;
  const auto width = static_cast<std::uint32_t>(op.width);
  const std::size_t at = row * width;
  const float mean = op.mean[row], inverse = op.inverse[row];
  float sum = 0, product = 0;
  for (std::uint32_t j = Team::rank(); j < width; j += Team::size) {
    const float slope = op.dy[at + j] * op.gain[j];
    sum += slope;
    product = device::fused(slope, (op.x[at + j] - mean) * inverse, product);
  }
  const float average = Team::sum(sum) / static_cast<float>(width);
  const float slant = Team::sum(product) / static_cast<float>(width);
  for (std::uint32_t j = Team::rank(); j < width; j += Team::size) {
    const float normed = (op.x[at + j] - mean) * inverse;
    const float value = (device::fused(op.dy[at + j], op.gain[j], -average) - normed * slant) * inverse;
    op.dx[at + j] = op.accumulate ? op.dx[at + j] + value : value;
  }
}

inline constexpr unsigned columns_block = 64;

/// Each thread sums its column, the rows in order.
template <class T>
__global__ void __launch_bounds__(columns_block) layer_norm_columns_kernel(const layer_norm_backward<T> op) {
  const std::uint32_t j = blockIdx.x * columns_block + threadIdx.x;
  if (j >= op.width) return;
  float gain = op.dgain[j], bias = op.dbias[j];
  for (index i = 0; i < op.rows; ++i) {
    const float dy = op.dy[i * op.width + j];
    gain = device::fused(dy, (op.x[i * op.width + j] - op.mean[i]) * op.inverse[i], gain);
    bias += dy;
  }
  op.dgain[j] = gain;
  op.dbias[j] = bias;
}

}  // namespace detail

template <class T>
void run(const layer_norm_forward<T>& op, device::stream on) {
  if (op.width <= 0) return;
  const bool wide = op.width % device::lanes_of<T> == 0 && device::aligned(op.x) && device::aligned(op.y) &&
                    device::aligned(op.gain) && device::aligned(op.bias);
  detail::with_team(op.width, [&](auto team) {
    using team_type = decltype(team);
    detail::launch_rows(
        team, op.rows, on,
        wide ? &detail::layer_norm_kernel<true, team_type, T> : &detail::layer_norm_kernel<false, team_type, T>, op);
  });
}

inline void run(const layer_norm_backward<float>& op, device::stream on) {
  if (op.width <= 0) return;
  if (op.dgain != nullptr)  // before dx, which may be dy
    device::launch(on, {device::blocks_for(op.width, detail::columns_block), detail::columns_block},
                   &detail::layer_norm_columns_kernel<float>, op);
  if (op.dx != nullptr)
    detail::with_team(op.width, [&](auto team) {
      detail::launch_rows(team, op.rows, on, &detail::layer_norm_slope_kernel<decltype(team)>, op);
    });
}

}  // namespace anodiff::ops::cuda
