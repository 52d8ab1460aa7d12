// SPDX-License-Identifier: Apache-2.0
#include "fit.hpp"

#include <anodiff/runtime/any_detector.hpp>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string_view>

#include "data.hpp"

namespace anodiff::cli {

namespace {

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
  fit_watch watch{out, std::strtod(number_of(made.numbers(), "training.time_budget").c_str(), nullptr)};
  made.fit(normals, {.progress = watch,
                     .columns = std::move(columns),
                     .schema = std::move(schema),
                     .checkpoint = flags.checkpoint,
                     .checkpoint_seconds = flags.checkpoint_seconds});
  made.save(flags.out);
  out.clear();

  const auto reason = watch.stopped_by(made.record().steps, number_of(made.numbers(), "training.steps"));
  std::error_code ignored;
  if (!flags.checkpoint.empty() && reason.empty()) std::filesystem::remove(flags.checkpoint, ignored);
  if (flags.common.json)
    print(document(flags, made, given - normals.rows(), watch.seconds(), reason));
  else
    print(summary(flags, made, reason));
}

}  // namespace

std::string number_of(const text_fields& numbers, std::string_view name) {
  for (const auto& [key, value] : numbers)
    if (key == name) return value;
  return {};
}

bool fit_watch::operator()(const progress& p) {
  const bool training = std::string_view{p.stage}.starts_with("train"), asked = interruptible::requested() != 0;
  if (training && asked && !stopped_) {
    stopped_ = true;
    out_.note("stopped at step ", p.done, "; calibrating and saving what has been learned");
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
  add_common(command, flags->common);
  command.callback([flags] { std::filesystem::is_directory(flags->data.path) ? fit_pictures(*flags) : run(*flags); });
}

}  // namespace anodiff::cli
