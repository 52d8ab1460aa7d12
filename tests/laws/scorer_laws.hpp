// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/engines/cpu.hpp>
#include <anodiff/methods/detector.hpp>
#include "policy_laws.hpp"

namespace laws {

using anodiff::tensor;

/// What a scorer of a detector is prepared in: a model, and the default policies around it. The schedule has 100
/// levels.
template <class Model, class Scorer>
struct scorer_scene {
  using parts = anodiff::parts<anodiff::default_parts, Model, Scorer>;
  Model model;
  Scorer scorer;
  index row_size;
  anodiff::start from = anodiff::start::noised(0.25);
  index steps = 5;
  std::uint64_t seed = 9;
  double clip = 0;
  typename parts::prediction_type prediction{};
  typename parts::sampler_type sampler{};
  typename parts::grid_type grid{};
  typename parts::conditioner_type conditioner{};
  std::vector<anodiff::noise_level> levels = anodiff::schedules::linear{{.beta_last = 0.1, .steps = 100}}.levels();

  [[nodiscard]] anodiff::scoring_context<parts> context() const {
    return {model, prediction, sampler, grid, conditioner, levels, from, steps, seed, row_size, {clip}};
  }
  /// Evidence (views, n, d), from a run that was planned for at least n rows.
  [[nodiscard]] tensor<float, 3> evidence(const tensor<float, 2>& x, index max_rows = 0) const {
    auto run = scorer.prepare(context(), std::max(max_rows, x.rows()));
    tensor<float, 3> out{{run.views(), x.rows(), x.row_size()}};
    run.evidence(x.view(), out.view());
    return out;
  }
};

[[nodiscard]] inline tensor<float, 2> seeded_rows(std::uint64_t seed, index n, index d) {
  tensor<float, 2> x{{n, d}};
  for (std::size_t i = 0; i < x.flat().size(); ++i) x.flat()[i] = static_cast<float>(uniform(seed, i, -2, 2));
  return x;
}

/// The laws of concepts/scorer.hpp that hold for every model: a row's evidence is finite, and the same alone, in any
/// batch, in any order, in a run that is used again, and on any number of threads. `scene(threads)` makes a
/// scorer_scene.
template <class Scene>
void check_scorer(Scene&& scene, const tensor<float, 2>& x) {
  const auto one = scene(1);
  check_policy<std::remove_cvref_t<decltype(one.scorer)>>(one.scorer.parameters());
  const index n = x.rows(), d = x.row_size();
  const auto whole = one.evidence(x);
  const index views = whole.extent(0);
  CHECK(views >= 1);
  CHECK(std::ranges::all_of(whole.flat(), [](float e) { return std::isfinite(e); }));
  const auto same_row = [&](const tensor<float, 3>& other, index there, index here) {
    bool same = other.extent(0) == views;
    for (index v = 0; same && v < views; ++v)
      for (index j = 0; j < d; ++j)
        same = same && other.row(v)[static_cast<std::size_t>(there * d + j)] ==
                           whole.row(v)[static_cast<std::size_t>(here * d + j)];
    return same;
  };
  tensor<float, 2> alone{{1, d}}, reversed{{n, d}};
  bool as_alone = true, as_reversed = true;
  for (index i = 0; i < n; ++i) {
    std::ranges::copy(x.row(i), alone.row(0).begin());
    std::ranges::copy(x.row(i), reversed.row(n - 1 - i).begin());
    if (i % 7 == 0) as_alone = as_alone && same_row(one.evidence(alone), 0, i);
  }
  CHECK(as_alone);
  const auto back = one.evidence(reversed, 2 * n);
  for (index i = 0; i < n; ++i) as_reversed = as_reversed && same_row(back, n - 1 - i, i);
  CHECK(as_reversed);
  const auto three = scene(3);
  CHECK(std::ranges::equal(three.evidence(x).flat(), whole.flat()));

  auto run = one.scorer.prepare(one.context(), n);
  tensor<float, 3> again{whole.extents()};
  run.evidence(reversed.view(), again.view());
  run.evidence(x.view(), again.view());
  CHECK(std::ranges::equal(again.flat(), whole.flat()));
}

}  // namespace laws
