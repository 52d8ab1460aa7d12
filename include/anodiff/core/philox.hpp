// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/annotate.hpp>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace anodiff {

/// Four random words of 32 bits, and the counter they are made from.
using philox_words = std::array<std::uint32_t, 4>;

/// Multipliers and key increments of Philox4x32; also read by the vectorised form in ops/noise_cpu.hpp.
inline constexpr std::uint32_t philox_multiplier_0 = 0xD2511F53U, philox_multiplier_1 = 0xCD9E8D57U;
inline constexpr std::uint32_t philox_weyl_0 = 0x9E3779B9U, philox_weyl_1 = 0xBB67AE85U;
inline constexpr int philox_rounds = 10;

/// Philox4x32-10: a bijection of the counter for each key. Salmon et al. 2011, "Parallel random numbers: as easy as
/// 1, 2, 3", section 3.3. The low half of the key is its first word.
ANODIFF_HD constexpr philox_words philox4x32(philox_words counter, std::uint64_t key) noexcept {
  auto k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < philox_rounds; ++round) {
    const std::uint64_t p0 = std::uint64_t{philox_multiplier_0} * counter[0];
    const std::uint64_t p1 = std::uint64_t{philox_multiplier_1} * counter[2];
    counter = {static_cast<std::uint32_t>(p1 >> 32) ^ counter[1] ^ k0, static_cast<std::uint32_t>(p1),
               static_cast<std::uint32_t>(p0 >> 32) ^ counter[3] ^ k1, static_cast<std::uint32_t>(p0)};
    k0 += philox_weyl_0;
    k1 += philox_weyl_1;
  }
  return counter;
}

/// What random numbers are drawn for; draws of different purposes never share a counter.
enum class purpose : std::uint32_t {
  init = 0,
  step = 1,
  dropout = 2,
  corruption = 3,
  split = 4,
  repeat = 5,
  level = 6,
  scoring = 7,      ///< noise added to a row that is scored: training's noise is that of `corruption`
  augmentation = 8  ///< where a training picture is cut, and how it is turned
};

/// Names a sequence of random numbers; a position in it is an `element`, counted in the whole sample. Two runs that use
/// the same key see the same numbers, whatever the batch, the order, the tile or the number of threads.
struct noise_key {
  std::uint64_t seed = 0;
  std::uint32_t draw = 0;  ///< scoring: the repeat's number; training: the sample's index in the data set
  std::uint32_t step = 0;  ///< scoring: the step's number; training: the global step
  purpose use = purpose::step;
};

/// The word at position element (0 … 2^34 − 1) of the key's sequence: counter (element / 4, draw, step, purpose).
ANODIFF_HD constexpr std::uint32_t random_word(const noise_key& key, std::uint64_t element) noexcept {
  const auto words = philox4x32(
      {static_cast<std::uint32_t>(element / 4), key.draw, key.step, static_cast<std::uint32_t>(key.use)}, key.seed);
  return words[element % 4];
}

/// Uniform in (0, 1): the word's middle, so that neither end occurs.
ANODIFF_HD constexpr double random_uniform(const noise_key& key, std::uint64_t element) noexcept {
  return (random_word(key, element) + 0.5) * 0x1p-32;
}

/// Uniform integer in [0, bound) by multiplication; bound at most 2^32. The bias is below bound / 2^32.
ANODIFF_HD constexpr std::uint64_t random_below(const noise_key& key, std::uint64_t element,
                                                std::uint64_t bound) noexcept {
  return (std::uint64_t{random_word(key, element)} * bound) >> 32;
}

/// Standard normal by Box and Muller (1958): words (0, 1) of a counter give its elements 0 and 1, words (2, 3) the
/// elements 2 and 3. This is the reference; ops/noise gives the same numbers within its stated bound.
ANODIFF_HD inline double random_normal(const noise_key& key, std::uint64_t element) noexcept {
  const auto words = philox4x32(
      {static_cast<std::uint32_t>(element / 4), key.draw, key.step, static_cast<std::uint32_t>(key.use)}, key.seed);
  const auto pair = (element % 4) / 2 * 2;
  const double radius = std::sqrt(-2 * std::log((words[pair] + 0.5) * 0x1p-32));
  const double angle = 2 * std::numbers::pi * 0x1p-32 * words[pair + 1];
  return radius * (element % 2 == 0 ? std::cos(angle) : std::sin(angle));
}

}  // namespace anodiff
