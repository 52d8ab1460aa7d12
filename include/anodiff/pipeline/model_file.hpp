// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/pipeline/checkpoint.hpp>
#include <anodiff/pipeline/detector.hpp>
#include <anodiff/pipeline/model_metadata.hpp>

namespace anodiff {

template <class Parts>
void basic_detector<Parts>::save(const std::string& path) const {
  save_to(path);
}

template <class Parts>
template <class Target>
void basic_detector<Parts>::save_to(Target& target) const {
  check(fitted_, "detector::save: nothing has been learned yet; call fit first");
  using formats::named;
  std::vector<formats::named_tensor> tensors;
  std::vector<std::vector<double>> tables;  // tensors borrow their bytes, which stay where they are
  if constexpr (widens<preprocessor_type>) {
    preprocessed_.tensors([&](std::string_view name, std::span<const double> values) {
      const auto& kept = tables.emplace_back(values.begin(), values.end());
      tensors.push_back(named(concat("preprocessing.", name), std::span<const double>{kept}));
    });
  } else {
    tensors.push_back(named("preprocessing.offset", preprocessed_.offset()));
    tensors.push_back(named("preprocessing.scale", preprocessed_.scale()));
  }
  if (calibrated_) tensors.push_back(named("calibration.scores", calibrated_->scores()));
  if constexpr (by_place)
    if (calibrated_) tensors.push_back(named("calibration.rows", calibrated_->rows()));
  std::vector<double> mean, deviation;
  for (const auto& s : statistics_) {
    mean.push_back(s.mean);
    deviation.push_back(s.deviation);
  }
  if (!statistics_.empty()) {
    tensors.push_back(named("views.mean", std::span<const double>{mean}));
    tensors.push_back(named("views.deviation", std::span<const double>{deviation}));
  }
  if constexpr (judges_jointly)
    joint_.tensors([&](std::string_view name, std::span<const double> values) {
      tensors.push_back(named(concat("aggregation.", name), values));
    });
  model_.tensors(
      [&](std::string_view name, auto&& values) { tensors.push_back(named(concat("model.", name), values)); });

  const bool needs_second = widens<preprocessor_type> || !record_.schema.empty();
  auto metadata = detail::model_metadata<Parts>(needs_second ? 2 : 1, numbers_, record_, sample_);
  formats::json::array_type columns;
  for (const auto& column : record_.columns) columns.emplace_back(column);
  metadata.emplace_back("columns", formats::json{std::move(columns)}.dump());
  if (!record_.schema.empty()) metadata.emplace_back("schema", detail::schema_to_text(record_.schema));
  formats::write_safetensors(target, tensors, metadata);
}

template <class Parts>
void basic_detector<Parts>::open(const std::string& path) {
  open(formats::read_safetensors(path));
}

template <class Parts>
void basic_detector<Parts>::open(const formats::safetensors_file& file) {
  const std::string& path = file.name;
  detail::check_policies<Parts>(file);
  options numbers;
  fit_record record;
  std::vector<index> sample;
  detail::as_data_error(path, [&] {
    sample = detail::read_model_metadata(file, numbers, record);
    const auto columns = formats::parse_json(file.metadata_at("columns"), path);
    for (const auto& column : columns.elements(path)) record.columns.push_back(column.string(path));
  });
  model_shape shape{sample, numbers.seed};
  const auto d = shape.size();
  if (const auto* text = file.find_metadata("schema")) record.schema = detail::schema_from_text(*text, d, path);
  const auto doubles = [&](std::string_view name, index count) { return detail::finite_doubles(file, name, count); };
  detail::as_data_error(path, [&] {
    basic_detector made{std::move(numbers), model_.engine()};
    if constexpr (widens<preprocessor_type>) {
      check(sample.size() == 1, "needs a sample of one dimension, got ", sample.size());
      made.preprocessed_ = preprocessor_type::fitted::restored(d, [&](std::string_view name, index count) {
        const auto full = concat("preprocessing.", name);
        return count >= 0 || file.contains(full) ? doubles(full, count) : std::vector<double>{};
      });
      const auto categories = made.preprocessed_.categories();
      for (std::size_t j = 0; j < record.schema.size(); ++j)
        check(static_cast<index>(record.schema[j].categories.size()) == categories[j],
              "the schema must agree with preprocessing.categories; column ", j, " does not");
      shape.sample = {made.preprocessed_.outputs()};
      if constexpr (part::groups_its_outputs<preprocessor_type>) shape.groups = made.preprocessed_.groups();
    } else {
      made.preprocessed_ = {doubles("preprocessing.offset", d), doubles("preprocessing.scale", d)};
      for (const double s : made.preprocessed_.scale()) check(s > 0, "preprocessing.scale must be above 0, got ", s);
    }
    if (file.contains("views.mean")) {
      const auto mean = doubles("views.mean", -1),
                 deviation = doubles("views.deviation", static_cast<index>(mean.size()));
      for (std::size_t v = 0; v < mean.size(); ++v) {
        check(deviation[v] > 0, "views.deviation must be above 0, got ", deviation[v]);
        made.statistics_.push_back({mean[v], deviation[v]});
      }
    }
    if constexpr (judges_jointly)
      made.joint_ = made.aggregator_.restored(
          [&](std::string_view name, index count) { return doubles(concat("aggregation.", name), count); });
    made.model_.restore(shape, [&](std::string_view name) {
      return file.find<typename model_type::engine_type::real, 2>(concat("model.", name));
    });
    if (file.contains("calibration.scores")) {
      const auto scores = doubles("calibration.scores", -1);
      tensor_view<const float, 2> rows;
      if constexpr (by_place) {
        rows = file.find<float, 2>("calibration.rows", {static_cast<index>(scores.size()), shape.size()});
        check(std::ranges::all_of(rows.flat(), [](float v) { return std::isfinite(v); }),
              "calibration.rows holds a value that is not finite");
        made.calibrator_.check_count(rows.rows());
      }
      made.calibrate_on(scores, rows);
    }
    made.sample_ = std::move(sample);
    made.record_ = std::move(record);
    made.fitted_ = true;
    if constexpr (Parts::aggregator_type::needs_statistics)
      check(static_cast<index>(made.statistics_.size()) == made.scorer_.prepare(made.context(), 1).views(),
            "needs statistics of each view, got ", made.statistics_.size());
    if constexpr (judges_jointly)
      check(made.joint_.views() == made.scorer_.prepare(made.context(), 1).views(),
            "needs what the aggregation has learned of each view, got ", made.joint_.views());
    *this = std::move(made);
  });
}

/// Gives `to` all that `from` has learned: the same policies, on another engine. Throws as save and open do.
template <class From, class To>
void transfer(const basic_detector<From>& from, basic_detector<To>& to) {
  formats::buffer bytes;
  from.save(bytes);
  to.open(formats::parse_safetensors(std::move(bytes), "transfer"));
}

}  // namespace anodiff
