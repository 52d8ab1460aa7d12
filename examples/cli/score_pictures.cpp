// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <anodiff/formats/csv_writer.hpp>
#include <anodiff/formats/npy.hpp>
#include <anodiff/formats/read_picture.hpp>
#include <anodiff/io/folder.hpp>
#include <anodiff/io/report.hpp>
#include <anodiff/io/report_picture.hpp>
#include <anodiff/runtime/any_picture_detector.hpp>
#include <filesystem>
#include <limits>

#include "console.hpp"
#include "data.hpp"
#include "pictures.hpp"
#include "score.hpp"

namespace anodiff::cli {

namespace {

struct scored_pictures {
  std::vector<std::string> paths;
  std::vector<double> score, p_value;
  std::vector<bool> is_anomaly;
  dropped_sums dropped;
};

void write_csv(const std::string& path, const scored_pictures& found, bool calibrated) {
  formats::write_file_atomically(path, [&](formats::file_sink& sink) {
    formats::csv_writer out{sink};
    for (const char* name : {"id", "score", "p_value", "is_anomaly"}) out.cell(name);
    out.end_row();
    for (std::size_t i = 0; i < found.score.size(); ++i) {
      out.cell(found.paths[i]);
      out.cell(found.score[i]);
      out.cell(calibrated ? found.p_value[i] : std::numeric_limits<double>::quiet_NaN());
      out.cell(!calibrated ? "" : found.is_anomaly[i] ? "1" : "0");
      out.end_row();
    }
    out.finish();
  });
}

}  // namespace

void score_pictures(const score_flags& flags) {
  console out{flags.common.quiet};
  const auto extension = extension_of(flags.out);
  check(extension == "npy" || extension == "csv", "--out: need a .npy or .csv file, got ", flags.out);
  check_can_write(flags.out);
  auto model = any_picture_detector::load(flags.model, flags.common.threads);
  if (flags.focus.given()) model.narrow(read_focus(flags.focus));
  std::optional<io::heat_map_options> drawing;
  if (!flags.maps.empty() || !flags.report.empty()) drawing = drawing_of(model);
  if (!flags.maps.empty()) std::filesystem::create_directories(flags.maps);
  if (!flags.report.empty()) check_can_write(flags.report);
  io::report page{.title = concat("anodiff: ", flags.data.path), .facts = report_facts(model)};
  page.threshold = model.threshold();
  scored_pictures found;
  found.paths = readable(all_pictures(flags.data.path), flags.skip_bad, out);
  const interruptible scope;
  for (const auto& path : found.paths) {
    const auto picture = formats::to_unit(formats::read_picture(path));
    const auto one = model.score(picture, path);
    found.score.push_back(one.score);
    found.p_value.push_back(one.p_value);
    found.is_anomaly.push_back(one.is_anomaly);
    const auto name = name_below(flags.data.path, path);
    const auto counts = model.counted(picture.extent(0), picture.extent(1));
    if (drawing) drawing->regions.interest = counts;
    found.dropped.add(one);
    if (!flags.maps.empty()) (void)io::write_heat_map(flags.maps, name, picture, one.map, *drawing);
    if (!flags.report.empty()) {
      auto& shown = page.pictures.emplace_back(io::make_report_picture(name, picture, {}, one.map, *drawing));
      shown.score = one.score;
      shown.p_value = one.p_value;
      shown.is_anomaly = one.is_anomaly;
      dropped_sums own;
      own.add(one);
      shown.remark = own.text(model.minimum_area());
    }
    out.show({.stage = "score",
              .done = static_cast<index>(found.score.size()),
              .total = static_cast<index>(found.paths.size())});
    if (const int signal = interruptible::requested()) throw interrupted{signal};
  }
  if (extension == "npy")
    formats::write_npy(flags.out, std::span<const double>{found.score});
  else
    write_csv(flags.out, found, model.promised_rate().has_value());
  if (const auto text = found.dropped.text(model.minimum_area()); !text.empty())
    page.facts.emplace_back("dropped", text);
  if (!flags.report.empty()) io::write_report(flags.report, page);
  out.clear();

  const auto alarms = std::ranges::count(found.is_anomaly, true);
  const auto promised = model.promised_rate();
  if (flags.common.json) {
    json document{{"model", flags.model},
                  {"data", flags.data.path},
                  {"out", flags.out},
                  {"pictures", found.score.size()},
                  {"alarms", promised ? json(alarms) : json(nullptr)},
                  {"promised_rate", json_of(promised)},
                  {"threshold", json_of(model.threshold())}};
    found.dropped.add_to(document);
    return print(document);
  }
  std::string text = concat(found.score.size(), " pictures scored");
  if (promised)
    text += concat(", ", alarms, alarms == 1 ? " alarm" : " alarms", " (a score above ",
                   short_number(*model.threshold()), "; ", per_cent(*promised), " % of normal pictures raise one)");
  if (const auto dropped = found.dropped.text(model.minimum_area()); !dropped.empty()) text += "\n" + dropped;
  print(text + concat("\nsaved ", flags.out, "\n"));
}

}  // namespace anodiff::cli
