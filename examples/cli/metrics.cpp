// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <anodiff/formats/bytes.hpp>
#include <anodiff/metrics/average_precision.hpp>
#include <anodiff/metrics/f1.hpp>
#include <anodiff/metrics/intervals.hpp>
#include <fstream>
#include <memory>

#include "command.hpp"
#include "console.hpp"
#include "data.hpp"

namespace anodiff::cli {

namespace {

struct metrics_flags {
  bool json = false;
  data_flags labels;
  std::string scores;
  metrics::bootstrap_params intervals;
};

/// True where a CSV file's first column is called id, as in what `score` writes.
bool begins_with_ids(const std::string& path) {
  std::string header;
  std::getline(std::ifstream{path}, header);
  return header.starts_with("id,") || header.starts_with("id;");
}

/// The column of that name. Where the user has not named it, the only column will do.
std::vector<double> column_of(const formats::table& rows, const std::string& name, bool asked_for) {
  const auto at = std::ranges::find(rows.columns, name);
  const bool named = at != rows.columns.end(), alone = rows.columns.size() == 1;
  check<data_error>(named || !asked_for, rows.name, ": needs a column ", formats::in_quotes(name), ", got none");
  check<data_error>(named || alone, rows.name, ": needs one column, or one named ", formats::in_quotes(name), ", got ",
                    rows.columns.size(), " others");
  const index j = named ? at - rows.columns.begin() : 0;
  std::vector<double> out(static_cast<std::size_t>(rows.rows()));
  for (index i = 0; i < rows.rows(); ++i) out[static_cast<std::size_t>(i)] = rows.values(i, j);
  return out;
}

/// In a CSV file the labels are read as a plain column: a file of ids and labels has no other.
formats::table read_labels(data_flags flags) {
  if (names_columns(flags.path)) flags.label_column.clear();
  return read_rows(flags, true);
}
std::vector<int> labels_of(const formats::table& rows, const std::string& label_column) {
  if (rows.has_labels) return rows.labels;
  std::vector<int> out;
  const bool asked_for = !label_column.empty();
  for (const double value : column_of(rows, asked_for ? label_column : "label", asked_for)) {
    check<data_error>(value == 0 || value == 1, rows.name, ": row ", out.size() + 1, ": need a label 0 or 1, got ",
                      value);
    out.push_back(value == 1 ? 1 : 0);
  }
  return out;
}

/// Scores and labels must speak of the same rows in the same order.
void check_same_rows(const formats::table& scores, const formats::table& labels) {
  check<data_error>(scores.rows() == labels.rows(), scores.name, " has ", scores.rows(), " scores, but ", labels.name,
                    " has ", labels.rows(), " labels");
  if (!scores.has_ids || !labels.has_ids) return;
  const auto differ = std::ranges::mismatch(scores.ids, labels.ids);
  check<data_error>(differ.in1 == scores.ids.end(), scores.name, ": row ", differ.in1 - scores.ids.begin() + 1,
                    " has the id ", differ.in1 == scores.ids.end() ? "" : formats::in_quotes(*differ.in1), ", but ",
                    labels.name, " has ", differ.in2 == labels.ids.end() ? "" : formats::in_quotes(*differ.in2));
}

void run(const metrics_flags& flags) {
  const auto scores = read_rows({flags.scores, begins_with_ids(flags.scores) ? "id" : "", ""}, true);
  const auto labels = read_labels(flags.labels);
  check_same_rows(scores, labels);
  const auto truth = labels_of(labels, flags.labels.label_column);
  const metrics::ranking ranked{column_of(scores, "score", false), truth, "metrics"};

  json out{{"scores", flags.scores},
           {"labels", flags.labels.path},
           {"n", scores.rows()},
           {"anomalies", ranked.positives()},
           {"level", flags.intervals.level}};
  const auto add = [&](const char* name, double value, const metrics::interval& range) {
    out[name] = {{"value", value}, {"lower", range.lower}, {"upper", range.upper}};
  };
  const auto add_resampled = [&](const char* name, auto&& metric) {
    add(name, metric(ranked), metrics::bootstrap_interval(ranked, metric, flags.intervals));
  };
  add("auroc", metrics::auroc(ranked), metrics::auroc_interval(ranked, flags.intervals.level));
  add_resampled("ap", [](const metrics::ranking& r) { return metrics::average_precision(r); });
  add_resampled("f1", [](const metrics::ranking& r) { return metrics::f1_at_n(r); });
  add_resampled("f1_max", [](const metrics::ranking& r) { return metrics::f1_max(r); });
  if (flags.json) return print(out);

  std::string text = concat(scores.rows(), " rows, ", ranked.positives(), " anomalies; per cent, with ",
                            short_number(100 * flags.intervals.level), " % intervals\n");
  const auto line = [&](const char* title, const char* name, const char* remark) {
    const auto& one = out[name];
    const auto cell = [&](const char* key) { return pad_left(per_cent(one[key].get<double>()), 6); };
    text += concat(pad_right(title, 8), cell("value"), "   ", cell("lower"), " to ", cell("upper"), remark, "\n");
  };
  line("AUROC", "auroc", "");
  line("AP", "ap", "");
  line("F1", "f1", "   alarms on as many rows as there are anomalies");
  line("F1-max", "f1_max", "   threshold chosen with the labels: an upper bound");
  print(text);
}

}  // namespace

void add_metrics(CLI::App& program) {
  auto& command = *program.add_subcommand("metrics", "Measure scores against labels, with intervals");
  const auto flags = std::make_shared<metrics_flags>();
  command.add_option("--scores", flags->scores, "Scores: .npy, or .csv with a column `score`")
      ->required()
      ->type_name("FILE");
  command.add_option("--labels", flags->labels.path, "Labels of 0 and 1, 1 = anomaly: .npy, .npz (y) or .csv")
      ->required()
      ->type_name("FILE");
  command.add_option("--label", flags->labels.label_column, "Column of --labels that holds them")->type_name("COLUMN");
  command
      .add_option("--id", flags->labels.id_column, "Column of --labels that names the rows; compared with the scores")
      ->type_name("COLUMN");
  command.add_option("--level", flags->intervals.level, "Of the intervals, in (0, 1)")->type_name("L");
  command.add_option("--resamples", flags->intervals.resamples, "Of the bootstrap (all but AUROC)")->type_name("N");
  command.add_option("--seed", flags->intervals.seed, "Of the bootstrap")->type_name("N");
  command.add_flag("--json", flags->json, "Give the result as one JSON document");
  command.callback([flags] { run(*flags); });
}

}  // namespace anodiff::cli
