// SPDX-License-Identifier: Apache-2.0
#include <anodiff/io/picture_evaluation.hpp>
#include <anodiff/runtime/any_picture_detector.hpp>
#include <cstdlib>
#include <filesystem>

#include "data.hpp"
#include "fit.hpp"
#include "pictures.hpp"

namespace anodiff::cli {

namespace {

json document(const fit_flags& flags, const any_picture_detector& made, double seconds, const std::string& stopped) {
  const auto record = made.record();
  return {{"method", made.method()},
          {"model", flags.out},
          {"pictures", record.rows},
          {"train_pictures", record.train_rows},
          {"calibration_pictures", record.calibration_rows},
          {"steps", record.steps},
          {"loss", record.loss},
          {"promised_rate", json_of(made.promised_rate())},
          {"threshold", json_of(made.threshold())},
          {"seconds", seconds},
          {"stopped_by", stopped.empty() ? json(nullptr) : json(stopped)}};
}

std::string summary(const fit_flags& flags, const any_picture_detector& made, const std::string& stopped) {
  const auto record = made.record();
  std::string out = concat(made.method(), ": ", record.rows, " pictures\nlearned from   ", record.train_rows,
                           " pictures, ", record.steps, " steps, loss ", short_number(record.loss));
  if (!stopped.empty()) out += concat(" (stopped by ", stopped, ")");
  if (const auto promised = made.promised_rate())
    out += concat("\ncalibrated on  ", record.calibration_rows, " pictures\nfalse alarms   ", per_cent(*promised),
                  " % promised, score above ", short_number(*made.threshold()));
  else
    out += "\nnot calibrated: no p-values, no alarms";
  return out + concat("\nsaved          ", flags.out, "\n");
}

}  // namespace

void fit_pictures(const fit_flags& flags) {
  console out{flags.common.quiet};
  auto made = any_picture_detector::make(flags.method, flags.numbers.fields(), flags.common.threads);
  check(flags.checkpoint_seconds >= 0, "--checkpoint-seconds: need a number of at least 0, got ",
        flags.checkpoint_seconds);
  check(!flags.mixed, "--mixed is for rows; ", flags.data.path, " is a folder of pictures");
  check_can_write(flags.out);
  if (!flags.checkpoint.empty()) check_can_write(flags.checkpoint);
  const io::picture_files pictures{readable(normal_pictures(flags.data.path), flags.skip_bad, out)};
  if (!flags.checkpoint.empty() && std::filesystem::exists(flags.checkpoint))
    out.note("goes on from the checkpoint ", flags.checkpoint);
  fit_watch watch{out, std::strtod(number_of(made.numbers(), "training.time_budget").c_str(), nullptr)};
  made.fit(pictures, {.progress = watch,
                      .columns = {},
                      .schema = {},
                      .checkpoint = flags.checkpoint,
                      .checkpoint_seconds = flags.checkpoint_seconds});
  made.save(flags.out);
  out.clear();
  const auto reason = watch.stopped_by(made.record().steps, number_of(made.numbers(), "training.steps"));
  std::error_code ignored;
  if (!flags.checkpoint.empty() && reason.empty())
    for (const std::string_view ending : {std::string_view{}, coarse_checkpoint})
      std::filesystem::remove(concat(flags.checkpoint, ending), ignored);
  if (flags.common.json)
    print(document(flags, made, watch.seconds(), reason));
  else
    print(summary(flags, made, reason));
}

}  // namespace anodiff::cli
