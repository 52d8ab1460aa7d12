// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/formats/json.hpp>
#include <anodiff/formats/safetensors.hpp>
#include <anodiff/pipeline/detector_options.hpp>
#include <anodiff/pipeline/fit_options.hpp>
#include <anodiff/version.hpp>
#include <cmath>

namespace anodiff {

/// The layout of a model file; a reader accepts every older one. Tensors: preprocessing.offset and .scale (f64),
/// model.*, calibration.scores (f64) and, of a calibration by place, .rows (f32), views.mean and .deviation (f64),
/// aggregation.* (f64) of a joint one. Metadata: format, library, method, one entry per policy kind, numbers.* (see
/// detector_options), fit.* (see fit_record), columns and sample as JSON lists. Format 2 adds what a preprocessing that
/// widens has learned, its own tensors preprocessing.*, and the columns' schema, a JSON list with null for a numeric
/// column and the names of a categorical one; a model without them is format 1. Format 3 is a detector of pictures: its
/// tensors are listed at basic_picture_detector::save_to, sample holds the extents of what it has trained on. Format 4
/// is such a detector whose coarser scales have a network of their own, format 5 one with a region of interest or a
/// minimum area, format 6 one that judges texture.
inline constexpr index model_file_format = 6, pictures_format = 3, two_networks_format = 4, focus_format = 5,
                       texture_format = 6;

namespace detail {

/// The format that a model file says it has.
[[nodiscard]] inline index format_of(const formats::safetensors_file& file) {
  const auto* format = file.find_metadata("anodiff.format");
  check<data_error>(format != nullptr, file.name, ": is a safetensors file, but not a model of anodiff");
  index written = 0;
  field_from_text(concat(file.name, ": anodiff.format"), *format, written);
  return written;
}

/// Refuses what is no model file, or one of a newer version. Returns the method's name.
[[nodiscard]] inline std::string check_model_file(const formats::safetensors_file& file) {
  const index written = format_of(file);
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

/// What the metadata of every model begins with.
template <class Parts, grouped_parameters Options>
[[nodiscard]] text_fields model_metadata(index format, const Options& numbers, const fit_record& record,
                                         std::span<const index> sample) {
  text_fields out{{"anodiff.format", concat(format)},
                  {"anodiff.version", version},
                  {"method", std::string{Parts::preset_type::name}}};
  for (auto& entry : policy_names<Parts>()) out.push_back(std::move(entry));
  for (auto& [key, value] : to_text(numbers)) out.emplace_back(concat("numbers.", key), std::move(value));
  append_fields(out, "fit.", record);
  formats::json::array_type extents;
  for (const index extent : sample) extents.emplace_back(extent);
  out.emplace_back("sample", formats::json{std::move(extents)}.dump());
  out.emplace_back("holds_training_rows", memory<typename Parts::model_type> ? "true" : "false");
  return out;
}

/// Refuses a model of other policies, in the words of the first that differs.
template <class Parts>
void check_policies(const formats::safetensors_file& file) {
  const std::string method = check_model_file(file);
  for (const auto& [kind, name] : policy_names<Parts>())
    check<data_error>(file.metadata_at(kind) == name, file.name, ": holds a detector with ", kind, " '",
                      file.metadata_at(kind), "' (method '", method, "'), but this one has '", name, "'");
}

/// Reads back what model_metadata has written; returns the sample's extents.
template <grouped_parameters Options>
[[nodiscard]] std::vector<index> read_model_metadata(const formats::safetensors_file& file, Options& numbers,
                                                     fit_record& record) {
  const std::string& path = file.name;
  std::vector<index> sample;
  for (const auto& [key, value] : file.metadata) {
    if (key.starts_with("numbers.")) assign(numbers, std::string_view{key}.substr(8), value);
    (void)assign_field(record, "fit.", key, value);
  }
  const auto extents_text = formats::parse_json(file.metadata_at("sample"), path);
  for (const auto& extent : extents_text.elements(path)) sample.push_back(extent.integer(path));
  check(!sample.empty() && std::ranges::all_of(sample, [](index e) { return e >= 1; }),
        "needs a sample of positive extents");
  shape<4> extents{1, 1, 1, 1};
  check(sample.size() <= 4, "a sample has at most 4 dimensions, got ", sample.size());
  std::ranges::copy(sample, extents.begin());
  (void)volume(extents);
  return sample;
}

/// Values of a file that must be finite; count < 0 takes any number of them.
[[nodiscard]] inline std::vector<double> finite_doubles(const formats::safetensors_file& file, std::string_view name,
                                                        index count = -1) {
  const auto view = count < 0 ? file.find<double, 1>(name) : file.find<double, 1>(name, anodiff::shape<1>{count});
  std::vector<double> values(view.data(), view.data() + view.size());
  check<data_error>(std::ranges::all_of(values, [](double v) { return std::isfinite(v); }), file.name, ": tensor '",
                    name, "' holds a value that is not finite");
  return values;
}

}  // namespace detail

/// The method that a model file holds. Throws data_error where it is none, or was made by a newer version.
[[nodiscard]] inline std::string method_of(const formats::safetensors_file& file) {
  return detail::check_model_file(file);
}

}  // namespace anodiff
