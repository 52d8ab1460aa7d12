// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/noise_cpu.hpp>
#include <anodiff/ops/simplex_noise.hpp>

namespace anodiff::ops::cpu {

namespace detail {

/// reference::simplex_at for the pixels of a line.
[[nodiscard]] ANODIFF_ALWAYS_INLINE simd::vec<float> simplex_line(std::uint32_t seed, const simd::vec<float>& x,
                                                                  float y, float z) noexcept {
  const auto down = [](const reals& v) { return __builtin_convertvector(v, integers); };  // none is negative
  const auto real = [](const integers& v) { return __builtin_convertvector(v, reals); };
  const reals skew = (x + (y + z)) * (1.0F / 3);
  const integers i = down(x + skew), j = down(y + skew), k = down(z + skew);
  const reals unskew = real(i + j + k) * (1.0F / 6);
  const reals u = x - real(i) + unskew, v = y - real(j) + unskew, w = z - real(k) + unskew;
  // how many of the others each exceeds, of equal ones the earlier; true is −1
  const integers uv = u >= v, uw = u >= w, vw = v >= w;
  const integers rank_u = -uv - uw, rank_v = 1 + uv - vw, rank_w = 2 + uw + vw;
  reals sum{};
  unrolled<4>([&](auto corner) {
    constexpr int c = corner;
    const auto steps = [](const integers& rank) { return -(rank > 2 - c); };
    const integers di = steps(rank_u), dj = steps(rank_v), dk = steps(rank_w);
    const reals back = real(integers{}) + c / 6.0F;
    const reals a = u - real(di) + back, b = v - real(dj) + back, d = w - real(dk) + back;
    reals near = 0.5F - a * a - b * b - d * d;
    near = near > 0 ? near : reals{};
    const words h =
        simplex_hash(seed, std::bit_cast<words>(i + di), std::bit_cast<words>(j + dj), std::bit_cast<words>(k + dk));
    const integers without = std::bit_cast<integers>((h >> 16) * 3U >> 16);
    const reals first = without == 0 ? b : a, second = without == 2 ? b : d;
    const auto flipped = [](const reals& value, const words& sign) {
      return std::bit_cast<reals>(std::bit_cast<words>(value) ^ sign);
    };
    const reals square = near * near;
    sum += square * square * (flipped(first, h << 31) + flipped(second, (h >> 1) << 31));
  });
  return sum;
}

template <std::size_t... I>
[[nodiscard]] ANODIFF_ALWAYS_INLINE simd::vec<float> ramp(std::index_sequence<I...>) noexcept {
  return simd::vec<float>{static_cast<float>(I)...};
}

}  // namespace detail

template <class T>
void run(const simplex_noise<T>& op, thread_pool& pool) {
  constexpr int width = simd::lanes<float>;
  constexpr index lines_a_task = 16;
  const index tasks_a_row = (op.height + lines_a_task - 1) / lines_a_task;
  pool.run(op.rows * tasks_a_row, [&](index task) {
    const index row = task / tasks_a_row, first = task % tasks_a_row * lines_a_task;
    for (index i = first; i < std::min(op.height, first + lines_a_task); ++i)
      std::fill_n(op.out + (row * op.height + i) * op.width * op.channels, op.width * op.channels, T{});
    for (index c = 0; c < op.channels; ++c)
      for (index k = 0; k < op.octaves; ++k) {
        const simplex_octave octave{op, row, k, c};
        const auto pixel = static_cast<float>(octave.pixel), amplitude = static_cast<float>(octave.amplitude);
        const auto z = static_cast<float>(octave.origin[2]);
        for (index i = first; i < std::min(op.height, first + lines_a_task); ++i) {
          const auto y = static_cast<float>(octave.origin[1] + octave.pixel * static_cast<double>(i));
          T* line = op.out + (row * op.height + i) * op.width * op.channels + c;
          for (index j = 0; j < op.width; j += width) {
            const auto x = (detail::ramp(std::make_index_sequence<width>{}) + static_cast<float>(j)) * pixel +
                           static_cast<float>(octave.origin[0]);
            const auto values = detail::simplex_line(octave.seed, x, y, z) * amplitude;
            const int count = static_cast<int>(std::min<index>(width, op.width - j));
            for (int l = 0; l < count; ++l) line[(j + l) * op.channels] += static_cast<T>(values[l]);
          }
        }
      }
  });
}

}  // namespace anodiff::ops::cpu
