// SPDX-License-Identifier: Apache-2.0
#include "pictures.hpp"

#include <algorithm>
#include <anodiff/formats/read_picture.hpp>
#include <anodiff/io/picture_folder.hpp>
#include <anodiff/runtime/any_picture_detector.hpp>
#include <filesystem>
#include <optional>
#include <utility>

#include "data.hpp"

namespace anodiff::cli {

namespace {

void gather(const std::string& folder, std::vector<std::string>& paths) {
  for (auto& path : io::files_in(folder)) paths.push_back(std::move(path));
  for (const auto& inner : io::folders_in(folder))
    if (io::name_of(inner) != "ground_truth") gather(inner, paths);
}

std::vector<std::string> some(std::vector<std::string> paths, const std::string& folder) {
  check<data_error>(!paths.empty(), folder, ": needs at least one picture, got an empty folder");
  return paths;
}

}  // namespace

std::vector<std::string> normal_pictures(const std::string& folder) {
  for (const char* inner : {"train/good", "good"}) {
    const auto good = io::path_in(folder, inner);
    if (std::filesystem::is_directory(good)) return some(io::files_in(good), good);
  }
  return some(io::files_in(folder), folder);
}

std::vector<std::string> all_pictures(const std::string& folder) {
  std::vector<std::string> paths;
  gather(folder, paths);
  std::ranges::sort(paths);
  return some(std::move(paths), folder);
}

std::vector<std::string> readable(std::vector<std::string> paths, bool skip_bad, console& out) {
  if (!skip_bad) return paths;
  std::vector<std::string> kept;
  for (auto& path : paths) {
    try {
      (void)formats::read_picture(path);
      kept.push_back(std::move(path));
    } catch (const error& why) {
      out.note("left out: ", why.what());
    }
  }
  check<data_error>(!kept.empty(), "none of ", paths.size(), " files can be read as a picture");
  return kept;
}

std::string name_below(const std::string& folder, const std::string& path) {
  auto below = std::filesystem::path{path}.lexically_relative(folder).replace_extension().string();
  std::ranges::replace(below, '/', '_');
  return below == "." || below.empty() ? std::string{io::stem_of(path)} : below;
}

picture_focus read_focus(const focus_flags& flags) {
  picture_focus out{.minimum_area = flags.minimum_area};
  if (flags.interest.empty()) return out;
  out.interest = io::mask_of(formats::read_picture(flags.interest));
  check<data_error>(std::ranges::any_of(out.interest.flat(), [](auto v) { return v != 0; }), flags.interest,
                    ": needs a pixel above half of its range, where pixels count, got none");
  return out;
}

bool names_pictures(const std::string& path) {
  const auto extension = extension_of(path);
  return names_folder(path) || extension == "png" || extension == "jpg" || extension == "jpeg";
}

void refuse_file(const std::string& method, const std::string& path) {
  check(!any_picture_detector::knows(method), "the method '", method,
        "' learns from a folder of pictures, got the file ", path);
}

void dropped_sums::add(const picture_finding& one) {
  for (const auto& [from, to] : {std::pair{&one.too_small, &too_small}, std::pair{&one.outside, &outside}}) {
    to->regions += from->regions;
    to->pixels += from->pixels;
  }
}
std::string dropped_sums::text(index minimum_area) const {
  std::string out;
  const auto add = [&](const dropped_regions& what, const std::string& why) {
    if (what.regions > 0)
      out += concat(out.empty() ? "" : "; ", "dropped ", what.regions, what.regions == 1 ? " region " : " regions ",
                    why, ", ", what.pixels, what.pixels == 1 ? " pixel" : " pixels");
  };
  add(too_small, concat("smaller than ", minimum_area, " pixels"));
  add(outside, "outside of what is judged");
  return out;
}
void dropped_sums::add_to(json& document) const {
  document["regions_dropped"] = too_small.regions;
  document["pixels_dropped"] = too_small.pixels;
  document["regions_outside"] = outside.regions;
  document["pixels_outside"] = outside.pixels;
}

io::heat_map_options drawing_of(const any_picture_detector& model) {
  const auto threshold = model.threshold();
  check(threshold.has_value(),
        "the model is not calibrated, so that there is no scale to draw its maps with; "
        "use anodiff calibrate");
  const double low = std::ranges::min(model.calibration_scores());
  const double span = std::max(*threshold - low, 1e-6 * std::abs(low) + 1e-12);
  io::heat_map_options out;
  out.range = {low, low + 3 * span};
  out.regions.threshold = *threshold;
  out.regions.minimum_pixels = model.minimum_area();
  return out;
}

std::vector<std::pair<std::string, std::string>> report_facts(const any_picture_detector& model) {
  const auto record = model.record();
  std::vector<std::pair<std::string, std::string>> out{
      {"method", model.method()},
      {"learned from", concat(record.train_rows, " normal pictures, ", record.steps, " steps")}};
  if (const auto promised = model.promised_rate())
    out.emplace_back("promised", concat(per_cent(*promised), " % of normal pictures raise an alarm; calibrated on ",
                                        record.calibration_rows));
  if (model.minimum_area() > 1)
    out.emplace_back("minimum area",
                     concat("a region of fewer than ", model.minimum_area(), " pixels raises no alarm"));
  return out;
}

}  // namespace anodiff::cli
