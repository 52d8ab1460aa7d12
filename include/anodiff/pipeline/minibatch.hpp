// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/philox.hpp>
#include <anodiff/ops/adamw.hpp>
#include <anodiff/pipeline/recipe.hpp>
#include <numbers>
#include <numeric>
#include <span>
#include <utility>

namespace anodiff {

/// Learning rate at a step: a straight rise over the warm-up, then half a cosine down to final_rate.
[[nodiscard]] inline double learning_rate(const training_params& p, index step) noexcept {
  const double warm = p.warmup * static_cast<double>(p.steps), at = static_cast<double>(step);
  if (at < warm) return p.rate * (at + 1) / (warm + 1);
  const double done = (at - warm) / std::max(1.0, static_cast<double>(p.steps) - warm);
  return p.rate * (p.final_rate + (1 - p.final_rate) * (1 + std::cos(std::numbers::pi * done)) / 2);
}

/// The numbers of the optimiser's step that follows `done` others; pointers and count are the caller's. The average
/// starts short (1 + t) / (10 + t), so that it forgets where training began.
template <class T>
[[nodiscard]] ops::adamw_step<T> adamw_numbers(const training_params& p, index done) {
  const auto t = static_cast<double>(done + 1);
  ops::adamw_step<T> op{};
  op.rate = static_cast<T>(learning_rate(p, done));
  op.beta_1 = static_cast<T>(p.beta_1);
  op.beta_2 = static_cast<T>(p.beta_2);
  op.epsilon = T(1e-8);
  op.decay = static_cast<T>(p.weight_decay);
  op.correction_1 = static_cast<T>(1 - std::pow(p.beta_1, t));
  op.correction_2 = static_cast<T>(1 - std::pow(p.beta_2, t));
  op.average_decay = static_cast<T>(std::min(p.average, (1 + t) / (10 + t)));
  return op;
}

/// order = the places in which an epoch takes its samples: a Fisher-Yates shuffle drawn from (seed, epoch).
template <class Place>
void shuffle_epoch(std::span<Place> order, std::uint64_t seed, index epoch) {
  std::iota(order.begin(), order.end(), Place{0});
  const noise_key key{.seed = seed, .step = static_cast<std::uint32_t>(epoch), .use = purpose::repeat};
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random_below(key, i, i)]);
}

/// Place in a schedule of `total` levels of a step's i-th level, `uniform` being element i of the step's numbers with
/// purpose::level: one from each of `count` equal stretches. Kingma et al. 2021 (arXiv:2107.00630), appendix I.1, draws
/// them likewise to lower the variance of the loss.
[[nodiscard]] ANODIFF_HD inline index drawn_level(double uniform, index i, index count, index total) noexcept {
  const auto place =
      static_cast<index>((static_cast<double>(i) + uniform) / static_cast<double>(count) * static_cast<double>(total));
  return place < total ? place : total - 1;
}

}  // namespace anodiff
