// SPDX-License-Identifier: Apache-2.0
#include <anodiff/io/picture_evaluation.hpp>
#include <anodiff/runtime/any_detector.hpp>
#include <anodiff/runtime/any_picture_detector.hpp>
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
  focus_flags focus;
};

template <class Detector>
void say(const calibrate_flags& flags, const Detector& model, index count, const std::string& unit, index left_out) {
  if (flags.common.json)
    return print(json{{"model", flags.out},
                      {unit, count},
                      {"left_out", left_out},
                      {"promised_rate", json_of(model.promised_rate())},
                      {"threshold", json_of(model.threshold())}});
  print(concat("calibrated on  ", count, " ", unit, "\nfalse alarms   ", per_cent(*model.promised_rate()),
               " % promised, score above ", short_number(*model.threshold()), "\nsaved          ", flags.out, "\n"));
}

void run(const calibrate_flags& flags) {
  console out{flags.common.quiet};
  refuse_focus(flags.focus, flags.data);
  check_can_write(flags.out);
  auto model = any_detector::load(flags.model, flags.common.threads);
  auto rows = read_rows_for(model, flags.data, out);
  match_columns(rows, flags.data, model, out);
  const index given = rows.rows();
  const auto normals = normal_rows(std::move(rows), out);
  model.calibrate(normals, flags.alpha);
  model.save(flags.out);
  say(flags, model, normals.rows(), "rows", given - normals.rows());
}

void run_pictures(const calibrate_flags& flags) {
  console out{flags.common.quiet};
  check_can_write(flags.out);
  auto model = any_picture_detector::load(flags.model, flags.common.threads);
  if (flags.focus.given()) model.narrow(read_focus(flags.focus));
  const io::picture_files normals{normal_pictures(flags.data.path)};
  const interruptible scope;
  model.calibrate(normals, flags.alpha, [&](const progress& p) {
    out.show(p);
    return interruptible::requested() == 0;
  });
  model.save(flags.out);
  out.clear();
  say(flags, model, normals.count(), "pictures", 0);
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
  add_focus(command, flags->focus);
  add_common(command, flags->common);
  command.callback([flags] { names_folder(flags->data.path) ? run_pictures(*flags) : run(*flags); });
}

}  // namespace anodiff::cli
