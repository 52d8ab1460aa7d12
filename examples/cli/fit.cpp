// SPDX-License-Identifier: Apache-2.0
#include <anodiff/runtime/any_detector.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string_view>

#include "command.hpp"
#include "console.hpp"
#include "data.hpp"

namespace anodiff::cli {

namespace {

struct fit_flags {
  common_flags common;
  data_flags data;
  number_flags numbers;
  std::string method, out, checkpoint;
  double checkpoint_seconds = 30;
  bool mixed = false;
};

std::string number_of(const any_detector& made, std::string_view name) {
  for (const auto& [key, value] : made.numbers())
    if (key == name) return value;
  return {};
}

/// What ended the training early; empty where nothing did.
std::string stopped_by(const any_detector& made, bool stopped) {
  if (stopped) return "Ctrl-C";
  const auto steps = made.record().steps;
  return steps > 0 && concat(steps) != number_of(made, "training.steps") ? "the time budget" : "";
}

json document(const fit_flags& flags, const any_detector& made, index left_out, double seconds,
              const std::string& stopped) {
  const auto record = made.record();
  return {{"method", made.method()},
          {"model", flags.out},
          {"rows", record.rows},
          {"left_out", left_out},
          {"columns", made.column_means().size()},
          {"train_rows", record.train_rows},
          {"validation_rows", record.validation_rows},
          {"calibration_rows", record.calibration_rows},
          {"steps", record.steps},
          {"loss", record.loss},
          {"validation", record.validation},
          {"promised_rate", json_of(made.promised_rate())},
          {"threshold", json_of(made.threshold())},
          {"seconds", seconds},
          {"stopped_by", stopped.empty() ? json(nullptr) : json(stopped)}};
}

std::string summary(const fit_flags& flags, const any_detector& made, const std::string& stopped) {
  const auto record = made.record();
  std::string out = concat(made.method(), ": ", record.rows, " rows, ", made.column_means().size(), " columns\n");
  out += concat("learned from   ", record.train_rows, " rows");
  if (record.steps > 0) out += concat(", ", record.steps, " steps, loss ", short_number(record.loss));
  if (record.steps > 0 && record.validation_rows > 0)
    out += concat(", validation loss ", short_number(record.validation), " on ", record.validation_rows, " rows");
  if (!stopped.empty()) out += concat(" (stopped by ", stopped, ")");
  if (const auto promised = made.promised_rate())
    out += concat("\ncalibrated on  ", record.calibration_rows, " rows\nfalse alarms   ", per_cent(*promised),
                  " % promised, score above ", short_number(*made.threshold()));
  else
    out += "\nnot calibrated: no p-values, no alarms";
  return out + concat("\nsaved          ", flags.out, "\n");
}

void run(const fit_flags& flags) {
  console out{flags.common.quiet};
  const auto make = [&](row_values values) {
    return any_detector::make(flags.method, flags.numbers.fields(), flags.common.threads, values);
  };
  auto made = make(flags.mixed ? row_values::mixed : row_values::numbers);
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
  const auto start = std::chrono::steady_clock::now();
  bool stopped = false, trained = false;
  const interruptible scope;
  const double budget = std::strtod(number_of(made, "training.time_budget").c_str(), nullptr);
  const auto report = [&](const progress& p) {
    const bool training = std::string_view{p.stage} == "train", asked = interruptible::requested() != 0;
    if (training && asked && !stopped) {
      stopped = true;
      out.note("stopped at step ", p.done, "; calibrating and saving what has been learned");
    }
    trained = trained || training;
    out.show(p, budget);
    return !asked || (trained && !training);  // what was trained is worth its calibration
  };
  made.fit(normals, {.progress = report,
                     .columns = std::move(columns),
                     .schema = std::move(schema),
                     .checkpoint = flags.checkpoint,
                     .checkpoint_seconds = flags.checkpoint_seconds});
  made.save(flags.out);
  out.clear();

  const auto reason = stopped_by(made, stopped);
  std::error_code ignored;
  if (!flags.checkpoint.empty() && reason.empty()) std::filesystem::remove(flags.checkpoint, ignored);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (flags.common.json)
    print(document(flags, made, given - normals.rows(), seconds, reason));
  else
    print(summary(flags, made, reason));
}

}  // namespace

void add_fit(CLI::App& program) {
  auto& command = *program.add_subcommand("fit", "Learn what normal rows look like, calibrate, and save the model");
  const auto flags = std::make_shared<fit_flags>();
  command.add_option("METHOD", flags->method, "One of those that `anodiff methods` lists")->required();
  add_data(command, flags->data, "Normal rows: .csv, .npy or .npz; where rows have labels, those with 0");
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
  add_common(command, flags->common);
  command.callback([flags] { run(*flags); });
}

}  // namespace anodiff::cli
