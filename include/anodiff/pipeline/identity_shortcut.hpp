// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/corruptions/drawn_damage.hpp>
#include <anodiff/pipeline/picture_detector.hpp>

namespace anodiff {

struct identity_shortcut_params {
  index levels = 10;    ///< noise levels, evenly over the schedule; [1, 1000]
  index pictures = 16;  ///< pictures into which defects are drawn, the first of the list; at least 1
  index defects = 4;    ///< defects for each of them, each in a copy of its own; [1, 4096]
  /// How they are drawn, in units of the prepared picture.
  corruptions::drawn_damage_params damage{
      .share = 1, .most = 1, .smallest = 3, .largest = 8, .soft = 0, .weakest = 0.3, .strongest = 0.8};
};

/// What a network makes of drawn defects at one noise level; means over the defects' pixels.
struct identity_shortcut_row {
  double depth = 0;  ///< of the level, as share of the schedule; (0, 1]
  noise_level level;
  double from_planted = 0;  ///< |x̂ − planted|: how far the defect has gone
  double from_clean = 0;    ///< |x̂ − clean|: how much of it is left, and what else is wrong
  double elsewhere = 0;     ///< |x̂ − clean| in pixels without a defect
  double copied = 0;  ///< Σ (x̂ − clean)(planted − clean) / Σ (planted − clean)²: 1 keeps the defect, 0 removes it
  /// How far a defect stands out of a map of |x̂ − x|.
  [[nodiscard]] double contrast() const noexcept { return from_planted / elsewhere; }
};

struct identity_shortcut_report {
  std::vector<identity_shortcut_row> rows;  ///< from the cleanest level to the noisiest
  double recommended_depth = 0;             ///< that of the row with the highest contrast
};

/// How much of a defect a network copies in one call at growing noise levels: the shortcut by which a reconstruction
/// misses what it should show. Defects whose every pixel is known are drawn into the middle crops of normal pictures,
/// noised as in training, and estimated. The detector's scorer and sampler play no part. You et al. 2022 (UniAD),
/// arXiv:2206.03687, section 1, name the shortcut. Throws invalid_argument before fit and for numbers outside their
/// ranges, data_error for pictures with other channels and where no defect leaves a mark.
template <class Parts>
requires(
    !part::narrows_the_loss<typename Parts::recipe_type::corruption_policy, typename Parts::model_type::engine_type>)
    [[nodiscard]] identity_shortcut_report
    identity_shortcut(const basic_picture_detector<Parts>& detector, const picture_list& normal,
                      const identity_shortcut_params& how = {}) {
  check(detector.is_fitted(), "identity_shortcut: the detector has learned nothing yet; call fit or load first");
  check(how.levels >= 1 && how.levels <= 1000, "identity_shortcut: levels must lie in [1, 1000], got ", how.levels);
  check(how.pictures >= 1, "identity_shortcut: pictures must be at least 1, got ", how.pictures);
  check(how.defects >= 1 && how.defects <= 4096, "identity_shortcut: defects must lie in [1, 4096], got ", how.defects);
  check(normal.count() >= 1, "identity_shortcut: needs at least one normal picture, got none");
  const auto& numbers = detector.numbers();
  const auto& model = detector.model();
  auto machine = model.engine();
  const typename Parts::prediction_type prediction{numbers.prediction};
  const typename Parts::preprocessor_type preprocessor{numbers.preprocessing};
  const typename Parts::recipe_type::corruption_policy corruption{numbers.corruption};
  const corruptions::drawn_damage damage{how.damage};
  const auto schedule = typename Parts::schedule_type{numbers.schedule}.levels();

  identity_shortcut_report report;
  std::vector<noise_level> levels;
  for (index k = 1; k <= how.levels; ++k) {
    const double depth = static_cast<double>(k) / static_cast<double>(how.levels);
    const auto at = std::llround(depth * static_cast<double>(schedule.size()));
    levels.push_back(schedule[static_cast<std::size_t>(std::max(1LL, at) - 1)]);
    report.rows.push_back({.depth = depth, .level = levels.back()});
  }
  const index side = numbers.picture.crop, channels = detector.channels(), size = side * side * channels;
  const std::array<index, 3> sample{side, side, channels};
  estimating_run<typename Parts::model_type, typename Parts::prediction_type> network{model, prediction, levels,
                                                                                      how.defects, size};
  tensor<float, 2> clean{{how.defects, size}}, planted{clean.extents()}, noise{clean.extents()},
      noised{clean.extents()};
  std::vector<std::int32_t> level(static_cast<std::size_t>(how.defects));
  double damaged_pixels = 0, other_pixels = 0, square = 0;
  for (index p = 0; p < std::min(how.pictures, normal.count()); ++p) {
    const auto picture = normal.load(p);
    check<data_error>(picture.size() > 0 && picture.extent(2) == channels, "identity_shortcut: ", normal.name(p),
                      " has ", picture.extent(2), " channels, the model has learned from ", channels);
    const index reduce = numbers.picture.reduce;
    const auto small =
        formats::resize(picture, (picture.extent(0) + reduce - 1) / reduce, (picture.extent(1) + reduce - 1) / reduce);
    tensor<float, 3> prepared{small.extents()};
    preprocessor.apply(machine, small, prepared);
    for (index d = 0; d < how.defects; ++d) {
      float *from = clean.row(d).data(), *to = planted.row(d).data();
      cut(prepared, {(prepared.extent(0) - side) / 2, (prepared.extent(1) - side) / 2, side, side}, from);
      std::copy_n(from, size, to);
      const noise_key key{.seed = numbers.seed,
                          .draw = static_cast<std::uint32_t>(d),
                          .step = static_cast<std::uint32_t>(p),
                          .use = purpose::augmentation};
      damage.draw({to, {side, side, channels}}, static_cast<const float*>(from), {key, 0});
    }
    corruptions::fill_noise(
        corruption, machine,
        {.out = noise.data(),
         .rows = how.defects,
         .row_size = size,
         .key = {.seed = numbers.seed, .draw = static_cast<std::uint32_t>(p), .use = purpose::scoring},
         .sample = sample});
    for (index e = 0; e < clean.size(); ++e) {
      const double change = static_cast<double>(planted.data()[e]) - static_cast<double>(clean.data()[e]);
      (change != 0 ? damaged_pixels : other_pixels) += 1;
      square += change * change;
    }
    for (std::size_t k = 0; k < levels.size(); ++k) {
      auto& row = report.rows[k];
      const auto alpha = static_cast<float>(levels[k].alpha), sigma = static_cast<float>(levels[k].sigma);
      std::transform(planted.data(), planted.data() + planted.size(), noise.data(), noised.data(),
                     [=](float x, float n) { return alpha * x + sigma * n; });
      std::ranges::fill(level, static_cast<std::int32_t>(k));
      const float* output = network.output(noised.data(), level.data(), how.defects);
      const mixture fold = network.fold(levels[k]);
      for (index e = 0; e < clean.size(); ++e) {
        double estimate =
            fold.first * static_cast<double>(noised.data()[e]) + fold.second * static_cast<double>(output[e]);
        if (numbers.clip > 0) estimate = std::clamp(estimate, -numbers.clip, numbers.clip);
        const double change = static_cast<double>(planted.data()[e]) - static_cast<double>(clean.data()[e]);
        const double left = estimate - static_cast<double>(clean.data()[e]);
        if (change == 0) {
          row.elsewhere += std::abs(left);
        } else {
          row.from_clean += std::abs(left);
          row.from_planted += std::abs(left - change);
          row.copied += left * change;
        }
      }
    }
  }
  check<data_error>(square > 0 && other_pixels > 0, "identity_shortcut: the drawn defects cover ", damaged_pixels,
                    " of ", damaged_pixels + other_pixels, " pixels; some must be damaged and some not");
  for (auto& row : report.rows) {
    row.from_planted /= damaged_pixels;
    row.from_clean /= damaged_pixels;
    row.elsewhere /= other_pixels;
    row.copied /= square;
  }
  report.recommended_depth = std::ranges::max_element(report.rows, {}, &identity_shortcut_row::contrast)->depth;
  return report;
}

}  // namespace anodiff
