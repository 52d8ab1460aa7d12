// SPDX-License-Identifier: Apache-2.0
#include "fit.hpp"

#include <anodiff/runtime/any_detector.hpp>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string_view>

#include "data.hpp"
#include "pictures.hpp"

namespace anodiff::cli {

namespace {

void run(const fit_flags& flags) {
  console out{flags.common.quiet};
  refuse_file(flags.method, flags.data.path);
  const auto make = [&](row_values values) {
    return any_detector::make(flags.method, flags.numbers.fields(), flags.common.threads, values);
  };
  auto made = make(flags.mixed ? row_values::mixed : row_values::numbers);
  refuse_focus(flags.focus, flags.data);
  check(flags.checkpoint_seconds >= 0, "--checkpoint-seconds: need a number of at least 0, got ",
        flags.checkpoint_seconds);
  check_can_write(flags.out);
  if (!flags.checkpoint.empty()) check_can_write(flags.checkpoint);
  auto rows = read_rows_to_learn(flags.data, flags.mixed, out);
  if (!rows.schema.empty()) made = make(row_values::mixed);
  auto schema = rows.schema;
  const index given = rows.rows();
  auto columns = names_columns(flags.data.path) ? rows.columns : std::vector<std::string>{};
  const auto normals = normal_rows(std::move(rows), out);

  if (!flags.checkpoint.empty() && std::filesystem::exists(flags.checkpoint))
    out.note("goes on from the checkpoint ", flags.checkpoint);
  fit_watch watch{out, std::strtod(number_of(made.numbers(), "training.time_budget").c_str(), nullptr)};
  made.fit(normals, {.progress = watch,
                     .columns = std::move(columns),
                     .schema = std::move(schema),
                     .checkpoint = flags.checkpoint,
                     .checkpoint_seconds = flags.checkpoint_seconds});
  made.save(flags.out);
  out.clear();

  const auto found = outcome_of(made, watch, "rows");
  std::error_code ignored;
  if (!flags.checkpoint.empty() && found.stopped_by.empty()) std::filesystem::remove(flags.checkpoint, ignored);
  const auto width = made.column_means().size();
  if (!flags.common.json) return print(found.text(concat(found.record.rows, " rows, ", width, " columns"), flags.out));
  auto document = found.document(flags.out);
  document["left_out"] = given - normals.rows();
  document["columns"] = width;
  document["validation_rows"] = found.record.validation_rows;
  document["validation"] = found.record.validation;
  print(document);
}

}  // namespace

std::string number_of(const text_fields& numbers, std::string_view name) {
  for (const auto& [key, value] : numbers)
    if (key == name) return value;
  return {};
}

json fit_outcome::document(const std::string& model) const {
  return {{"method", method},
          {"model", model},
          {unit, record.rows},
          {concat("train_", unit), record.train_rows},
          {concat("calibration_", unit), record.calibration_rows},
          {"steps", record.steps},
          {"loss", record.loss},
          {"promised_rate", json_of(promised)},
          {"threshold", json_of(threshold)},
          {"seconds", seconds},
          {"stopped_by", stopped_by.empty() ? json(nullptr) : json(stopped_by)}};
}
std::string fit_outcome::text(const std::string& head, const std::string& model) const {
  std::string out = concat(method, ": ", head, "\nlearned from   ", record.train_rows, " ", unit);
  if (record.steps > 0) out += concat(", ", record.steps, " steps, loss ", short_number(record.loss));
  if (record.steps > 0 && record.validation_rows > 0)
    out += concat(", validation loss ", short_number(record.validation), " on ", record.validation_rows, " ", unit);
  if (!stopped_by.empty()) out += concat(" (stopped by ", stopped_by, ")");
  if (promised)
    out += concat("\ncalibrated on  ", record.calibration_rows, " ", unit, "\nfalse alarms   ", per_cent(*promised),
                  " % promised, score above ", short_number(*threshold));
  else
    out += "\nnot calibrated: no p-values, no alarms";
  return out + concat("\nsaved          ", model, "\n");
}

bool fit_watch::operator()(const progress& p) {
  const bool training = std::string_view{p.stage}.starts_with("train"), asked = interruptible::requested() != 0;
  if (training && asked && !stopped_) {
    stopped_ = true;
    out_.note("stopped at step ", p.done,
              std::string_view{p.stage} == "train coarse" ? " of the coarser scales' network" : "",
              "; calibrating and saving what has been learned");
  }
  trained_ = trained_ || training;
  out_.show(p, limit_);
  return !asked || (trained_ && !training);
}
std::string fit_watch::stopped_by(index steps, const std::string& wanted) const {
  if (stopped_) return "Ctrl-C";
  return steps > 0 && concat(steps) != wanted ? "the time budget" : "";
}
double fit_watch::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count();
}

void add_fit(CLI::App& program) {
  auto& command =
      *program.add_subcommand("fit", "Learn what normal rows or pictures look like, calibrate, and save the model");
  const auto flags = std::make_shared<fit_flags>();
  command.add_option("METHOD", flags->method, "One of those that `anodiff methods` lists")->required();
  add_data(command, flags->data,
           "Normal rows: .csv, .npy or .npz; where rows have labels, those with 0. Or a folder of pictures");
  command.add_option("--out", flags->out, "Model file to write")->required()->type_name("FILE");
  command.add_option("--alpha", flags->numbers.alpha, "Promised rate of false alarms, in (0, 1)")->type_name("A");
  command.add_option("--time-budget", flags->numbers.time_budget, "Seconds after which training stops")->type_name("S");
  command.add_option("--seed", flags->numbers.seed, "Of everything random")->type_name("N");
  command.add_option("--set", flags->numbers.pairs, "A number of the method; `anodiff methods METHOD` lists them")
      ->type_name("NAME=VALUE");
  command.add_flag("--mixed", flags->mixed,
                   "Take missing values; a CSV file with columns of text is mixed without this");
  command.add_option("--checkpoint", flags->checkpoint, "File from which a broken-off fit goes on")->type_name("FILE");
  command.add_option("--checkpoint-seconds", flags->checkpoint_seconds, "Between two writes of it")->type_name("S");
  command.add_flag("--skip-bad", flags->skip_bad, "Leave out files of a folder that cannot be read as pictures");
  add_focus(command, flags->focus);
  add_common(command, flags->common);
  command.callback([flags] { names_folder(flags->data.path) ? fit_pictures(*flags) : run(*flags); });
}

}  // namespace anodiff::cli
