// SPDX-License-Identifier: Apache-2.0
#include <anodiff/io/picture_evaluation.hpp>
#include <anodiff/runtime/any_picture_detector.hpp>
#include <cstdlib>
#include <filesystem>

#include "data.hpp"
#include "fit.hpp"
#include "pictures.hpp"

namespace anodiff::cli {

void fit_pictures(const fit_flags& flags) {
  console out{flags.common.quiet};
  auto made = any_picture_detector::make(flags.method, flags.numbers.fields(), flags.common.threads);
  check(flags.checkpoint_seconds >= 0, "--checkpoint-seconds: need a number of at least 0, got ",
        flags.checkpoint_seconds);
  check(!flags.mixed, "--mixed is for rows; ", flags.data.path, " is a folder of pictures");
  check_can_write(flags.out);
  if (!flags.checkpoint.empty()) check_can_write(flags.checkpoint);
  if (flags.focus.given()) made.narrow(read_focus(flags.focus));
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
  const auto found = outcome_of(made, watch, "pictures");
  std::error_code ignored;
  if (!flags.checkpoint.empty() && found.stopped_by.empty())
    for (const std::string_view ending : {std::string_view{}, coarse_checkpoint})
      std::filesystem::remove(concat(flags.checkpoint, ending), ignored);
  if (flags.common.json)
    print(found.document(flags.out));
  else
    print(found.text(concat(found.record.rows, " pictures"), flags.out));
}

}  // namespace anodiff::cli
