// SPDX-License-Identifier: Apache-2.0
#include "score.hpp"

#include <anodiff/formats/csv_writer.hpp>
#include <anodiff/formats/npy.hpp>
#include <anodiff/runtime/any_detector.hpp>
#include <limits>
#include <memory>
#include <numeric>

#include "console.hpp"
#include "data.hpp"

namespace anodiff::cli {

namespace {

void write_csv(const std::string& path, const formats::table& rows, const detection& found) {
  formats::write_file_atomically(path, [&](formats::file_sink& sink) {
    formats::csv_writer out{sink};
    for (const char* name : {rows.has_ids ? "id" : "row", "score", "p_value", "is_anomaly"}) out.cell(name);
    out.end_row();
    const bool calibrated = !found.p_value.empty();
    for (std::size_t i = 0; i < found.score.size(); ++i) {
      out.cell(row_name(rows, static_cast<index>(i)));
      out.cell(found.score[i]);
      out.cell(calibrated ? found.p_value[i] : std::numeric_limits<double>::quiet_NaN());
      if (calibrated)
        out.cell(found.is_anomaly[i]);
      else
        out.cell("");
      out.end_row();
    }
    out.finish();
  });
}

void run(const score_flags& flags) {
  console out{flags.common.quiet};
  check(flags.maps.empty() && flags.report.empty(), "--maps and --report are for folders of pictures; ",
        flags.data.path, " is none");
  refuse_focus(flags.focus, flags.data);
  const auto extension = extension_of(flags.out);
  check(extension == "npy" || extension == "csv", "--out: need a .npy or .csv file, got ", flags.out);
  check_can_write(flags.out);
  const auto model = any_detector::load(flags.model, flags.common.threads);
  auto rows = read_rows_for(model, flags.data, out);
  match_columns(rows, flags.data, model, out);

  const auto found = [&] {
    const interruptible scope;
    return model.score(rows.values, false, [&](const progress& p) {
      out.show(p);
      return interruptible::requested() == 0;
    });
  }();
  if (extension == "npy")
    formats::write_npy(flags.out, std::span<const double>{found.score});
  else
    write_csv(flags.out, rows, found);
  out.clear();

  const auto alarms = std::accumulate(found.is_anomaly.begin(), found.is_anomaly.end(), index{0});
  const auto promised = model.promised_rate();
  if (flags.common.json)
    return print(json{{"model", flags.model},
                      {"data", flags.data.path},
                      {"out", flags.out},
                      {"rows", found.size()},
                      {"alarms", promised ? json(alarms) : json(nullptr)},
                      {"promised_rate", json_of(promised)},
                      {"threshold", json_of(model.threshold())}});
  std::string text = concat(found.size(), " rows scored");
  if (promised)
    text += concat(", ", alarms, alarms == 1 ? " alarm" : " alarms", " (a score above ",
                   short_number(*model.threshold()), "; ", per_cent(*promised), " % of normal rows raise one)");
  print(text + concat("\nsaved ", flags.out, "\n"));
}

}  // namespace

void add_score(CLI::App& program) {
  auto& command = *program.add_subcommand("score", "Score each row or picture: higher is more anomalous");
  const auto flags = std::make_shared<score_flags>();
  command.add_option("MODEL", flags->model, "What `anodiff fit` has saved")->required();
  add_data(command, flags->data, "Rows to score: .csv, .npy or .npz; or a folder of pictures");
  command.add_option("--out", flags->out, "Scores: .npy (float64), or .csv (id, score, p_value, is_anomaly)")
      ->required()
      ->type_name("FILE");
  command
      .add_option("--maps", flags->maps, "Folder for each picture's map: .npy, .tif, .png, and .json with its regions")
      ->type_name("FOLDER");
  command.add_option("--report", flags->report, "A page to look at, for a folder of pictures")->type_name("FILE.html");
  add_focus(command, flags->focus);
  command.add_flag("--skip-bad", flags->skip_bad, "Leave out files of a folder that cannot be read as pictures");
  add_common(command, flags->common);
  command.callback([flags] { names_folder(flags->data.path) ? score_pictures(*flags) : run(*flags); });
}

}  // namespace anodiff::cli
