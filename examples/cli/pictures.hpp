// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/io/heat_map.hpp>
#include <anodiff/runtime/erased_picture_detector.hpp>
#include <string>
#include <vector>

#include "command.hpp"
#include "console.hpp"

namespace anodiff::cli {

/// The normal pictures of a folder: train/good or good where it has one of these, otherwise all files in it.
[[nodiscard]] std::vector<std::string> normal_pictures(const std::string& folder);

/// All files in a folder and the folders within, but for those in ground_truth.
[[nodiscard]] std::vector<std::string> all_pictures(const std::string& folder);

/// Those that can be read, where skip_bad is true; the others are named. Otherwise the paths as they are.
[[nodiscard]] std::vector<std::string> readable(std::vector<std::string> paths, bool skip_bad, console& out);

/// The part of a path below the folder, as a name for files of its own: no separators, no extension.
[[nodiscard]] std::string name_below(const std::string& folder, const std::string& path);

/// Reads the region of interest. Throws data_error where it marks no pixel, and as formats::read_picture.
[[nodiscard]] picture_focus read_focus(const focus_flags& flags);

/// One scale of colours for all pictures: nothing is coloured that every normal picture shows somewhere, and the
/// threshold lies at a third of the scale. Throws invalid_argument for a model that is not calibrated.
[[nodiscard]] io::heat_map_options drawing_of(const any_picture_detector& model);

/// Whether --data names pictures: a folder, or one file that is called like a picture.
[[nodiscard]] bool names_pictures(const std::string& path);

/// Throws invalid_argument where a method of pictures, which learn from a folder, is to learn from one file.
void refuse_file(const std::string& method, const std::string& path);

/// What was dropped of the maps of several pictures, as text and in JSON; nothing where nothing was.
struct dropped_sums {
  dropped_regions too_small, outside;
  void add(const picture_finding& one);
  [[nodiscard]] std::string text(index minimum_area) const;
  void add_to(json& document) const;
};

/// What a report says of a model: its method, what it has learned from, its promise.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> report_facts(const any_picture_detector& model);

}  // namespace anodiff::cli
