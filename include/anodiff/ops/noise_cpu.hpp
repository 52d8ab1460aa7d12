// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/parallel.hpp>
#include <anodiff/core/simd.hpp>
#include <anodiff/ops/noise.hpp>
#include <anodiff/ops/vector_loop_cpu.hpp>
#include <utility>

namespace anodiff::ops::cpu {

namespace detail {

/// Counters worked on side by side, and normals of one element each: one 32-bit lane.
inline constexpr int philox_lanes = simd::lanes<float>;
using words = simd::vec<std::uint32_t, philox_lanes>;
using wide = simd::vec<std::uint64_t, philox_lanes / 2>;
using reals = simd::vec<float, philox_lanes>;
using integers = simd::vec<std::int32_t, philox_lanes>;

/// Elements whose words are made at once.
inline constexpr int elements_at_once = 4 * philox_lanes;

/// The round keys, which all counters of one seed share.
struct philox_keys {
  std::uint32_t k0[philox_rounds], k1[philox_rounds];
  explicit philox_keys(std::uint64_t seed) noexcept {
    for (std::uint32_t round = 0; round < philox_rounds; ++round) {
      k0[round] = static_cast<std::uint32_t>(seed) + round * philox_weyl_0;
      k1[round] = static_cast<std::uint32_t>(seed >> 32) + round * philox_weyl_1;
    }
  }
};

/// Words 0 and 2 of philox_lanes counters as neighbours in `even`, words 1 and 3 in `odd`.
struct philox_block {
  words even[2], odd[2];
};

/// Place of 64-bit lane i among the counters of its half: chosen so that store_interleaved() puts counters in order.
template <std::size_t... I>
[[nodiscard]] ANODIFF_ALWAYS_INLINE wide counter_offsets(std::index_sequence<I...>) noexcept {
  return wide{(I / 2 + I % 2 * sizeof...(I) / 2)...};
}

/// The words of philox_lanes consecutive counters. Each counter word lives in a 64-bit lane whose upper half is
/// ignored: the multiplier reads only the lower one, so that no shuffle is needed between rounds.
[[nodiscard]] ANODIFF_ALWAYS_INLINE philox_block philox_vector(const philox_keys& keys, const noise_key& key,
                                                               std::uint32_t first) noexcept {
  constexpr std::uint32_t half = philox_lanes / 2;
  const auto all = [](std::uint32_t x) { return std::uint64_t{x} - wide{}; };
  const wide m0 = all(philox_multiplier_0), m1 = all(philox_multiplier_1);
  wide c0[2], c1[2], c2[2], c3[2];
  for (std::uint32_t h = 0; h < 2; ++h) {
    c0[h] = counter_offsets(std::make_index_sequence<half>{}) + all(first + h * half);
    c1[h] = all(key.draw);
    c2[h] = all(key.step);
    c3[h] = all(static_cast<std::uint32_t>(key.use));
  }
  for (int round = 0; round < philox_rounds; ++round) {
    const wide k0 = all(keys.k0[round]), k1 = all(keys.k1[round]);
    for (int h = 0; h < 2; ++h) {
      const wide p0 = simd::multiply_low<wide>(c0[h], m0), p1 = simd::multiply_low<wide>(c2[h], m1);
      c0[h] = (p1 >> 32) ^ c1[h] ^ k0;
      c2[h] = (p0 >> 32) ^ c3[h] ^ k1;
      c1[h] = p1;
      c3[h] = p0;
    }
  }
  const auto join = [&](const wide& a, const wide& b) { return std::bit_cast<words>((a & all(~0U)) | (b << 32)); };
  return {{join(c0[0], c2[0]), join(c0[1], c2[1])}, {join(c1[0], c3[0]), join(c1[1], c3[1])}};
}

using lane_sequence = std::make_index_sequence<philox_lanes>;

/// Writes a0 b0 a1 b1 of each 128 bits of a and b, and after all of these a2 b2 a3 b3 of each.
template <class V, class T, std::size_t... I>
ANODIFF_ALWAYS_INLINE void store_interleaved(const V& a, const V& b, T* out, std::index_sequence<I...>) noexcept {
  constexpr int n = sizeof...(I);
  simd::store(out, __builtin_shufflevector(a, b, (I / 4 * 4 + I % 4 / 2 + I % 2 * n)...));
  simd::store(out + n, __builtin_shufflevector(a, b, (I / 4 * 4 + I % 4 / 2 + I % 2 * n + 2)...));
}

/// sin and cos of 2 pi w / 2^32, w a word: its two top bits, rounded, are the quadrant.
ANODIFF_ALWAYS_INLINE void sin_cos_turn(const words& w, reals& sine, reals& cosine) noexcept {
  const reals x =
      __builtin_convertvector(std::bit_cast<integers>(w << 2), reals) * 3.6572951981678992e-10F;  // 2 pi / 2^34
  const reals z = x * x;
  const reals s = ((z * -1.9515295891e-4F + 8.3321608736e-3F) * z + -1.6666654611e-1F) * z * x + x;
  const reals c =
      ((z * 2.443315711809948e-5F + -1.388731625493765e-3F) * z + 4.166664568298827e-2F) * (z * z) + (1.0F - 0.5F * z);
  const words quadrant = w + 0x20000000U, next_bit = quadrant << 1;
  const integers swap = std::bit_cast<integers>(next_bit) < 0;
  constexpr std::uint32_t sign = 0x80000000U;
  sine = std::bit_cast<reals>(std::bit_cast<words>(swap ? c : s) ^ (quadrant & sign));
  cosine = std::bit_cast<reals>(std::bit_cast<words>(swap ? s : c) ^ ((quadrant ^ next_bit) & sign));
}

/// sqrt(-2 ln u) for u = (a + 1/2) / 2^32. The distance q of u to the nearer end of (0, 1) keeps a float's relative
/// precision, and near u = 1 the logarithm is taken of it: u itself would lose it. The polynomial is the least maximum
/// fit of (-2 ln(1 + m) + 2 m - m^2) / m^3 on [sqrt(1/2) - 1, sqrt(2) - 1], weighted by its effect on the root: 1e-8.
[[nodiscard]] ANODIFF_ALWAYS_INLINE reals radius_of(const words& a) noexcept {
  const integers word = std::bit_cast<integers>(a), upper = word < 0;
  const reals q = __builtin_convertvector(word ^ upper, reals) * 0x1p-32F + 0x1p-33F;
  const integers bits = std::bit_cast<integers>(upper ? 1.0F - q : q);
  const integers exponent = (bits - 0x3F3504F3) >> 23;  // 0 where u >= sqrt(1/2)
  const reals m = exponent == 0 ? -q : std::bit_cast<reals>(bits - (exponent << 23)) - 1.0F;
  reals p = m * -0.174984023F + 0.287084341F;
  p = p * m + -0.298702002F;
  p = p * m + 0.331319064F;
  p = p * m + -0.399197400F;
  p = p * m + 0.500034630F;
  p = p * m + -0.666680098F;
  p = (p * m + 1.0F) * m + -2.0F;
  return simd::sqrt<reals>(p * m + __builtin_convertvector(exponent, reals) * -1.38629436F);  // -2 ln 2
}

/// Two normals of each pair of words (Box & Muller 1958).
ANODIFF_ALWAYS_INLINE void box_muller(const words& a, const words& b, reals& first, reals& second) noexcept {
  const reals radius = radius_of(a);
  reals s, c;
  sin_cos_turn(b, s, c);
  first = radius * c;
  second = radius * s;
}

/// Words or normals of elements_at_once consecutive elements, from element 4 first_counter on.
ANODIFF_ALWAYS_INLINE void write_block(const philox_keys& keys, const noise_key& key, std::uint32_t first_counter,
                                       std::uint32_t* out) noexcept {
  const auto block = philox_vector(keys, key, first_counter);
  for (int h = 0; h < 2; ++h)
    store_interleaved(block.even[h], block.odd[h], out + 2 * h * philox_lanes, lane_sequence{});
}
ANODIFF_ALWAYS_INLINE void write_block(const philox_keys& keys, const noise_key& key, std::uint32_t first_counter,
                                       float* out) noexcept {
  const auto block = philox_vector(keys, key, first_counter);
  for (int h = 0; h < 2; ++h) {
    reals first, second;
    box_muller(block.even[h], block.odd[h], first, second);
    store_interleaved(first, second, out + 2 * h * philox_lanes, lane_sequence{});
  }
}

/// Elements that are drawn before they are used: they stay in the nearest cache.
inline constexpr index elements_a_piece = 1024;
/// Pieces of about this many elements are worth a thread.
inline constexpr index elements_a_task = 16384;

/// Words (std::uint32_t) or normals (float) of one piece of a row.
template <class Number>
class noise_piece {
 public:
  explicit noise_piece(std::uint64_t seed) noexcept : keys_{seed} {}
  /// Draws elements [first, first + count) of the key's sequence; count at most elements_a_piece. The result may be
  /// read up to a whole vector beyond its end, and lives until the next call.
  [[nodiscard]] const Number* draw(const noise_key& key, std::uint64_t first, index count) noexcept {
    const auto skip = static_cast<index>(first % 4);
    for (index i = 0; i < skip + count; i += elements_at_once)
      write_block(keys_, key, static_cast<std::uint32_t>(first / 4 + static_cast<std::uint64_t>(i / 4)), buffer_ + i);
    return buffer_ + skip;
  }

 private:
  philox_keys keys_;
  alignas(64) Number buffer_[elements_a_piece + 2 * elements_at_once];
};

/// Calls f(row, first, count, noise) on pieces of rows, each with its elements of the row's noise. The rows of a task
/// that share their noise share one drawing of it.
template <class Number = float, class F>
void for_each_piece(thread_pool& pool, index rows, index row_size, const row_noise& noise, F&& f) {
  if (rows == 0 || row_size == 0) return;
  const index rows_a_task = std::clamp<index>(elements_a_task / std::min(row_size, elements_a_piece), 1, rows);
  const index pieces = (row_size + elements_a_piece - 1) / elements_a_piece;
  const index pieces_a_task = std::max<index>(1, elements_a_task / elements_a_piece / rows_a_task);
  const index stretches = (pieces + pieces_a_task - 1) / pieces_a_task;
  pool.run((rows + rows_a_task - 1) / rows_a_task * stretches, [&](index task) {
    const index first_row = task / stretches * rows_a_task, last_row = std::min(rows, first_row + rows_a_task);
    const index first = task % stretches * pieces_a_task * elements_a_piece;
    const index last = std::min(row_size, first + pieces_a_task * elements_a_piece);
    noise_piece<Number> piece{noise.key.seed};
    for (index at = first; at < last; at += elements_a_piece) {
      const index count = std::min(elements_a_piece, last - at);
      const Number* drawn = nullptr;
      for (index row = first_row; row < last_row; ++row) {
        if (row == first_row || noise.draws != nullptr)
          drawn = piece.draw(noise.of(row), static_cast<std::uint64_t>(noise.first_element + at), count);
        f(row, at, count, drawn);
      }
    }
  });
}

}  // namespace detail

template <class T>
void run(const fill_normal<T>& op, thread_pool& pool) {
  detail::for_each_piece(pool, op.rows, op.row_size, op.noise,
                         [&](index row, index first, index count, const float* z) {
                           std::copy(z, z + count, op.out + row * op.row_size + first);
                         });
}

template <class T>
void run(const corrupt_rows<T>& op, thread_pool& pool) {
  using V = simd::vec<T>;
  detail::for_each_piece(
      pool, op.rows, op.row_size, op.noise, [&](index row, index first, index count, const float* z) {
        const auto l = op.level[row];
        const T alpha = op.alpha[l], sigma = op.sigma[l];
        const T clean = op.target != nullptr ? op.clean[l] : T{}, epsilon = op.target != nullptr ? op.epsilon[l] : T{};
        const index at = row * op.row_size + first;
        const T* x = op.x + at;
        T* noised = op.noised + at;
        T* target = op.target != nullptr ? op.target + at : nullptr;
        for_each_lanes<T>(count, [&](index i, auto lanes) {
          const V v = lanes.load(x + i), e = lanes.load(z + i);
          if (target != nullptr) lanes.store(target + i, clean * v + epsilon * e);
          lanes.store(noised + i, alpha * v + sigma * e);
        });
      });
}

}  // namespace anodiff::ops::cpu
