// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/concepts/scorer.hpp>
#include <anodiff/pipeline/clipping.hpp>
#include <anodiff/pipeline/fit_options.hpp>
#include <anodiff/pipeline/parts.hpp>
#include <string>

namespace anodiff {

/// The numbers of a detector: first those that every detector has, then each policy's own.
template <class Parts>
struct detector_options {
  anodiff::start start = Parts::preset_type::start;  ///< where a reconstruction starts
  index steps =
      Parts::preset_type::steps;  ///< network calls of a reconstruction, at most the levels in reach; at least 1
  std::uint64_t seed = 0;         ///< of everything random
  double clip = Parts::preset_type::clip;  ///< every clean estimate is clipped to ±clip; 0 = not
  double clip_share = 0;  ///< above 0 the clip is at that quantile of a sample's elements; see clipping; [0, 1]
  double calibration_share =
      0.2;  ///< share of the rows kept from learning to calibrate on, at least 20 rows; 0 = no
            ///< calibration; scorers that leave one out need none, and calibrate on all; [0, 0.5]
  index calibration_limit = 4096;  ///< largest number of rows to calibrate on, and to validate on; at least 1
  double memory_limit = 8e9;       ///< bytes that a fit may plan for; it refuses before it begins
  training_params training = Parts::preset_type::training;
  typename Parts::schedule_type::params schedule = Parts::preset_type::schedule;
  typename Parts::model_type::params model = Parts::preset_type::model;
  typename Parts::sampler_type::params sampler = Parts::preset_type::sampler;
  typename Parts::grid_type::params grid = Parts::preset_type::grid;
  typename Parts::prediction_type::params prediction = Parts::preset_type::prediction;
  typename Parts::conditioner_type::params conditioning = Parts::preset_type::conditioning;
  typename Parts::scorer_type::params scorer = Parts::preset_type::scorer;
  typename Parts::aggregator_type::params aggregation = Parts::preset_type::aggregation;
  typename Parts::pooler_type::params pooling = Parts::preset_type::pooling;
  typename Parts::calibrator_type::params calibration = Parts::preset_type::calibration;
  typename Parts::preprocessor_type::params preprocessing = Parts::preset_type::preprocessing;
  typename Parts::recipe_type::corruption_policy::params corruption = Parts::preset_type::corruption;
  typename Parts::recipe_type::objective_policy::params objective = Parts::preset_type::objective;

  /// Calls f(prefix, params) for each policy's numbers.
  static constexpr void groups(auto& self, auto&& f) {
    f("training.", self.training);
    f("schedule.", self.schedule);
    f("model.", self.model);
    f("sampler.", self.sampler);
    f("grid.", self.grid);
    f("prediction.", self.prediction);
    f("conditioning.", self.conditioning);
    f("scorer.", self.scorer);
    f("aggregation.", self.aggregation);
    f("pooling.", self.pooling);
    f("calibration.", self.calibration);
    f("preprocessing.", self.preprocessing);
    f("corruption.", self.corruption);
    f("objective.", self.objective);
  }
  static constexpr void fields(auto& self, auto&& field) {
    field("start.kind", self.start.kind);
    field("start.depth", self.start.depth);
    field("steps", self.steps);
    field("seed", self.seed);
    field("clip", self.clip);
    field("clip_share", self.clip_share);
    field("calibration_share", self.calibration_share);
    field("calibration_limit", self.calibration_limit);
    field("memory_limit", self.memory_limit);
  }
  [[nodiscard]] clipping clipped() const noexcept { return {.limit = clip, .share = clip_share}; }
  /// Throws invalid_argument on numbers outside the ranges above; each policy checks its own.
  void verify() const {
    check(steps >= 1, "detector: steps must be at least 1, got ", steps);
    check(start.depth > 0 && start.depth <= 1, "detector: start.depth must lie in (0, 1], got ", start.depth);
    check(clip >= 0, "detector: clip must not be negative, got ", clip);
    check(clip_share >= 0 && clip_share <= 1, "detector: clip_share must lie in [0, 1], got ", clip_share);
    check(calibration_share >= 0 && calibration_share <= 0.5, "detector: calibration_share must lie in [0, 0.5], got ",
          calibration_share);
    check(calibration_limit >= 1, "detector: calibration_limit must be at least 1, got ", calibration_limit);
    check(memory_limit > 0, "detector: memory_limit must be above 0, got ", memory_limit);
    training.verify();
  }
};

/// Numbers of its own, and groups of them.
template <class Options>
concept grouped_parameters = requires(Options& options) {
  Options::fields(options, detail::listed{});
  Options::groups(options, detail::listed{});
};

/// All numbers as text, in a fixed order.
template <grouped_parameters Options>
[[nodiscard]] text_fields to_text(const Options& options) {
  text_fields out;
  append_fields(out, "", options);
  Options::groups(options, [&](std::string_view prefix, const auto& p) { append_fields(out, prefix, p); });
  return out;
}

/// Sets one number by its name. Throws invalid_argument for a name that does not exist (it lists those that do) or a
/// text that is no value.
template <grouped_parameters Options>
void assign(Options& options, std::string_view name, std::string_view text) {
  bool found = assign_field(options, "", name, text);
  Options::groups(options,
                  [&](std::string_view prefix, auto& p) { found = assign_field(p, prefix, name, text) || found; });
  if (found) return;
  std::string known;
  for (const auto& [key, value] : to_text(options)) known += concat(known.empty() ? "" : ", ", key);
  throw invalid_argument(concat("no number is called '", name, "'; there are ", known));
}

}  // namespace anodiff
