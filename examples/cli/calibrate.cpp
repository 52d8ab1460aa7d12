// SPDX-License-Identifier: Apache-2.0
#include <anodiff/io/picture_evaluation.hpp>
#include <anodiff/runtime/any_detector.hpp>
#include <anodiff/runtime/any_picture_detector.hpp>
#include <filesystem>
#include <memory>

#include "command.hpp"
#include "console.hpp"
#include "data.hpp"
#include "pictures.hpp"

namespace anodiff::cli {

namespace {

struct calibrate_flags {
  common_flags common;
  data_flags data;
  std::string model, out;
  double alpha = 0;
};

void run(const calibrate_flags& flags) {
  console out{flags.common.quiet};
  check_can_write(flags.out);
  auto model = any_detector::load(flags.model, flags.common.threads);
  auto rows = read_rows_for(model, flags.data, out);
  match_columns(rows, flags.data, model, out);
  const index given = rows.rows();
  const auto normals = normal_rows(std::move(rows), out);
  model.calibrate(normals, flags.alpha);
  model.save(flags.out);
  if (flags.common.json)
    return print(json{{"model", flags.out},
                      {"rows", normals.rows()},
                      {"left_out", given - normals.rows()},
                      {"promised_rate", json_of(model.promised_rate())},
                      {"threshold", json_of(model.threshold())}});
  print(concat("calibrated on  ", normals.rows(), " rows\nfalse alarms   ", per_cent(*model.promised_rate()),
               " % promised, score above ", short_number(*model.threshold()), "\nsaved          ", flags.out, "\n"));
}

void run_pictures(const calibrate_flags& flags) {
  console out{flags.common.quiet};
  check_can_write(flags.out);
  auto model = any_picture_detector::load(flags.model, flags.common.threads);
  const io::picture_files normals{normal_pictures(flags.data.path)};
  const interruptible scope;
  model.calibrate(normals, flags.alpha, [&](const progress& p) {
    out.show(p);
    return interruptible::requested() == 0;
  });
  model.save(flags.out);
  out.clear();
  if (flags.common.json)
    return print(json{{"model", flags.out},
                      {"pictures", normals.count()},
                      {"promised_rate", json_of(model.promised_rate())},
                      {"threshold", json_of(model.threshold())}});
  print(concat("calibrated on  ", normals.count(), " pictures\nfalse alarms   ", per_cent(*model.promised_rate()),
               " % promised, score above ", short_number(*model.threshold()), "\nsaved          ", flags.out, "\n"));
}

}  // namespace

void add_calibrate(CLI::App& program) {
  auto& command = *program.add_subcommand("calibrate", "Set a model's threshold anew, from normal rows; no refit");
  const auto flags = std::make_shared<calibrate_flags>();
  command.add_option("MODEL", flags->model, "What `anodiff fit` has saved")->required();
  add_data(command, flags->data,
           "Normal rows, or a folder of normal pictures, that the model has not learned from; where rows have labels, "
           "those with 0");
  command.add_option("--alpha", flags->alpha, "Promised rate of false alarms, in (0, 1)")->required()->type_name("A");
  command.add_option("--out", flags->out, "Model file to write")->required()->type_name("FILE");
  add_common(command, flags->common);
  command.callback([flags] { std::filesystem::is_directory(flags->data.path) ? run_pictures(*flags) : run(*flags); });
}

}  // namespace anodiff::cli
