// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <anodiff/formats/read_picture.hpp>
#include <anodiff/io/folder.hpp>
#include <anodiff/metrics/components.hpp>
#include <anodiff/runtime/any_picture_detector.hpp>
#include <filesystem>
#include <numeric>

#include "explain.hpp"
#include "fit.hpp"
#include "pictures.hpp"

namespace anodiff::cli {

namespace {

/// What sees a picture at a scale, and the pixels of it that one of the scale's stands for, along each side.
struct sight {
  const char* by;
  index reduction;
};
std::vector<sight> sights_of(const any_picture_detector& model) {
  const auto numbers = model.numbers();
  const auto number = [&](const char* name) { return std::stol(number_of(numbers, name)); };
  std::vector<sight> out;
  index factor = number("picture.reduce");
  for (index k = 0; k < number("picture.scales"); ++k, factor *= number("picture.ratio"))
    out.push_back({"network", factor});
  factor = number("picture.reduce") * number("texture.square");
  for (index k = 0; k < number("texture.scales"); ++k, factor *= 2) out.push_back({"texture", factor});
  return out;
}

/// The regions that count, those with the largest part in the evidence first: a share is of all that exceeds the
/// threshold, a scale's share is of what all scales see in the region.
json regions_of(const any_picture_detector& model, const io::region_list& found, const picture_finding& one,
                const std::vector<tensor<float, 2>>& scales, double threshold, index most) {
  const auto parts = metrics::connected_components(found.marked);  // in the order of found.kept
  std::vector<double> excess(found.kept.size(), 0.0);
  std::vector<std::vector<double>> seen(found.kept.size(), std::vector<double>(scales.size(), 0.0));
  for (index e = 0; e < one.map.size(); ++e) {
    if (parts.number.data()[e] == 0) continue;
    const auto at = static_cast<std::size_t>(parts.number.data()[e] - 1);
    excess[at] += static_cast<double>(one.map.data()[e]) - threshold;
    for (std::size_t k = 0; k < scales.size(); ++k)
      seen[at][k] += std::max(0.0, static_cast<double>(scales[k].data()[e]));
  }
  const double total = std::accumulate(excess.begin(), excess.end(), 0.0);
  const auto sights = sights_of(model);
  json out = json::array();
  for (const index place : highest(excess, most)) {
    const auto at = static_cast<std::size_t>(place);
    const auto& [box, peak, row, column, contours, reason] = found.kept[at];
    const double all = std::accumulate(seen[at].begin(), seen[at].end(), 0.0);
    json by_scale = json::array();
    for (std::size_t k = 0; k < scales.size(); ++k)
      by_scale.push_back(
          {{"by", sights[k].by}, {"reduction", sights[k].reduction}, {"share", all > 0 ? seen[at][k] / all : 0.0}});
    const auto strongest = std::ranges::max_element(seen[at]) - seen[at].begin();
    out.push_back({{"box", {box.left, box.top, box.right - box.left, box.bottom - box.top}},
                   {"pixels", box.pixels},
                   {"peak", peak},
                   {"peak_at", {column, row}},
                   {"share", excess[at] / total},
                   {"p_value", json_of(model.p_value(static_cast<double>(peak)))},
                   {"scale", sights[static_cast<std::size_t>(strongest)].reduction},
                   {"scales", std::move(by_scale)}});
  }
  return out;
}

std::string text_of(const json& pictures) {
  std::string out;
  for (const auto& one : pictures) {
    out += concat(out.empty() ? "" : "\n", one["id"].get<std::string>(), ": score ",
                  short_number(one["score"].get<double>()));
    if (!one["p_value"].is_null())
      out += concat(", p-value ", short_number(one["p_value"].get<double>()),
                    one["is_anomaly"].get<bool>() ? ", anomaly" : ", no alarm");
    const auto& regions = one["regions"];
    const auto count = one["region_count"].get<index>();
    if (regions.empty()) {
      out += concat("\n  no region above ", short_number(one["threshold"].get<double>()), "\n");
    } else {
      if (static_cast<index>(regions.size()) < count) out += concat("; ", regions.size(), " of ", count, " regions");
      out += concat("\n  ", pad_right("x, y, width x height", 24), pad_left("pixels", 8), pad_left("peak", 10),
                    pad_left("share", 10), pad_left("p-value", 10), "  seen at\n");
    }
    for (const auto& region : regions) {
      const auto side = [&](std::size_t k) { return region["box"][k].get<index>(); };
      out += concat(
          "  ", pad_right(concat(side(0), ", ", side(1), ", ", side(2), " x ", side(3)), 24),
          pad_left(concat(region["pixels"].get<index>()), 8), pad_left(short_number(region["peak"].get<double>()), 10),
          pad_left(per_cent(region["share"].get<double>()), 8), " %",
          pad_left(region["p_value"].is_null() ? "-" : short_number(region["p_value"].get<double>()), 10), "  ");
      std::string scales;
      for (const auto& scale : region["scales"])
        scales += concat(scales.empty() ? "" : ", ", scale["by"] == "texture" ? "texture 1/" : "1/",
                         scale["reduction"].get<index>(), " ", per_cent(scale["share"].get<double>()), " %");
      out += scales + "\n";
    }
    if (const auto dropped = one["dropped"].get<std::string>(); !dropped.empty()) out += concat("  ", dropped, "\n");
  }
  return out;
}

}  // namespace

void explain_pictures(const explain_flags& flags) {
  console out{flags.common.quiet};
  check(flags.top >= 1, "--top: need at least 1 picture, got ", flags.top);
  check(flags.regions >= 1, "--regions: need at least 1, got ", flags.regions);
  auto model = any_picture_detector::load(flags.model, flags.common.threads);
  if (flags.focus.given()) model.narrow(read_focus(flags.focus));
  const auto limit = flags.threshold ? flags.threshold : model.threshold();
  check(limit.has_value(), "the model is not calibrated, so that no region is known to be unusual; give --threshold");
  std::optional<io::heat_map_options> drawing;
  if (!flags.maps.empty()) {
    drawing = drawing_of(model);
    drawing->regions.threshold = *limit;
    std::filesystem::create_directories(flags.maps);
  }
  const bool folder = std::filesystem::is_directory(flags.data.path);
  const auto paths =
      readable(folder ? all_pictures(flags.data.path) : std::vector{flags.data.path}, flags.skip_bad, out);
  const interruptible scope;
  const auto read = [](const std::string& path) { return formats::to_unit(formats::read_picture(path)); };
  std::vector<double> scores;
  for (const auto& path : paths) {
    scores.push_back(paths.size() > 1 ? model.score(read(path), path).score : 0);
    out.show({.stage = "score", .done = static_cast<index>(scores.size()), .total = static_cast<index>(paths.size())});
    if (const int signal = interruptible::requested()) throw interrupted{signal};
  }
  json result = json::array();
  for (const index place : highest(scores, flags.top)) {
    const auto& path = paths[static_cast<std::size_t>(place)];
    const auto picture = read(path);
    const auto one = model.score(picture, path);
    const auto counts = model.counted(picture.extent(0), picture.extent(1));
    const io::region_options options{.threshold = *limit, .interest = counts, .minimum_pixels = model.minimum_area()};
    const auto found = io::find_regions(one.map, options);
    dropped_sums dropped;
    dropped.add(one);
    const bool calibrated = model.promised_rate().has_value();
    json entry{{"id", path},
               {"score", one.score},
               {"p_value", calibrated ? json(one.p_value) : json(nullptr)},
               {"is_anomaly", calibrated ? json(one.is_anomaly) : json(nullptr)},
               {"threshold", *limit},
               {"region_count", found.kept.size()},
               {"regions", regions_of(model, found, one, model.maps_by_scale(picture, path), *limit, flags.regions)},
               {"dropped", dropped.text(model.minimum_area())}};
    dropped.add_to(entry);
    result.push_back(std::move(entry));
    if (!drawing) continue;
    drawing->regions.interest = counts;
    (void)io::write_heat_map(flags.maps, name_below(flags.data.path, path), picture, one.map, *drawing);
  }
  out.clear();
  if (flags.common.json)
    print(json{{"model", flags.model}, {"data", flags.data.path}, {"pictures", std::move(result)}});
  else
    print(text_of(result));
}

}  // namespace anodiff::cli
