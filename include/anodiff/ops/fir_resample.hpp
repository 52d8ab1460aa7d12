// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/shape.hpp>

namespace anodiff::ops {

/// Twice the size through the filter (1, 3, 3, 1) in both directions: y[2 j] = x[j − 1] + 3 x[j] and y[2 j + 1] =
/// 3 x[j] + x[j + 1], with zeros beyond the picture, times scale. Scale 1/16 keeps what is constant inside the picture;
/// with the scale of fir_reduce it is that one's gradient. Zhang 2019, arXiv:1904.11486, section 3.2; Karras et al.
/// 2020, arXiv:1912.04958, appendix B.
template <class T>
struct fir_enlarge {
  const T* x;  ///< (n, height, width, channels)
  T* y;        ///< (n, 2 height, 2 width, channels); not x
  index n, height, width, channels;
  T scale = T(1) / 16;
  bool accumulate = false;  ///< adds to y instead of writing it
};

/// Half the size through the filter (1, 3, 3, 1) in both directions: y[i] = x[2 i − 1] + 3 x[2 i] + 3 x[2 i + 1] +
/// x[2 i + 2], with zeros beyond the picture, times scale. Scale 1/64 keeps what is constant inside the picture; with
/// the scale of fir_enlarge it is that one's gradient.
template <class T>
struct fir_reduce {
  const T* x;  ///< (n, 2 height, 2 width, channels)
  T* y;        ///< (n, height, width, channels); not x
  index n, height, width, channels;
  T scale = T(1) / 64;
  bool accumulate = false;  ///< adds to y instead of writing it
};

namespace detail {

/// The neighbours of place i on the other grid, with their weights; a weight is 0 beyond the `size` places there.
template <class T, std::size_t Taps>
struct fir_taps {
  index at[Taps];
  T weight[Taps];
};
template <class T>
[[nodiscard]] constexpr fir_taps<T, 2> enlarging_taps(index i, index size) noexcept {
  const index near = i / 2, far = i % 2 == 0 ? near - 1 : near + 1;
  const bool inside = far >= 0 && far < size;
  return {{near, inside ? far : near}, {T{3}, T(inside ? 1 : 0)}};
}
template <class T>
[[nodiscard]] constexpr fir_taps<T, 4> reducing_taps(index i, index size) noexcept {
  const bool first = i == 0, last = 2 * i + 2 >= size;
  return {{first ? 0 : 2 * i - 1, 2 * i, 2 * i + 1, last ? 2 * i + 1 : 2 * i + 2},
          {T(first ? 0 : 1), T{3}, T{3}, T(last ? 0 : 1)}};
}

/// Calls f(place of x, weight) for all taps of a pixel, row by row.
template <class T, std::size_t Taps, class F>
constexpr void for_each_fir_tap(const fir_taps<T, Taps>& rows, const fir_taps<T, Taps>& columns, index width, F&& f) {
  for (std::size_t p = 0; p < Taps; ++p)
    for (std::size_t q = 0; q < Taps; ++q) f(rows.at[p] * width + columns.at[q], rows.weight[p] * columns.weight[q]);
}

}  // namespace detail

namespace reference {
namespace detail {

template <class T, class Op, class Taps>
void run_fir(const Op& op, index from_height, index from_width, index to_height, index to_width, Taps taps) {
  const index c = op.channels;
  for (index n = 0; n < op.n; ++n)
    for (index i = 0; i < to_height; ++i)
      for (index j = 0; j < to_width; ++j)
        for (index k = 0; k < c; ++k) {
          T sum = 0;
          ops::detail::for_each_fir_tap(taps(i, from_height), taps(j, from_width), from_width, [&](index at, T weight) {
            sum += weight * op.x[(n * from_height * from_width + at) * c + k];
          });
          T& y = op.y[((n * to_height + i) * to_width + j) * c + k];
          y = (op.accumulate ? y : T{0}) + sum * op.scale;
        }
}

}  // namespace detail

template <class T>
void run(const fir_enlarge<T>& op) {
  detail::run_fir<T>(op, op.height, op.width, 2 * op.height, 2 * op.width, ops::detail::enlarging_taps<T>);
}
template <class T>
void run(const fir_reduce<T>& op) {
  detail::run_fir<T>(op, 2 * op.height, 2 * op.width, op.height, op.width, ops::detail::reducing_taps<T>);
}

}  // namespace reference
}  // namespace anodiff::ops
