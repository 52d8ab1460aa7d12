// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/elementwise.cuh>
#include <anodiff/ops/row_distance.hpp>
#include <anodiff/ops/row_team.cuh>

namespace anodiff::ops::cuda {

/// One number for each row. sum, mean, max: of x. l1: Σ |x − y|. l2: Σ (x − y)². cosine: 1 − x · y / (‖x‖ ‖y‖), 1
/// where either is zero.
enum class row_measure { sum, mean, max, l1, l2, cosine };

template <class T>
struct reduce_rows {
  const T* x;            ///< (rows, row_size)
  const T* y = nullptr;  ///< (rows, row_size); read by l1, l2 and cosine
  float* out;            ///< (rows)
  index rows, row_size;
  row_measure kind;
};

/// Error of reduce_rows against double arithmetic, in units of max(1, Σ |terms|).
inline constexpr double reduce_rows_bound = 2e-6;

namespace detail {

template <class T>
struct row_distance_work {
  static constexpr int lanes = device::lanes_of<T>;
  const T *x, *y;
  T* evidence;
  distance_kind kind;
  template <bool Wide>
  __device__ __forceinline__ void run(std::size_t at, std::uint32_t left) const {
    float a[lanes], b[lanes];
    device::load<Wide>(x + at, left, a);
    device::load<Wide>(y + at, left, b);
    device::unrolled<lanes>([&](auto k) {
      const float e = a[k] - b[k];
      a[k] = kind == distance_kind::l1 ? fabsf(e) : e * e;
    });
    device::store<Wide>(evidence + at, left, a);
  }
};

template <bool Wide, class Team, class T>
__global__ void __launch_bounds__(Team::block) reduce_rows_kernel(const reduce_rows<T> op) {
  using namespace device;
  constexpr int lanes = lanes_of<T>;
  const std::size_t row = Team::row();
  if (row >= static_cast<std::size_t>(op.rows)) return;
  const auto size = static_cast<std::uint32_t>(op.row_size);
  const bool pairs = op.kind == row_measure::l1 || op.kind == row_measure::l2 || op.kind == row_measure::cosine;
  float most = -INFINITY, sum = 0, of_x = 0, of_y = 0;
  for (std::uint32_t j = Team::rank() * lanes; j < size; j += Team::size * lanes) {
    float x[lanes], y[lanes] = {};
    load<Wide>(op.x + row * size + j, size - j, x);
    if (pairs) load<Wide>(op.y + row * size + j, size - j, y);
    unrolled<lanes>([&](auto k) {
      const float e = x[k] - y[k];
      switch (op.kind) {
        case row_measure::max:
          if (j + k < size) most = largest(most, x[k]);
          break;
        case row_measure::l1:
          sum += fabsf(e);
          break;
        case row_measure::l2:
          sum = fused(e, e, sum);
          break;
        case row_measure::cosine:
          sum = fused(x[k], y[k], sum);
          of_x = fused(x[k], x[k], of_x);
          of_y = fused(y[k], y[k], of_y);
          break;
        default:
          sum += x[k];
      }
    });
  }
  float out;
  if (op.kind == row_measure::max) {
    out = Team::max(most);
  } else {
    out = Team::sum(sum);
    if (op.kind == row_measure::mean) out /= static_cast<float>(size);
    if (op.kind == row_measure::cosine) {
      const float norms = sqrtf(Team::sum(of_x)) * sqrtf(Team::sum(of_y));
      out = norms == 0 ? 1.0F : 1 - out / norms;
    }
  }
  if (Team::rank() == 0) op.out[row] = out;
}

}  // namespace detail

template <class T>
void run(const row_distance<T>& op, device::stream on) {
  detail::for_each_element(detail::row_distance_work<T>{op.x, op.y, op.evidence, op.kind}, op.rows * op.row_size, on,
                           op.x, op.y, op.evidence);
}

template <class T>
void run(const reduce_rows<T>& op, device::stream on) {
  const bool wide = op.row_size % device::lanes_of<T> == 0 && device::aligned(op.x) && device::aligned(op.y);
  detail::with_team(op.row_size, [&](auto team) {
    using team_type = decltype(team);
    detail::launch_rows(
        team, op.rows, on,
        wide ? &detail::reduce_rows_kernel<true, team_type, T> : &detail::reduce_rows_kernel<false, team_type, T>, op);
  });
}

}  // namespace anodiff::ops::cuda
