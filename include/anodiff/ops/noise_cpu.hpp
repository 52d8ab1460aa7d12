// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/parallel.hpp>
#include <anodiff/core/simd.hpp>
#include <anodiff/ops/noise.hpp>

namespace anodiff::ops::cpu {

namespace detail {

/// Counters worked on side by side: one 32-bit lane each.
inline constexpr int philox_lanes = simd::lanes<float>;
using words = simd::vec<std::uint32_t, philox_lanes>;
using wide = simd::vec<std::uint64_t, philox_lanes / 2>;
using reals = simd::vec<float, philox_lanes>;

/// Four words of philox_lanes consecutive counters, starting at first. Each counter word lives in a 64-bit lane whose
/// upper half is ignored: the multiplier reads only the lower one, so that no shuffle is needed between rounds. Even
/// counters go through one half, odd counters through the other.
struct philox_block {
  words w[4];
};

ANODIFF_ALWAYS_INLINE philox_block philox_vector(std::uint64_t key, std::uint32_t first, std::uint32_t draw,
                                                 std::uint32_t step, std::uint32_t use) noexcept {
  const wide m0 = philox_multiplier_0 - wide{}, m1 = philox_multiplier_1 - wide{};
  constexpr std::uint64_t low = 0xFFFFFFFFU;
  wide c0[2], c1[2], c2[2], c3[2];
  for (int h = 0; h < 2; ++h) {
    wide counter{};
    for (int i = 0; i < philox_lanes / 2; ++i) counter[i] = first + static_cast<std::uint32_t>(2 * i + h);
    c0[h] = counter;
    c1[h] = std::uint64_t{draw} - wide{};
    c2[h] = std::uint64_t{step} - wide{};
    c3[h] = std::uint64_t{use} - wide{};
  }
  auto k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < philox_rounds; ++round) {
    for (int h = 0; h < 2; ++h) {
      const wide p0 = simd::multiply_low<wide>(c0[h], m0), p1 = simd::multiply_low<wide>(c2[h], m1);
      c0[h] = (p1 >> 32) ^ c1[h] ^ (std::uint64_t{k0} - wide{});
      c2[h] = (p0 >> 32) ^ c3[h] ^ (std::uint64_t{k1} - wide{});
      c1[h] = p1;
      c3[h] = p0;
    }
    k0 += philox_weyl_0;
    k1 += philox_weyl_1;
  }
  const auto join = [](const wide* c) { return std::bit_cast<words>((c[0] & low) | (c[1] << 32)); };
  return {{join(c0), join(c1), join(c2), join(c3)}};
}

/// sin and cos of 2 pi w / 2^32, w a word: the quadrant is the word's top bits, the rest is exact in float.
ANODIFF_ALWAYS_INLINE void sin_cos_turn(const words& w, reals& sine, reals& cosine) noexcept {
  using integers = simd::vec<std::int32_t, philox_lanes>;
  const words rounded = w + 0x20000000U;  // nearest quarter turn
  const integers rest = std::bit_cast<integers>((rounded & 0x3FFFFFFFU)) - 0x20000000;
  const reals x = __builtin_convertvector(rest, reals) * 1.46291807926715968e-9F;  // 2 pi / 2^32
  const reals z = x * x;
  const reals s = ((z * -1.9515295891e-4F + 8.3321608736e-3F) * z + -1.6666654611e-1F) * z * x + x;
  const reals c =
      ((z * 2.443315711809948e-5F + -1.388731625493765e-3F) * z + 4.166664568298827e-2F) * z * z - 0.5F * z + 1.0F;
  const integers quadrant = std::bit_cast<integers>(rounded >> 30);
  const integers swap = (quadrant & 1) != 0;
  const integers sine_sign = (quadrant & 2) << 30, cosine_sign = ((quadrant + 1) & 2) << 30;
  const integers si = std::bit_cast<integers>(s), ci = std::bit_cast<integers>(c);
  sine = std::bit_cast<reals>(((si & ~swap) | (ci & swap)) ^ sine_sign);
  cosine = std::bit_cast<reals>(((ci & ~swap) | (si & swap)) ^ cosine_sign);
}

ANODIFF_ALWAYS_INLINE void box_muller(const words& a, const words& b, reals& first, reals& second) noexcept {
  using integers = simd::vec<std::int32_t, philox_lanes>;
  // the word as float without an unsigned conversion: high and low half apart
  const reals high = __builtin_convertvector(std::bit_cast<integers>(a >> 16), reals) * 65536.0F;
  const reals low = __builtin_convertvector(std::bit_cast<integers>(a & 0xFFFFU), reals) + 0.5F;
  const reals u = (high + low) * 0x1p-32F;
  const reals radius = simd::sqrt<reals>(simd::max<reals>(-2.0F * simd::log<reals>(u), reals{}));
  reals s, c;
  sin_cos_turn(b, s, c);
  first = radius * c;
  second = radius * s;
}

inline constexpr int normals_at_once = 4 * philox_lanes;

/// normals_at_once normals of consecutive elements, starting at element 4 * first_counter.
ANODIFF_ALWAYS_INLINE void normal_block(const noise_key& key, std::uint32_t first_counter, float* out) noexcept {
  const auto block = philox_vector(key.seed, first_counter, key.draw, key.step, static_cast<std::uint32_t>(key.use));
  reals n0, n1, n2, n3;
  box_muller(block.w[0], block.w[1], n0, n1);
  box_muller(block.w[2], block.w[3], n2, n3);
#if defined(__AVX__) && !defined(__AVX512F__)
  const reals a = __builtin_shufflevector(n0, n1, 0, 8, 1, 9, 4, 12, 5, 13);
  const reals b = __builtin_shufflevector(n0, n1, 2, 10, 3, 11, 6, 14, 7, 15);
  const reals c = __builtin_shufflevector(n2, n3, 0, 8, 1, 9, 4, 12, 5, 13);
  const reals d = __builtin_shufflevector(n2, n3, 2, 10, 3, 11, 6, 14, 7, 15);
  const reals p = __builtin_shufflevector(a, c, 0, 1, 8, 9, 4, 5, 12, 13);    // counters 0 and 4
  const reals q = __builtin_shufflevector(a, c, 2, 3, 10, 11, 6, 7, 14, 15);  // 1 and 5
  const reals r = __builtin_shufflevector(b, d, 0, 1, 8, 9, 4, 5, 12, 13);    // 2 and 6
  const reals s = __builtin_shufflevector(b, d, 2, 3, 10, 11, 6, 7, 14, 15);  // 3 and 7
  simd::store(out, __builtin_shufflevector(p, q, 0, 1, 2, 3, 8, 9, 10, 11));
  simd::store(out + 8, __builtin_shufflevector(r, s, 0, 1, 2, 3, 8, 9, 10, 11));
  simd::store(out + 16, __builtin_shufflevector(p, q, 4, 5, 6, 7, 12, 13, 14, 15));
  simd::store(out + 24, __builtin_shufflevector(r, s, 4, 5, 6, 7, 12, 13, 14, 15));
#else
  for (int i = 0; i < philox_lanes; ++i) {
    out[4 * i] = n0[i];
    out[4 * i + 1] = n1[i];
    out[4 * i + 2] = n2[i];
    out[4 * i + 3] = n3[i];
  }
#endif
}

/// Calls f(position, noise, count) on consecutive pieces of the elements [first, first + n) of the key's sequence;
/// position counts from 0, and noise holds at least simd::lanes<float> readable floats beyond any whole vector.
template <class F>
ANODIFF_ALWAYS_INLINE void for_each_normal(const noise_key& key, index first, index n, F&& f) noexcept {
  alignas(64) float block[normals_at_once];
  for (index i = 0; i < n; i += normals_at_once) {
    normal_block(key, static_cast<std::uint32_t>((first + i) / 4), block);
    f(i, static_cast<const float*>(block), static_cast<int>(std::min<index>(normals_at_once, n - i)));
  }
}

/// Pieces of about this many elements are worth a thread.
inline constexpr index elements_a_task = 16384;

/// Shares rows and, within long rows, stretches of elements among the threads: f(row, first, last).
template <class F>
void for_each_stretch(thread_pool& pool, index rows, index row_size, F&& f) {
  const index stretches = std::max<index>(1, (row_size + elements_a_task - 1) / elements_a_task);
  const index rows_a_task = std::max<index>(1, elements_a_task / std::max<index>(1, row_size));
  parallel_for(pool, rows * stretches, stretches > 1 ? 1 : rows_a_task, [&](index first, index last) {
    for (index s = first; s < last; ++s) {
      const index row = s / stretches, begin = s % stretches * elements_a_task;
      f(row, begin, std::min(row_size, begin + elements_a_task));
    }
  });
}

}  // namespace detail

template <class T>
void run(const fill_normal<T>& op, thread_pool& pool) {
  detail::for_each_stretch(pool, op.rows, op.row_size, [&](index row, index begin, index end) {
    T* out = op.out + row * op.row_size + begin;
    detail::for_each_normal(op.noise.of(row), op.noise.first_element + begin, end - begin,
                            [&](index i, const float* noise, int count) {
                              for (int j = 0; j < count; ++j) out[i + j] = static_cast<T>(noise[j]);
                            });
  });
}

template <class T>
void run(const corrupt_rows<T>& op, thread_pool& pool) {
  detail::for_each_stretch(pool, op.rows, op.row_size, [&](index row, index begin, index end) {
    const auto l = op.level[row];
    const T alpha = op.alpha[l], sigma = op.sigma[l];
    const T clean = op.target != nullptr ? op.clean[l] : T{}, epsilon = op.target != nullptr ? op.epsilon[l] : T{};
    const index at = row * op.row_size + begin;
    detail::for_each_normal(op.noise.of(row), op.noise.first_element + begin, end - begin,
                            [&](index i, const float* noise, int count) {
                              for (int j = 0; j < count; ++j) {
                                const T x = op.x[at + i + j], e = static_cast<T>(noise[j]);
                                if (op.target != nullptr) op.target[at + i + j] = clean * x + epsilon * e;
                                op.noised[at + i + j] = alpha * x + sigma * e;
                              }
                            });
  });
}

}  // namespace anodiff::ops::cpu
