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

/// Noises row i of a batch, whose `damaged` holds a damaged sample D(x) and whose `target` the noise ε:
///   y = alpha D(x) + sigma ε = alpha x + sigma ε',
/// and the target is the prediction's for ε': the network should find the damage as if it were noise.
template <class T>
void noise_damaged_row(const corruption_batch<T>& b, index i) noexcept {
  const T* x = b.x + i * b.row_size;
  T *damaged = b.damaged + i * b.row_size, *target = b.target + i * b.row_size;
  const index l = b.level[i];
  const T alpha = b.alpha[l], sigma = b.sigma[l], clean = b.clean[l], noise = b.noise[l];
  for (index e = 0; e < b.row_size; ++e) {
    const T seen = alpha * damaged[e] + sigma * target[e];
    target[e] = clean * x[e] + noise * ((seen - alpha * x[e]) / sigma);
    damaged[e] = seen;
  }
}

/// Throws invalid_argument where a batch does not hold pictures.
template <class Batch>
void check_pictures(std::string_view who, const Batch& b) {
  check(b.sample.size() == 3, who, ": needs samples (height, width, channels), got ", b.sample.size(), " dimensions");
}

}  // namespace anodiff::corruptions
