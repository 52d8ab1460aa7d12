// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/pipeline/detector.hpp>
#include <anodiff/samplers/ddpm.hpp>

namespace anodiff::methods {

struct repaint_params {
  index steps = 50;  ///< levels of a run, over the whole schedule; [1, levels of the schedule]
  index resamples =
      5;             ///< times that each step is taken, so that what is filled in comes to fit what is known; [1, 1000]
  index draws = 20;  ///< runs that are averaged; [1, 2^20]
  std::uint64_t seed = 0;
};

/// Fills in the hidden elements of rows: a run from noise, in which the known elements are put back at each level, and
/// each step is noised again and repeated. Lugmayr et al. 2022 (RePaint), arXiv:2201.09865, algorithm 1. The result is
/// the mean over the draws, an estimate of the conditional mean. levels: noisiest first, the last one clean. x, out (n,
/// d), preprocessed; what x holds where hidden(i, j) is not 0 is not read. All rows see the same noise.
template <denoiser Model, prediction Prediction>
void repaint(const Model& model, const Prediction& prediction, std::span<const noise_level> levels,
             tensor_view<const float, 2> x, tensor_view<const float, 2> hidden, const repaint_params& p,
             tensor_view<float, 2> out) {
  const index n = x.rows(), d = x.row_size();
  check(hidden.extents() == x.extents() && out.extents() == x.extents(),
        "methods::repaint: rows, what is hidden and the result need one shape, got ", to_string(x.extents()), ", ",
        to_string(hidden.extents()), " and ", to_string(out.extents()));
  check(p.resamples >= 1 && p.resamples <= 1000, "methods::repaint: resamples must lie in [1, 1000], got ",
        p.resamples);
  check(p.draws >= 1 && p.draws <= 1 << 20, "methods::repaint: draws must lie in [1, 2^20], got ", p.draws);
  const auto program = samplers::ddpm{}.program(levels);
  std::vector<noise_level> at;
  std::vector<mixture> folds;
  for (const auto& s : program) {
    at.push_back(s.at);
    folds.push_back(fold_of<Model>(prediction, s.at));
  }
  network_run<Model, Prediction> run{model, prediction, at, n, d};
  tensor<float, 2> state{x.extents()};
  tensor<double, 2> sum{x.extents()};
  std::vector<std::int32_t> level(static_cast<std::size_t>(n));
  std::vector<double> known(static_cast<std::size_t>(d)), fresh(known.size());
  const auto draw_noise = [&](std::vector<double>& to, noise_key key, purpose use) {
    key.use = use;
    for (index j = 0; j < d; ++j) to[static_cast<std::size_t>(j)] = random_normal(key, static_cast<std::uint64_t>(j));
  };
  for (index draw = 0; draw < p.draws; ++draw) {
    noise_key key{.seed = p.seed, .draw = static_cast<std::uint32_t>(draw)};
    draw_noise(fresh, key, purpose::init);
    for (index i = 0; i < n; ++i)
      for (index j = 0; j < d; ++j)
        state(i, j) = static_cast<float>(levels.front().sigma * fresh[static_cast<std::size_t>(j)]);
    for (std::size_t k = 0; k < program.size(); ++k) {
      const stage& s = program[k];
      const noise_level& to = levels[k + 1];
      const double shrink = s.at.alpha / to.alpha;
      const double again = std::sqrt(std::max(0.0, s.at.sigma * s.at.sigma - shrink * shrink * to.sigma * to.sigma));
      std::fill(level.begin(), level.end(), static_cast<std::int32_t>(k));
      // the last step ends in what the run knows; to take it again would only blur it
      const index times = to.sigma > 0 ? p.resamples : 1;
      for (index time = 0; time < times; ++time) {
        key.step = static_cast<std::uint32_t>(static_cast<index>(k) * p.resamples + time);
        const float* const output = run.output(state.data(), level.data(), n);
        draw_noise(fresh, key, purpose::step);
        draw_noise(known, key, purpose::scoring);
        for (index i = 0; i < n; ++i)
          for (index j = 0; j < d; ++j) {
            const auto c = static_cast<std::size_t>(j);
            const auto now = static_cast<double>(state(i, j));
            const double clean = folds[k].first * now + folds[k].second * static_cast<double>(output[i * d + j]);
            state(i, j) = static_cast<float>(hidden(i, j) != 0
                                                 ? s.x_weight * now + s.clean_weight * clean + s.noise_weight * fresh[c]
                                                 : to.alpha * static_cast<double>(x(i, j)) + to.sigma * known[c]);
          }
        if (time + 1 == times) break;
        draw_noise(fresh, key, purpose::repeat);
        for (index i = 0; i < n; ++i)
          for (index j = 0; j < d; ++j)
            state(i, j) = static_cast<float>(shrink * static_cast<double>(state(i, j)) +
                                             again * fresh[static_cast<std::size_t>(j)]);
      }
    }
    for (index e = 0; e < state.view().size(); ++e) sum.data()[e] += static_cast<double>(state.data()[e]);
  }
  for (index i = 0; i < n; ++i)
    for (index j = 0; j < d; ++j)
      out(i, j) = hidden(i, j) != 0 ? static_cast<float>(sum(i, j) / static_cast<double>(p.draws)) : x(i, j);
}

/// Fills the gaps (NaN) of rows x (n, columns) with what a fitted detector's network expects there, in the columns' own
/// units; what is known stays as it is. Throws invalid_argument before fit and for numbers out of range, data_error for
/// rows of another width or values that are infinite.
template <class Detector>
requires denoiser<typename Detector::model_type>
[[nodiscard]] tensor<double, 2> fill_gaps(const Detector& detector, const tensor<double, 2>& x,
                                          const repaint_params& p = {}) {
  using parts = typename Detector::parts_type;
  static_assert(!widens<typename parts::preprocessor_type>, "methods::fill_gaps: for columns of numbers alone");
  check(detector.is_fitted(), "methods::fill_gaps: nothing has been learned yet; call fit or load first");
  const auto& prepared = detector.preprocessing();
  const auto d = static_cast<index>(prepared.offset().size());
  check<data_error>(x.row_size() == d, "methods::fill_gaps: needs rows of ", d, " columns, got ", x.row_size());
  tensor<float, 2> z{x.extents()}, hidden{x.extents()}, filled{x.extents()};
  std::vector<double> row(static_cast<std::size_t>(d));
  for (index i = 0; i < x.rows(); ++i) {
    for (index j = 0; j < d; ++j) {
      const bool gap = std::isnan(x(i, j));
      check<data_error>(gap || std::isfinite(x(i, j)), "methods::fill_gaps: row ", i + 1, ", column ", j,
                        " is infinite");
      hidden(i, j) = gap ? 1.0F : 0.0F;
      row[static_cast<std::size_t>(j)] = gap ? prepared.offset()[static_cast<std::size_t>(j)] : x(i, j);
    }
    prepared.apply(row, z.row(i));
  }
  const auto schedule = typename parts::schedule_type{detector.numbers().schedule}.levels();
  auto levels = typename parts::grid_type{detector.numbers().grid}.pick(
      schedule, std::min(p.steps, static_cast<index>(schedule.size())));
  levels.push_back(clean_level);
  constexpr index block = 256;
  const typename parts::prediction_type prediction{detector.numbers().prediction};
  for (index first = 0; first < x.rows(); first += block) {
    const index last = std::min(x.rows(), first + block);
    repaint(detector.model(), prediction, levels, const_view(z).slice(first, last),
            const_view(hidden).slice(first, last), p, filled.view().slice(first, last));
  }
  tensor<double, 2> out{x};
  for (index i = 0; i < x.rows(); ++i)
    for (index j = 0; j < d; ++j)
      if (hidden(i, j) != 0) out(i, j) = prepared.invert(j, filled(i, j));
  return out;
}

}  // namespace anodiff::methods
