// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/ops/conv2d.hpp>
#include <cmath>
#include <vector>

/// A convolution in whole numbers of 8 bits: the weights of an output channel are q s with q in [−127, 127] and s their
/// largest size / 127, and so are the values of a picture; the products are summed exactly. Jacob et al. 2018,
/// arXiv:1712.05877, eq. 4, symmetric. A picture's scale is its own, found on the way: no data is needed to prepare,
/// and a picture's result does not depend on those beside it; but that of a piece cut out of it differs.
namespace anodiff::ops {

/// Bound of a result's distance from the float convolution: half a step of each value times what it is multiplied by,
/// where sizes are the sums of |x| and |w| over the window's `depth` places.
[[nodiscard]] constexpr double conv2d_bytes_bound(double largest_x, double sum_x, double largest_w, double sum_w,
                                                  double depth) noexcept {
  const double x_step = largest_x / 127, w_step = largest_w / 127;
  return (x_step * sum_w + w_step * sum_x + x_step * w_step * depth / 2) / 2;
}
/// Most places under a window, so that sums fit 32 bits.
inline constexpr index conv2d_bytes_depth = 65536;

/// What a value of 1 becomes where the largest size is `most`; 0 where that is 0.
template <class T>
[[nodiscard]] T byte_factor(T most) noexcept {
  return most > 0 ? T{127} / most : most;  // not a number stays so
}

namespace reference {

/// conv2d_forward with its x and weight taken in 8 bits.
template <class T>
void run_in_bytes(const conv2d_forward<T>& op) {
  const auto& s = op.shape;
  const index size = s.height * s.width * s.in;
  const auto most = [](auto begin, auto end) {
    T out{0};
    for (auto at = begin; at != end; ++at) out = std::max(out, std::abs(*at));
    return out;
  };
  std::vector<T> weight(op.weight, op.weight + s.depth() * s.out), step(static_cast<std::size_t>(s.out));
  for (index o = 0; o < s.out; ++o) {
    std::vector<T> column;
    for (index k = 0; k < s.depth(); ++k) column.push_back(op.weight[k * s.out + o]);
    const T largest = most(column.begin(), column.end());
    step[static_cast<std::size_t>(o)] = largest / 127;
    for (index k = 0; k < s.depth(); ++k)
      weight[static_cast<std::size_t>(k * s.out + o)] =
          std::nearbyint(column[static_cast<std::size_t>(k)] * byte_factor(largest));
  }
  for (index n = 0; n < op.n; ++n) {
    const T *x = op.x + n * size, largest = most(x, x + size);
    std::vector<T> rounded(x, x + size);
    for (T& value : rounded) value = std::nearbyint(value * byte_factor(largest));
    std::vector<double> sums(static_cast<std::size_t>(s.out_pixels() * s.out));
    detail::for_each_tap(s, [&](index from, index tap, index to) {
      for (index c = 0; c < s.in; ++c)
        for (index o = 0; o < s.out; ++o)
          sums[static_cast<std::size_t>(to * s.out + o)] +=
              static_cast<double>(rounded[static_cast<std::size_t>(from * s.in + c)]) *
              static_cast<double>(weight[static_cast<std::size_t>((tap * s.in + c) * s.out + o)]);
    });
    for (index i = 0; i < s.out_pixels() * s.out; ++i) {
      const index o = i % s.out;
      T z = static_cast<T>(sums[static_cast<std::size_t>(i)]) * (largest / 127 * step[static_cast<std::size_t>(o)]);
      if (op.bias != nullptr) z += op.bias[o];
      if (op.table != nullptr) z += op.table[op.level[n] * s.out + o];
      if (op.residual != nullptr) z += op.residual[n * s.out_pixels() * s.out + i];
      op.y[n * s.out_pixels() * s.out + i] = z;
    }
  }
}

}  // namespace reference
}  // namespace anodiff::ops
