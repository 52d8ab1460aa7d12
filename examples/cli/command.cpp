// SPDX-License-Identifier: Apache-2.0
#include "command.hpp"

namespace anodiff::cli {

text_fields number_flags::fields() const {
  text_fields out;
  for (const auto& pair : pairs) {
    const auto equals = pair.find('=');
    check(equals != std::string::npos && equals > 0, "--set: need NAME=VALUE, got '", pair, "'");
    out.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
  }
  if (alpha) out.emplace_back("calibration.alpha", *alpha);
  if (time_budget) out.emplace_back("training.time_budget", *time_budget);
  if (seed) out.emplace_back("seed", *seed);
  return out;
}

void add_common(CLI::App& command, common_flags& flags) {
  command.add_option("--threads", flags.threads, "Threads to work on; 0 = one a core")
      ->check(CLI::Range(0, 4096))
      ->type_name("N");
  command.add_flag("--json", flags.json, "Give the result as one JSON document");
  command.add_flag("--quiet", flags.quiet, "No remarks and no progress on the standard error");
}

void add_data(CLI::App& command, data_flags& flags, const std::string& what) {
  command.add_option("--data", flags.path, what)->required()->type_name("FILE");
  command.add_option("--id", flags.id_column, "CSV column that names the rows; no feature")->type_name("COLUMN");
  command.add_option("--label", flags.label_column, "Column (npz: array) of 0 and 1, 1 = anomaly; no feature")
      ->type_name("COLUMN");
}

void add_focus(CLI::App& command, focus_flags& flags) {
  command
      .add_option("--interest", flags.interest,
                  "A picture of the size of all others: only where it is bright do pixels raise an alarm")
      ->type_name("FILE");
  command.add_option("--minimum-area", flags.minimum_area, "Pixels below which a region of a map raises no alarm")
      ->type_name("N");
}
void refuse_focus(const focus_flags& flags, const data_flags& data) {
  check(!flags.given(), "--interest and --minimum-area are for folders of pictures; ", data.path, " is none");
}

}  // namespace anodiff::cli
