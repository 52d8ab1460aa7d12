// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/corruption.hpp>
#include <anodiff/ops/noise.hpp>

namespace anodiff::corruptions {

/// Fills a batch with the noise of a corruption: its own, or Gaussian.
template <class Corruption, class Engine>
void fill_noise(const Corruption& corruption, Engine& engine, const noise_batch<typename Engine::real>& b) {
  if constexpr (part::has_noise_of_its_own<Corruption, Engine>)
    corruption.noise(engine, b);
  else
    engine.run(ops::fill_normal<typename Engine::real>{b.out, b.rows, b.row_size, {b.key, b.draws, 0}});
}

/// The noise that a batch to be damaged wants, at a place of its own.
template <class T>
[[nodiscard]] noise_batch<T> noise_of(const corruption_batch<T>& b, T* out) noexcept {
  return {.out = out, .rows = b.rows, .row_size = b.row_size, .key = b.key, .draws = b.draws, .sample = b.sample};
}

/// Throws invalid_argument where a batch does not hold pictures.
template <class Batch>
void check_pictures(std::string_view who, const Batch& b) {
  check(b.sample.size() == 3, who, ": needs samples (height, width, channels), got ", b.sample.size(), " dimensions");
}

}  // namespace anodiff::corruptions
