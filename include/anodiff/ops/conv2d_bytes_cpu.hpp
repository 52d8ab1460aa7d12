// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/ops/byte_matrix_cpu.hpp>
#include <anodiff/ops/window_cpu.hpp>
#include <cstring>

namespace anodiff::ops::cpu {

namespace detail {

/// The number that stands for 0 among bytes without a sign.
inline constexpr std::uint8_t byte_zero = 128;

/// Largest |x|; not a number where one of them is not finite.
[[nodiscard]] inline float largest_size(const float* x, index count) noexcept {
  using V = simd::vec<float>;
  V most{}, fault{};
  for_each_lanes<float>(count, [&](index i, auto lanes) {
    const V v = lanes.load(x + i), size = v < 0 ? -v : v;
    most = most < size ? size : most;
    fault += v * 0;
  });
  float out = 0;
  for (int i = 0; i < simd::lanes<float>; ++i) out = std::max(out, most[i]) + fault[i];
  return out;
}

/// to[i] = round(x[i] factor) + byte_zero, half-way cases to even.
inline void to_bytes(const float* x, index count, float factor, std::uint8_t* to) noexcept {
  index i = 0;
#if defined(__AVX512F__)
  using V = simd::vec<float>;
  constexpr int lanes = simd::lanes<float>;
  for (; i + lanes <= count; i += lanes) {
    const V scaled = simd::load<V>(x + i) * factor;
#if defined(__clang__)
    const auto whole = __builtin_ia32_cvtps2dq512_mask(scaled, simd::vec<std::int32_t>{}, 0xFFFF, 4);
#else
    const auto whole = __builtin_ia32_cvtps2dq512_mask(scaled, simd::vec<std::int32_t>{}, -1, 4);
#endif
    const auto bytes = __builtin_convertvector(whole + byte_zero, simd::vec<std::uint8_t, lanes>);
    std::memcpy(to + i, &bytes, sizeof bytes);
  }
#endif
  for (; i < count; ++i) {
    const float whole = std::nearbyint(x[i] * factor);
    to[i] = static_cast<std::uint8_t>(whole >= -127 && whole <= 127 ? static_cast<int>(whole) + byte_zero : byte_zero);
  }
}

/// As windowed::copy, in bytes.
inline void copy_bytes(const windowed<float>& from, index picture, index row, index column, index rows, index columns,
                       float factor, std::uint8_t* to) noexcept {
  const index first = column * from.stride - from.before, count = from.reach(columns), c = from.channels;
  const index left = std::clamp<index>(-first, 0, count), right = std::clamp<index>(from.width - first, left, count);
  for (index i = row * from.stride - from.before, end = i + from.reach(rows); i < end; ++i, to += count * c) {
    if (i < 0 || i >= from.height) {
      std::fill_n(to, count * c, byte_zero);
      continue;
    }
    const float* line = from.x + (picture * from.height + i) * from.width * c;
    std::fill_n(to, left * c, byte_zero);
    to_bytes(line + (first + left) * c, (right - left) * c, factor, to + left * c);
    std::fill_n(to + right * c, (count - right) * c, byte_zero);
  }
}

/// What a tile of byte products becomes: sums (Rows, columns), each (its whole number − byte_zero · its column's sum)
/// times step times the picture's step.
template <int Rows>
void byte_tile(const std::uint8_t* a, const std::int8_t* b, const inner_walk& w, index row_stride,
               const std::int32_t* column_sum, const float* column_step, float step, float* sums) noexcept {
  using V = simd::vec<std::int32_t>;
  using F = simd::vec<float>;
  constexpr int lanes = byte_matrix::lanes;
  V c[Rows][2];
  unrolled<Rows>([&](auto r) { c[r][0] = c[r][1] = V{}; });
  for (index j = 0; j < w.middle; ++j) {
    const std::int8_t* right = b + j * w.b_middle;
    constexpr int group = 6, groups = (Rows + group - 1) / group;
    const std::uint8_t* left[groups];
    unrolled<groups>([&](auto g) {
      left[g] = a + j * w.a_middle + g * group * row_stride;
      keep_apart(left[g]);
    });
    for (index k = 0; k < w.depth; ++k, right += w.b_step) {
      V column[2];
      std::memcpy(column, right, sizeof column);
      unrolled<Rows>([&](auto r) {
        std::int32_t four;
        std::memcpy(&four, left[r / group] + r % group * row_stride, 4);
        const V x = simd::broadcast<V>(four);
        unrolled<2>([&](auto v) { c[r][v] = add_byte_products(c[r][v], x, column[v]); });
      });
      unrolled<groups>([&](auto g) { left[g] += w.a_step; });
    }
  }
  unrolled<2>([&](auto v) {
    V offset;
    std::memcpy(&offset, column_sum + v * lanes, sizeof offset);
    const F steps = simd::load<F>(column_step + v * lanes) * step;
    unrolled<Rows>([&](auto r) {
      simd::store(sums + (r * 2 + v) * lanes, __builtin_convertvector(c[r][v] - byte_zero * offset, F) * steps);
    });
  });
}

using byte_function = void (*)(const std::uint8_t*, const std::int8_t*, const inner_walk&, index, const std::int32_t*,
                               const float*, float, float*);
[[nodiscard]] inline byte_function byte_tile_for(index rows) noexcept {
  static constexpr auto table = []<std::size_t... I>(std::index_sequence<I...>) {
    return std::array<byte_function, sizeof...(I)>{&byte_tile<static_cast<int>(I) + 1>...};
  }
  (std::make_index_sequence<window_tile_size<float>::rows>{});
  return table[static_cast<std::size_t>(rows - 1)];
}

}  // namespace detail

/// Elements of scratch that each thread needs for multiply_bytes, beside one for each picture.
[[nodiscard]] inline index byte_scratch(const windowed<float>& from) noexcept {
  return (window_patch{from}.elements + 63) / 64 * 16;
}

/// As multiply_windows, in whole numbers of 8 bits. Needs channels in fours.
template <class Finish>
void multiply_bytes(const windowed<float>& from, index n, index out, const byte_matrix& weight, thread_pool& pool,
                    float* scratch, Finish&& finish) {
  constexpr index width = byte_matrix::columns;
  float *const largest = scratch, *const rest = scratch + (n + 15) / 16 * 16;
  const index picture_size = from.height * from.width * from.channels;
  pool.run(n, [&](index i) { largest[i] = detail::largest_size(from.x + i * picture_size, picture_size); });
  const window_patch patch{from};
  const index patches = n * patch.down * patch.across, panels = weight.panels(), wanted = 4 * pool.threads();
  const index groups = patches >= wanted ? 1 : std::min(panels, (wanted + patches - 1) / std::max<index>(1, patches));
  run_with_scratch(pool, patches * groups, rest, byte_scratch(from), [&](index job, float* memory) {
    alignas(tensor_alignment) float sums[static_cast<std::size_t>(window_tile_size<float>::rows * width)];
    auto* const copy = reinterpret_cast<std::uint8_t*>(memory);
    const index group = job % groups, place = job / groups;
    const index picture = place / (patch.down * patch.across), tile = place % (patch.down * patch.across);
    const index row = tile / patch.across * patch.rows, column = tile % patch.across * patch.columns;
    const index rows = std::min(patch.rows, from.out_height - row);
    const index columns = std::min(patch.columns, from.out_width - column);
    detail::copy_bytes(from, picture, row, column, rows, columns, byte_factor(largest[picture]), copy);
    const float step = largest[picture] / 127;
    const index line = from.reach(columns) * from.channels, depth = from.kernel * from.channels / 4;
    const inner_walk walk{.middle = from.kernel,
                          .a_middle = line,
                          .b_middle = depth * 4 * width,
                          .depth = depth,
                          .a_step = 4,
                          .b_step = 4 * width};
    for (index p = panels * group / groups; p < panels * (group + 1) / groups; ++p)
      for (index i = 0; i < rows; ++i)
        for_each_tile<float>(columns, false, [&](index j, index tile_rows) {
          detail::byte_tile_for(tile_rows)(copy + (i * line + j * from.channels) * from.stride, weight.panel(p), walk,
                                           from.stride * from.channels, weight.sum(p), weight.step(p), step, sums);
          finish(picture, (row + i) * from.out_width + column + j, tile_rows, p * width, sums, width,
                 std::min<index>(width, out - p * width));
        });
  });
}

}  // namespace anodiff::ops::cpu
