// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/parallel.hpp>
#include <anodiff/core/simd.hpp>
#include <anodiff/ops/noise.hpp>
#include <anodiff/ops/vector_loop_cpu.hpp>
#include <type_traits>
#include <utility>

namespace anodiff::ops::cpu {

namespace detail {

/// Counters worked on side by side, and normals of one element each: one 32-bit lane.
inline constexpr int philox_lanes = simd::lanes<float>;
using words = simd::vec<std::uint32_t, philox_lanes>;
using wide = simd::vec<std::uint64_t, philox_lanes / 2>;
using reals = simd::vec<float, philox_lanes>;
using integers = simd::vec<std::int32_t, philox_lanes>;

/// Vectors of counters worked on at once: a round is a chain of five instructions, and one alone would leave most of
/// the machine idle.
inline constexpr int philox_chains = 2;

/// Elements whose words are made at once.
inline constexpr int elements_at_once = 2 * philox_lanes * philox_chains;

/// What the counters of one key share: the round keys, and all of the first two rounds that the counter's first word
/// has not reached yet.
struct philox_stream {
  std::uint64_t k0[philox_rounds], k1[philox_rounds];
  std::uint64_t first_2, second_0, second_2, second_3;

  explicit philox_stream(std::uint64_t seed) noexcept {
    for (std::uint32_t round = 0; round < philox_rounds; ++round) {
      k0[round] = static_cast<std::uint32_t>(seed) + round * philox_weyl_0;
      k1[round] = static_cast<std::uint32_t>(seed >> 32) + round * philox_weyl_1;
    }
  }
  void start(const noise_key& key) noexcept {
    const std::uint64_t p1 = std::uint64_t{philox_multiplier_1} * key.step;
    const auto c0 = static_cast<std::uint32_t>((p1 >> 32) ^ key.draw ^ k0[0]);
    const std::uint64_t p0 = std::uint64_t{philox_multiplier_0} * c0;
    first_2 = static_cast<std::uint32_t>(key.use) ^ k1[0];
    second_0 = p1 ^ k0[1];
    second_2 = (p0 >> 32) ^ k1[1];
    second_3 = p0;
  }
};

/// Place of 64-bit lane i among the counters of a vector: chosen so that store_interleaved() puts counters in order.
template <std::size_t... I>
[[nodiscard]] ANODIFF_ALWAYS_INLINE wide counter_offsets(std::index_sequence<I...>) noexcept {
  return wide{(I / 2 + I % 2 * sizeof...(I) / 2)...};
}

/// The words of elements_at_once / 4 consecutive counters: 0 and 2 as neighbours in `even`, 1 and 3 in `odd`. Each
/// counter word lives in a 64-bit lane whose upper half is ignored: the multiplier reads only the lower one, so that no
/// shuffle is needed between rounds.
ANODIFF_ALWAYS_INLINE void philox_vector(const philox_stream& stream, std::uint64_t first, words (&even)[philox_chains],
                                         words (&odd)[philox_chains]) noexcept {
  constexpr int counters = philox_lanes / 2;
  const auto all = [](std::uint64_t x) { return x - wide{}; };
  const wide m0 = all(philox_multiplier_0), m1 = all(philox_multiplier_1);
  wide c0[philox_chains], c1[philox_chains], c2[philox_chains], c3[philox_chains];
  unrolled<philox_chains>([&](auto c) {
    const wide counter = counter_offsets(std::make_index_sequence<counters>{}) + all(first + c * counters);
    const wide p0 = simd::multiply_low<wide>(counter, m0);
    c1[c] = simd::multiply_low<wide>((p0 >> 32) ^ all(stream.first_2), m1);
    c0[c] = (c1[c] >> 32) ^ all(stream.second_0);
    c2[c] = p0 ^ all(stream.second_2);
    c3[c] = all(stream.second_3);
  });
  for (int round = 2; round < philox_rounds; ++round) {
    const wide k0 = all(stream.k0[round]), k1 = all(stream.k1[round]);
    unrolled<philox_chains>([&](auto c) {
      const wide p0 = simd::multiply_low<wide>(c0[c], m0), p1 = simd::multiply_low<wide>(c2[c], m1);
      c0[c] = (p1 >> 32) ^ (c1[c] ^ k0);
      c2[c] = (p0 >> 32) ^ (c3[c] ^ k1);
      c1[c] = p1;
      c3[c] = p0;
    });
  }
  const auto join = [&](const wide& a, const wide& b) {
    return std::bit_cast<words>((a & all(0xFFFFFFFFU)) | (b << 32));
  };
  unrolled<philox_chains>([&](auto c) {
    even[c] = join(c0[c], c2[c]);
    odd[c] = join(c1[c], c3[c]);
  });
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
  const reals z = m * m;  // the polynomial in pairs: half as deep as Horner's
  const reals p =
      ((m * 0.287084341F + -0.298702002F + z * -0.174984023F) * z + (m * 0.331319064F + -0.399197400F)) * z +
      (m * 0.500034630F + -0.666680098F);
  const reals two_terms = __builtin_convertvector(exponent, reals) * -1.38629436F + m * (m - 2.0F);  // -2 ln 2
  return simd::sqrt<reals>(p * (z * m) + two_terms);
}

/// Two normals of each pair of words (Box & Muller 1958).
ANODIFF_ALWAYS_INLINE void box_muller(const words& a, const words& b, reals& first, reals& second) noexcept {
  const reals radius = radius_of(a);
  reals s, c;
  sin_cos_turn(b, s, c);
  first = radius * c;
  second = radius * s;
}

/// Elements that are drawn before they are used: they stay in the nearest cache.
inline constexpr index elements_a_piece = 1024;
/// Pieces of about this many elements are worth a thread.
inline constexpr index elements_a_task = 16384;

/// Words of the counters from first on, n a multiple of elements_at_once: in the order of elements, or as box_muller
/// reads them.
template <bool Ordered>
inline void write_words(const philox_stream& stream, std::uint64_t first, index n, std::uint32_t* out) noexcept {
  for (index i = 0; i < n; i += elements_at_once, first += elements_at_once / 4) {
    words even[philox_chains], odd[philox_chains];
    philox_vector(stream, first, even, odd);
    unrolled<philox_chains>([&](auto c) {
      std::uint32_t* to = out + i + 2 * c * philox_lanes;
      if constexpr (Ordered) {
        store_interleaved(even[c], odd[c], to, lane_sequence{});
      } else {
        simd::store(to, even[c]);
        simd::store(to + philox_lanes, odd[c]);
      }
    });
  }
}

/// n normals, in the order of elements, of the words that write_words<false> has left.
inline void write_normals(const std::uint32_t* from, index n, float* out) noexcept {
  for (index i = 0; i < n; i += 2 * philox_lanes) {
    reals first, second;
    box_muller(simd::load<words>(from + i), simd::load<words>(from + i + philox_lanes), first, second);
    store_interleaved(first, second, out + i, lane_sequence{});
  }
}

/// Draws words (std::uint32_t) or normals (float), a piece at a time. Normals take two passes over the piece: one pass
/// would be one long chain that no machine can look past.
template <class Number>
class noise_piece {
 public:
  explicit noise_piece(std::uint64_t seed) noexcept : stream_{seed} {}

  /// Elements [first, first + count) of the key's sequence, count at most elements_a_piece; kept until the next call.
  [[nodiscard]] const Number* draw(const noise_key& key, std::uint64_t first, index count) noexcept {
    const auto skip = static_cast<index>(first % 4);
    const index n = (skip + count + elements_at_once - 1) / elements_at_once * elements_at_once;
    stream_.start(key);
    if constexpr (std::is_same_v<Number, float>) {
      write_words<false>(stream_, first / 4, n, words_);
      write_normals(words_, n, numbers_);
      return numbers_ + skip;
    } else {
      write_words<true>(stream_, first / 4, n, words_);
      return words_ + skip;
    }
  }

 private:
  static constexpr index capacity = elements_a_piece + 2 * elements_at_once;
  philox_stream stream_;
  alignas(64) std::uint32_t words_[capacity];
  alignas(64) float numbers_[std::is_same_v<Number, float> ? capacity : 1];
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
    noise_piece<Number> piece{noise.common().seed};
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
