// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/pipeline/picture_detector.hpp>

namespace anodiff {

template <class Parts>
void basic_picture_detector<Parts>::fit(const picture_list& pictures, const fit_options& how) {
  const index n = pictures.count();
  check<data_error>(n >= 2, "picture_detector::fit: needs at least 2 pictures to learn from, got ", n);
  const index held_out = held_out_of(n, numbers_.calibration_share, numbers_.calibration_limit);
  const index learning = n - held_out;
  if (held_out > 0)  // a rate that so few pictures cannot support is refused now, not after training
    (void)calibrator_.fit(std::vector<double>(static_cast<std::size_t>(held_out)));

  const index scales = numbers_.picture.scales;
  std::vector<tensor<float, 3>> prepared(
      static_cast<std::size_t>(learning * scales));  // all of one scale, then the next
  fitted_ = false;
  runs_.clear();
  coarse_runs_.clear();
  calibrated_.reset();
  statistics_.clear();
  coarse_unit_ = 1;
  double bytes = 0;
  for (index i = 0; i < learning; ++i) {
    const auto picture = pictures.load(i);
    if (i == 0) channels_ = picture.extent(2);
    check_picture("picture_detector::fit", picture, pictures.name(i));
    for (index k = 0; k < scales; ++k) {
      auto& place = prepared[static_cast<std::size_t>(k * learning + i)];
      place = at_scale(picture, k);
      bytes += static_cast<double>(place.size()) * sizeof(float);
    }
    check<memory_error>(bytes <= numbers_.memory_limit, "picture_detector::fit: after ", i + 1, " of ", learning,
                        " pictures ", std::ceil(bytes / 1e6), " MB are taken, more than memory_limit (",
                        numbers_.memory_limit / 1e6,
                        " MB); give fewer pictures, a larger picture.reduce, or a higher limit");
    said(how.progress, "prepare", i + 1, learning);
  }
  if (numbers_.picture.coarse_network) {
    const auto coarse = std::span{prepared}.subspan(static_cast<std::size_t>(learning));
    double sum = 0, count = 0;
    for (const auto& picture : coarse) {
      for (const float v : picture.flat()) sum += std::abs(static_cast<double>(v));
      count += static_cast<double>(picture.size());
    }
    coarse_unit_ = std::max(1e-3, sum / count);  // pictures without any deviation have no unit
    for (auto& picture : coarse) scale_to_unit(picture);
  }
  record_ = {.rows = n, .train_rows = learning, .calibration_rows = held_out, .columns = {}, .schema = {}};
  train(prepared, learning, how);
  study_texture(pictures, learning, how.progress);
  const std::span<const tensor<float, 3>> all{prepared};
  for (index k = 0; k < scales; ++k)
    statistics_.push_back(measured(
        all.subspan(static_cast<std::size_t>(k * learning), static_cast<std::size_t>(learning)), k, how.progress));
  if (held_out > 0) calibrated_ = calibrator_.fit(scores_of(pictures, learning, n, how.progress));
  fitted_ = true;
}

template <class Parts>
void basic_picture_detector<Parts>::train(std::span<const tensor<float, 3>> prepared, index learning,
                                          const fit_options& how) {
  const picture_params& picture = numbers_.picture;
  const std::string identity = how.checkpoint.empty() ? "" : identity_of(prepared);
  training_params numbers = numbers_.training;
  // a step costs as its pixels do, and a network takes of the time what its steps cost; the rest is the next one's
  const auto pixels = [](index side) { return static_cast<double>(side * side); };
  const double share = pixels(picture.coarse_crop) / (pixels(picture.coarse_crop) + pixels(picture.crop));
  const auto fine = picture.coarse_network ? prepared.first(static_cast<std::size_t>(learning)) : prepared;
  if (picture.coarse_network) numbers.time_budget *= 1 - share;
  const auto start = std::chrono::steady_clock::now();
  std::tie(record_.steps, record_.loss) = train(model_, fine, picture.crop, corruption_, numbers, how, identity);
  if (!picture.coarse_network) return;
  const double taken = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const double budget = numbers_.training.time_budget;
  numbers.time_budget = budget > 0 ? std::max(share * budget, budget - taken) : 0;
  fit_options own = how;
  if (!how.checkpoint.empty()) own.checkpoint += coarse_checkpoint;
  const auto said_as_coarse = [&how](progress p) {
    p.stage = "train coarse";
    return how.progress(p);
  };
  own.progress = said_as_coarse;
  (void)train(coarse_model_, prepared.subspan(static_cast<std::size_t>(learning)), picture.coarse_crop,
              coarse_corruption_, numbers, own, concat(identity, "; coarse"));
}

template <class Parts>
std::pair<index, double> basic_picture_detector<Parts>::train(
    model_type& model, std::span<const tensor<float, 3>> prepared, index side,
    const typename Parts::recipe_type::corruption_policy& corruption, const training_params& numbers,
    const fit_options& how, const std::string& identity) {
  const auto count = static_cast<index>(prepared.size());
  // an epoch sees each picture in several places, so that a few pictures fill a batch
  const index repeats = std::max<index>(8, (8 * numbers.batch + count - 1) / count);
  const crop_source source{prepared, count, numbers_.picture, side, repeats};
  model.build({{side, side, channels_}, numbers_.seed});
  trainer<model_type, typename Parts::prediction_type, typename Parts::recipe_type::corruption_policy,
          typename Parts::recipe_type::objective_policy>
      training{model, prediction_, corruption, objective_, levels_, numbers, source, numbers_.seed};
  run_with_checkpoints(training, how, identity, model.parameter_count());
  return {training.state().step, training.state().loss};
}

template <class Parts>
void basic_picture_detector<Parts>::study_texture(const picture_list& pictures, index learning,
                                                  const progress_callback& report) {
  if (numbers_.texture.scales == 0) return;
  const index count = std::min(most_measured, learning);
  std::vector<std::vector<tensor<float, 3>>> features;
  for (index i = 0; i < count; ++i) {
    features.push_back(texture_of(pictures.load(i * learning / count)));
    said(report, "texture", i + 1, count);
  }
  texture_.learn(features, squares_inside());
}

template <class Parts>
auto basic_picture_detector<Parts>::measured(std::span<const tensor<float, 3>> prepared, index scale,
                                             const progress_callback& report) const -> scale_statistics {
  const std::size_t count = std::min(static_cast<std::size_t>(most_measured), prepared.size());
  const auto picked = [&](std::size_t i) { return prepared[i * prepared.size() / count].view(); };
  const index coarser = numbers_.picture.reduction(scale) / numbers_.picture.reduce;
  scale_statistics out;
  if constexpr (part::studies_normals<scorer_type>) {
    typename scorer_type::study study{};
    for (std::size_t i = 0; i < count; ++i) {
      for_each_piece(picked(i), [&](tensor_view<const float, 3> piece, auto&&) {
        auto lease = planned(scale, piece.extent(0), piece.extent(1));
        lease.run->study({piece.data(), {1, piece.size()}}, study);
      });
      said(report, "study", static_cast<index>(i + 1), static_cast<index>(count));
    }
    out.learned = study.conclude();
  }
  const auto statistics_of = [](std::span<const double> values) {
    double mean = 0, square = 0;
    for (const double v : values) mean += v / static_cast<double>(values.size());
    for (const double v : values) square += (v - mean) * (v - mean) / static_cast<double>(values.size());
    const double deviation = std::sqrt(square);
    return view_statistics{mean, deviation > 1e-9 * std::abs(mean) ? deviation : 1};
  };
  std::vector<std::vector<double>> scores;  // of each view
  if constexpr (Parts::aggregator_type::needs_statistics) {
    for (std::size_t i = 0; i < count; ++i) {
      const auto views = views_of(picked(i), out.learned, scale);
      scores.resize(static_cast<std::size_t>(views.extent(0)));
      for (std::size_t v = 0; v < scores.size(); ++v) {
        tensor<float, 2> map{{views.extent(1), views.extent(2)}};
        std::ranges::copy(views.row(static_cast<index>(v)), map.data());
        blur_map(map);
        scores[v].push_back(pooled(map, "a training picture", coarser));
      }
      said(report, "measure", static_cast<index>(i + 1), static_cast<index>(count));
    }
    for (const auto& view : scores) out.views.push_back(statistics_of(view));
  }
  if constexpr (sums_tails) {
    constexpr index most_values = 20'000;  // of a picture
    std::vector<std::vector<float>> pixels;
    for (std::size_t i = 0; i < count; ++i) {
      auto views = views_of(picked(i), out.learned, scale);
      pixels.resize(static_cast<std::size_t>(views.extent(0)));
      const auto counts = detail::counted(interest_, views.extent(1), views.extent(2), 0);
      for (index v = 0; v < views.extent(0); ++v) {
        const tensor_view<float, 2> view{views.row(v).data(), {views.extent(1), views.extent(2)}};
        blur_map(view);
        const index step = std::max<index>(1, view.size() / most_values);
        for (index e = 0; e < view.size(); e += step)
          if (counts.data()[e] != 0) pixels[static_cast<std::size_t>(v)].push_back(view.data()[e]);
      }
      said(report, "measure", static_cast<index>(i + 1), static_cast<index>(count));
    }
    for (auto& values : pixels) out.tails.emplace_back(std::move(values));
  }
  if (!sums_tails && numbers_.picture.scales > 1) {
    std::vector<double> whole;
    for (std::size_t i = 0; i < count; ++i)
      whole.push_back(pooled(aggregated(views_of(picked(i), out.learned, scale), out), "a training picture", coarser));
    out.whole = statistics_of(whole);
  }
  return out;
}

template <class Parts>
std::string basic_picture_detector<Parts>::identity_of(std::span<const tensor<float, 3>> prepared) const {
  checksum sum;
  for (const auto& picture : prepared) {
    for (const index extent : picture.extents()) sum.add(static_cast<std::uint32_t>(extent));
    sum.add(picture.flat());
  }
  return fit_identity<Parts>(concat("pictures ", prepared.size(), ", checksum ", sum.value()), to_text(numbers_));
}

}  // namespace anodiff
