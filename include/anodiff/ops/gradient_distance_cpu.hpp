// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/parallel.hpp>
#include <anodiff/ops/gradient_distance.hpp>
#include <anodiff/ops/vector_loop_cpu.hpp>

namespace anodiff::ops::cpu {

namespace detail {

/// Two planes of one picture at one scale.
template <class T>
struct gradient_level {
  const T *x, *y;
  index height, width, channels;

  /// What line i of the distances holds, into `to` (width, channels).
  void line(index i, T floor, T* to) const noexcept {
    using V = simd::vec<T>;
    const index size = width * channels;
    const index above = reflected(i - 1, height) * size, at = i * size, below = reflected(i + 1, height) * size;
    const auto length = [&](const T* of, auto&& load, index left, index e, index right) {
      const auto down = load(of + below + left) + load(of + below + e) + load(of + below + right) -
                        load(of + above + left) - load(of + above + e) - load(of + above + right);
      const auto across = load(of + above + right) + load(of + at + right) + load(of + below + right) -
                          load(of + above + left) - load(of + at + left) - load(of + below + left);
      return (down * down + across * across) * (T{1} / 9);
    };
    const auto at_end = [&](index j) {
      const auto load = [](const T* p) { return *p; };
      for (index c = 0; c < channels; ++c) {
        const index left = reflected(j - 1, width) * channels + c, right = reflected(j + 1, width) * channels + c;
        const index e = j * channels + c;
        to[e] = gradient_distance_of(std::sqrt(length(x, load, left, e, right)),
                                     std::sqrt(length(y, load, left, e, right)), floor);
      }
    };
    at_end(0);
    if (width == 1) return;
    at_end(width - 1);
    for_each_lanes<T>(size - 2 * channels, [&](index k, auto lanes) {
      const index e = k + channels;
      const auto load = [&](const T* p) -> V { return lanes.load(p); };
      const V g = simd::sqrt(V(length(x, load, e - channels, e, e + channels)));
      const V h = simd::sqrt(V(length(y, load, e - channels, e, e + channels)));
      lanes.store(to + e, gradient_distance_of(g, h, floor));
    });
  }
};

/// The means of 2 by 2 pixels; of fewer at an odd end.
template <class T>
void halve_picture(const T* from, index height, index width, index channels, T* to) noexcept {
  for (index i = 0; i < height; i += 2) {
    const T *first = from + i * width * channels, *second = i + 1 < height ? first + width * channels : first;
    for (index j = 0; j < width; j += 2) {
      const index next = j + 1 < width ? channels : 0;
      for (index c = 0; c < channels; ++c, ++to) {
        const index e = j * channels + c;
        *to = (first[e] + first[e + next] + second[e] + second[e + next]) / 4;
      }
    }
  }
}

}  // namespace detail

template <class T>
void run(const gradient_distance<T>& op, thread_pool& pool) {
  using V = simd::vec<T>;
  const index size = op.height * op.width * op.channels, scales = gradient_scales(op.height, op.width, op.scales);
  const T floor = static_cast<T>(gradient_floor(op.range)), share = T{1} / static_cast<T>(scales);
  for (index n = 0; n < op.n; ++n) {
    detail::gradient_level<T> level{op.x + n * size, op.y + n * size, op.height, op.width, op.channels};
    T *x = op.scratch, *y = x + size, *const distances = y + size, *const out = op.out + n * size;
    for (index s = 0; s < scales; ++s) {
      if (s > 0) {
        detail::halve_picture(level.x, level.height, level.width, op.channels, x);
        detail::halve_picture(level.y, level.height, level.width, op.channels, y);
        level = {x, y, (level.height + 1) / 2, (level.width + 1) / 2, op.channels};
        x += level.height * level.width * op.channels;
        y += level.height * level.width * op.channels;
      }
      T* const to = s == 0 ? out : distances;
      const index line = level.width * op.channels;
      parallel_for(pool, level.height, std::max<index>(1, 4096 / line), [&](index first, index last) {
        for (index i = first; i < last; ++i) level.line(i, floor, to + i * line);
      });
      if (s == 0) continue;
      for (index i = 0; i < op.height; ++i)
        for (index j = 0; j < op.width; ++j)
          for (index c = 0; c < op.channels; ++c)
            out[(i * op.width + j) * op.channels + c] += distances[(i >> s) * line + (j >> s) * op.channels + c];
    }
    for_each_lanes<T>(size, [&](index e, auto lanes) { lanes.store(out + e, V(lanes.load(out + e)) * share); });
  }
}

}  // namespace anodiff::ops::cpu
