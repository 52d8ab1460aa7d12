// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/formats/json.hpp>
#include <anodiff/formats/safetensors.hpp>
#include <anodiff/pipeline/detector.hpp>
#include <anodiff/version.hpp>

namespace anodiff {

/// The layout of a model file; a reader accepts every older one. Tensors: preprocessing.offset and .scale (f64),
/// model.*, calibration.scores (f64), views.mean and .deviation (f64). Metadata: format, library, method, one entry per
/// policy kind, numbers.* (see detector_options), fit.* (see fit_record), columns and sample as JSON lists.
/// Format 2 adds what a preprocessing that widens has learned, its own tensors preprocessing.*, and the columns'
/// schema, a JSON list with null for a numeric column and the names of a categorical one; a model without them is
/// format 1.
inline constexpr index model_file_format = 2;

namespace detail {

/// Refuses what is no model file, or one of a newer version. Returns the method's name.
[[nodiscard]] inline std::string check_model_file(const formats::safetensors_file& file) {
  const auto* format = file.find_metadata("anodiff.format");
  check<data_error>(format != nullptr, file.name, ": is a safetensors file, but not a model of anodiff");
  index written = 0;
  field_from_text(concat(file.name, ": anodiff.format"), *format, written);
  check<data_error>(written >= 1, file.name, ": format must be at least 1, got ", written);
  check<data_error>(written <= model_file_format, file.name, ": was written in format ", written, " by anodiff ",
                    file.metadata_at("anodiff.version"), "; this is anodiff ", version, ", which reads formats up to ",
                    model_file_format);
  return file.metadata_at("method");
}

[[nodiscard]] inline std::string schema_to_text(const std::vector<formats::column_schema>& schema) {
  formats::json::array_type out;
  for (const auto& column : schema)
    if (column.kind == formats::column_kind::numeric)
      out.emplace_back();
    else
      out.emplace_back(column.categories);
  return formats::json{std::move(out)}.dump();
}

/// Throws data_error for what schema_to_text cannot have written of d columns.
[[nodiscard]] inline std::vector<formats::column_schema> schema_from_text(const std::string& text, index d,
                                                                          const std::string& path) {
  std::vector<formats::column_schema> out;
  const auto columns = formats::parse_json(text, path);
  for (const auto& column : columns.elements(path)) {
    auto& made = out.emplace_back();
    if (column.is_null()) continue;
    made.kind = formats::column_kind::categorical;
    for (const auto& name : column.elements(path)) made.categories.push_back(name.string(path));
    check<data_error>(std::ranges::adjacent_find(made.categories, std::greater_equal{}) == made.categories.end(), path,
                      ": the categories of a column must stand in sorted order, each once");
  }
  check<data_error>(static_cast<index>(out.size()) == d, path, ": needs the schema of ", d, " columns, got ",
                    out.size());
  return out;
}

}  // namespace detail

/// The method that a model file holds. Throws data_error where it is none, or was made by a newer version.
[[nodiscard]] inline std::string method_of(const formats::safetensors_file& file) {
  return detail::check_model_file(file);
}

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
  std::vector<double> mean, deviation;
  for (const auto& s : statistics_) {
    mean.push_back(s.mean);
    deviation.push_back(s.deviation);
  }
  if (!statistics_.empty()) {
    tensors.push_back(named("views.mean", std::span<const double>{mean}));
    tensors.push_back(named("views.deviation", std::span<const double>{deviation}));
  }
  model_.tensors(
      [&](std::string_view name, auto&& values) { tensors.push_back(named(concat("model.", name), values)); });

  const bool needs_second = widens<preprocessor_type> || !record_.schema.empty();
  text_fields metadata{{"anodiff.format", concat(needs_second ? model_file_format : index{1})},
                       {"anodiff.version", version},
                       {"method", std::string{Parts::preset_type::name}}};
  for (auto& entry : detail::policy_names<Parts>()) metadata.push_back(std::move(entry));
  for (auto& [key, value] : to_text(numbers_)) metadata.emplace_back(concat("numbers.", key), std::move(value));
  append_fields(metadata, "fit.", record_);
  formats::json::array_type columns, sample;
  for (const auto& column : record_.columns) columns.emplace_back(column);
  for (const index extent : sample_) sample.emplace_back(extent);
  metadata.emplace_back("columns", formats::json{std::move(columns)}.dump());
  metadata.emplace_back("sample", formats::json{std::move(sample)}.dump());
  if (!record_.schema.empty()) metadata.emplace_back("schema", detail::schema_to_text(record_.schema));
  metadata.emplace_back("holds_training_rows", memory<model_type> ? "true" : "false");
  formats::write_safetensors(target, tensors, metadata);
}

template <class Parts>
void basic_detector<Parts>::open(const std::string& path) {
  open(formats::read_safetensors(path));
}

template <class Parts>
void basic_detector<Parts>::open(const formats::safetensors_file& file) {
  const std::string& path = file.name;
  const std::string method = detail::check_model_file(file);
  for (const auto& [kind, name] : detail::policy_names<Parts>())
    check<data_error>(file.metadata_at(kind) == name, path, ": holds a detector with ", kind, " '",
                      file.metadata_at(kind), "' (method '", method, "'), but this one has '", name, "'");
  options numbers;
  fit_record record;
  std::vector<index> sample;
  detail::as_data_error(path, [&] {
    for (const auto& [key, value] : file.metadata) {
      if (key.starts_with("numbers.")) assign(numbers, std::string_view{key}.substr(8), value);
      (void)assign_field(record, "fit.", key, value);
    }
    const auto extents_text = formats::parse_json(file.metadata_at("sample"), path);
    for (const auto& extent : extents_text.elements(path)) sample.push_back(extent.integer(path));
    const auto columns = formats::parse_json(file.metadata_at("columns"), path);
    for (const auto& column : columns.elements(path)) record.columns.push_back(column.string(path));
    check(!sample.empty() && std::ranges::all_of(sample, [](index e) { return e >= 1; }),
          "needs a sample of positive extents");
    shape<4> extents{1, 1, 1, 1};
    check(sample.size() <= 4, "a sample has at most 4 dimensions, got ", sample.size());
    std::ranges::copy(sample, extents.begin());
    (void)volume(extents);
  });
  model_shape shape{sample, numbers.seed};
  const auto d = shape.size();
  if (const auto* text = file.find_metadata("schema")) record.schema = detail::schema_from_text(*text, d, path);
  const auto doubles = [&](std::string_view name, index count) {
    const auto view = count < 0 ? file.find<double, 1>(name) : file.find<double, 1>(name, anodiff::shape<1>{count});
    for (const double v : view.flat())
      check<data_error>(std::isfinite(v), path, ": tensor '", name, "' holds a value that is not finite");
    return std::vector<double>(view.data(), view.data() + view.size());
  };
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
    made.model_.restore(shape, [&](std::string_view name) {
      return file.find<typename model_type::engine_type::real, 2>(concat("model.", name));
    });
    if (file.contains("calibration.scores")) made.calibrated_ = made.calibrator_.fit(doubles("calibration.scores", -1));
    made.sample_ = std::move(sample);
    made.record_ = std::move(record);
    made.fitted_ = true;
    if constexpr (Parts::aggregator_type::needs_statistics)
      check(static_cast<index>(made.statistics_.size()) == made.scorer_.prepare(made.context(), 1).views(),
            "needs statistics of each view, got ", made.statistics_.size());
    *this = std::move(made);
  });
}

}  // namespace anodiff
