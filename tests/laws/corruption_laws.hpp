// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/corruptions/drawn_damage.hpp>
#include <anodiff/corruptions/gaussian.hpp>
#include <anodiff/corruptions/gaussian_multinomial.hpp>
#include <anodiff/corruptions/known_gaussian.hpp>
#include <anodiff/corruptions/masked.hpp>
#include <anodiff/corruptions/patch.hpp>
#include <anodiff/corruptions/simplex.hpp>
#include <anodiff/engines/cpu.hpp>
#include "policy_laws.hpp"

namespace laws {

using all_corruptions = std::tuple<anodiff::corruptions::gaussian, anodiff::corruptions::gaussian_multinomial,
                                   anodiff::corruptions::known_gaussian>;
/// Those that take pictures alone.
using picture_corruptions =
    std::tuple<anodiff::corruptions::drawn_damage, anodiff::corruptions::simplex, anodiff::corruptions::patch<>,
               anodiff::corruptions::patch<anodiff::corruptions::gaussian>, anodiff::corruptions::masked<>,
               anodiff::corruptions::masked<anodiff::corruptions::gaussian>>;

/// A minibatch with memory of its own: rows of seeded values, each with a level and a place in the data set.
template <class Engine>
struct minibatch {
  using real = typename Engine::real;
  index n, d;
  std::vector<anodiff::noise_level> levels;
  std::vector<anodiff::mixture> targets;  ///< of each level
  std::vector<real> x, damaged, target, alpha, sigma, clean, noise;
  std::vector<std::int32_t> level;
  std::vector<std::uint32_t> draws;
  std::vector<index> sample{d};

  minibatch(index rows, index row_size, std::vector<anodiff::noise_level> at, std::vector<anodiff::mixture> wanted)
      : n{rows}, d{row_size}, levels{std::move(at)}, targets{std::move(wanted)} {
    const auto size = static_cast<std::size_t>(n * d);
    damaged.resize(size);
    target.resize(size);
    for (std::size_t i = 0; i < size; ++i) x.push_back(static_cast<real>(uniform(9, i, -3, 3)));
    for (std::size_t l = 0; l < levels.size(); ++l) {
      alpha.push_back(static_cast<real>(levels[l].alpha));
      sigma.push_back(static_cast<real>(levels[l].sigma));
      clean.push_back(static_cast<real>(targets[l].first));
      noise.push_back(static_cast<real>(targets[l].second));
    }
    for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
      level.push_back(static_cast<std::int32_t>(i * 7 % levels.size()));
      draws.push_back(static_cast<std::uint32_t>(i * 31 + 5));
    }
  }
  /// Rows from `first` on, as many as wanted.
  [[nodiscard]] anodiff::corruption_batch<real> batch(const anodiff::noise_key& key, index first, index count) {
    const index at = first * d;
    return {x.data() + at,
            damaged.data() + at,
            target.data() + at,
            count,
            d,
            alpha.data(),
            sigma.data(),
            clean.data(),
            noise.data(),
            level.data() + first,
            key,
            draws.data() + first,
            sample};
  }
};

/// The laws of concepts/corruption.hpp: a sample's damage depends on its draw, the key and its level alone.
template <class C, class Engine>
requires anodiff::corruption_on<C, Engine>
void check_corruption(const C& corruption, const std::vector<index>& sample) {
  const std::vector<anodiff::noise_level> levels{{0.99, 0.141, 0}, {0.8, 0.6, 0}, {0.1, 0.995, 0}};
  const std::vector<anodiff::mixture> targets{{0, 1}, {1, 0}, {-0.995, 0.1}};
  const anodiff::noise_key key{.seed = 11, .step = 42, .use = anodiff::purpose::corruption};
  constexpr index n = 300;
  index d = 1;
  for (const index extent : sample) d *= extent;
  const auto fresh = [&] {
    minibatch<Engine> made{n, d, levels, targets};
    made.sample = sample;
    return made;
  };
  auto whole = fresh();
  Engine one{1};
  corruption.corrupt(one, whole.batch(key, 0, n));
  for (const int threads : {2, 3}) {
    auto other = fresh();
    Engine engine{threads};
    corruption.corrupt(engine, other.batch(key, 0, n));
    CHECK(other.damaged == whole.damaged);
    CHECK(other.target == whole.target);
  }
  auto pieces = fresh();  // in batches of other sizes
  for (index first = 0, count = 1; first < n; first += count, count = count * 2 + 1)
    corruption.corrupt(one, pieces.batch(key, first, std::min(count, n - first)));
  CHECK(pieces.damaged == whole.damaged);
  CHECK(pieces.target == whole.target);

  anodiff::noise_key later = key;
  later.step = 43;
  corruption.corrupt(one, pieces.batch(later, 0, n));
  CHECK(pieces.damaged != whole.damaged);
}

}  // namespace laws
