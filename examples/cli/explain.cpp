// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <anodiff/formats/describe_columns.hpp>
#include <anodiff/pipeline/protocol.hpp>
#include <anodiff/runtime/any_detector.hpp>
#include <cmath>
#include <memory>
#include <numeric>

#include "console.hpp"
#include "data.hpp"
#include "explain.hpp"
#include "pictures.hpp"

namespace anodiff::cli {

std::vector<index> highest(const std::vector<double>& score, index count) {
  std::vector<index> order(score.size());
  std::iota(order.begin(), order.end(), index{0});
  const auto kept = order.begin() + std::min<std::ptrdiff_t>(count, static_cast<std::ptrdiff_t>(order.size()));
  std::partial_sort(order.begin(), kept, order.end(), [&](index a, index b) {
    const double left = score[static_cast<std::size_t>(a)], right = score[static_cast<std::size_t>(b)];
    return left != right ? left > right : a < b;
  });
  order.erase(kept, order.end());
  return order;
}

namespace {

/// The features of one row, largest evidence first; a share is of all the evidence that speaks against the row.
json features_of(std::span<const float> evidence, std::span<const double> values, const any_detector& model,
                 const std::vector<std::string>& names, const std::vector<formats::column_schema>& schema,
                 index count) {
  std::vector<double> strength(evidence.begin(), evidence.end());
  double total = 0;
  for (const double e : strength) total += std::max(0.0, e);
  json out = json::array();
  for (const index j : highest(strength, count == 0 ? static_cast<index>(strength.size()) : count)) {
    const auto at = static_cast<std::size_t>(j);
    json feature{{"name", names[at]},
                 {"evidence", strength[at]},
                 {"share", total > 0 ? std::max(0.0, strength[at]) / total : 0.0}};
    if (!schema.empty() && schema[at].kind == formats::column_kind::categorical) {
      const auto name = [&](double code) {
        return std::isnan(code) ? json(nullptr) : json(formats::detail::category_name(schema[at], code));
      };
      feature["value"] = name(values[at]);
      feature["normal_most"] = name(model.column_means()[at]);
    } else {
      feature["value"] = values[at];
      feature["normal_mean"] = model.column_means()[at];
      feature["normal_sd"] = model.column_scales()[at];
    }
    out.push_back(std::move(feature));
  }
  return out;
}

std::string text_of(const json& rows, std::size_t name_width) {
  std::string out;
  for (const auto& row : rows) {
    out += concat(out.empty() ? "" : "\n", row.begin().key(), " ", row.begin()->dump(), ": score ",
                  short_number(row["score"].get<double>()));
    if (!row["p_value"].is_null())
      out += concat(", p-value ", short_number(row["p_value"].get<double>()),
                    row["is_anomaly"].get<bool>() ? ", anomaly" : ", no alarm");
    out += "\n";
    for (const auto& feature : row["features"]) {
      const auto& value = feature["value"];
      const auto shown = value.is_string()                                    ? value.get<std::string>()
                         : value.is_null() || std::isnan(value.get<double>()) ? std::string{"missing"}
                                                                              : short_number(value.get<double>());
      out += concat("  ", pad_right(feature["name"].get<std::string>(), name_width), " ",
                    pad_left(per_cent(feature["share"].get<double>()), 6), " %   ", pad_left(shown, 12), "   normal ");
      out += feature.contains("normal_most") ? concat("mostly ", feature["normal_most"].get<std::string>(), "\n")
                                             : concat(short_number(feature["normal_mean"].get<double>()), " ± ",
                                                      short_number(feature["normal_sd"].get<double>()), "\n");
    }
  }
  return out;
}

void run(const explain_flags& flags) {
  console out{flags.common.quiet};
  refuse_focus(flags.focus, flags.data);
  check(flags.maps.empty() && !flags.threshold, "--maps and --threshold are for pictures; ", flags.data.path,
        " is none");
  check(flags.top >= 1, "--top: need at least 1 row, got ", flags.top);
  check(flags.features >= 0, "--features: need at least 0, got ", flags.features);
  const auto model = any_detector::load(flags.model, flags.common.threads);
  auto rows = read_rows_for(model, flags.data, out);
  match_columns(rows, flags.data, model, out);
  const auto record = model.record();
  const auto& names = record.columns.empty() ? rows.columns : record.columns;

  const auto all = model.score(rows.values, false, [&](const progress& p) { out.show(p); });
  const auto chosen = highest(all.score, flags.top);
  const auto values = take_rows(rows.values, chosen);
  const auto found = model.score(values);
  json result = json::array();
  std::size_t name_width = 0;
  for (index i = 0; i < found.size(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    json row = rows.has_ids ? json{{"id", row_name(rows, chosen[at])}} : json{{"row", chosen[at] + 1}};
    row["score"] = found.score[at];
    row["p_value"] = found.p_value.empty() ? json(nullptr) : json(found.p_value[at]);
    row["is_anomaly"] = found.is_anomaly.empty() ? json(nullptr) : json(found.is_anomaly[at] != 0);
    row["features"] = features_of(found.map(i), values.row(i), model, names, record.schema, flags.features);
    for (const auto& feature : row["features"])
      name_width = std::max(name_width, feature["name"].get_ref<const std::string&>().size());
    result.push_back(std::move(row));
  }
  out.clear();
  if (flags.common.json)
    print(json{{"model", flags.model}, {"data", flags.data.path}, {"rows", std::move(result)}});
  else
    print(text_of(result, name_width));
}

}  // namespace

void add_explain(CLI::App& program) {
  auto& command = *program.add_subcommand(
      "explain", "Show the most anomalous rows or pictures, and the features or regions that make them so");
  const auto flags = std::make_shared<explain_flags>();
  command.add_option("MODEL", flags->model, "What `anodiff fit` has saved")->required();
  add_data(command, flags->data, "Rows to look at: .csv, .npy or .npz; or a picture, or a folder of them");
  command.add_option("--top", flags->top, "Rows or pictures to show")->type_name("K");
  command.add_option("--features", flags->features, "Features to show of a row; 0 = all")->type_name("K");
  command.add_option("--regions", flags->regions, "Regions to show of a picture")->type_name("K");
  command.add_option("--threshold", flags->threshold, "Above which a picture's regions lie; as a rule the model's")
      ->type_name("T");
  command.add_option("--maps", flags->maps, "Folder for the maps of the pictures shown: .npy, .tif, .png, and .json")
      ->type_name("FOLDER");
  command.add_flag("--skip-bad", flags->skip_bad, "Leave out files of a folder that cannot be read as pictures");
  add_focus(command, flags->focus);
  add_common(command, flags->common);
  command.callback([flags] { names_pictures(flags->data.path) ? explain_pictures(*flags) : run(*flags); });
}

}  // namespace anodiff::cli
