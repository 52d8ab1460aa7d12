// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/formats/read_picture.hpp>
#include <anodiff/io/folder.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace anodiff::io {

/// A file that could not be read as a picture, and why.
struct skipped_file {
  std::string path;
  std::string reason;  ///< the message of the error, which names the file
};

/// Pictures with their paths; those that were left out are listed.
struct picture_set {
  std::vector<formats::picture> pictures;
  std::vector<std::string> paths;  ///< one for each picture
  std::vector<skipped_file> skipped;
};

struct read_pictures_options {
  formats::picture_limits limits{};
  bool skip_bad = false;  ///< leave out what cannot be read, instead of throwing
};

/// Reads pictures in the order of their paths. Throws as formats::read_picture at the first that cannot be read, whose
/// name begins the message, unless options say to skip such.
[[nodiscard]] inline picture_set read_pictures(std::span<const std::string> paths, read_pictures_options options = {}) {
  picture_set out;
  for (const auto& path : paths) {
    try {
      out.pictures.push_back(formats::read_picture(path, options.limits));
      out.paths.push_back(path);
    } catch (const error& why) {
      if (!options.skip_bad) throw;
      out.skipped.push_back({path, why.what()});
    }
  }
  return out;
}

/// Reads all files of a folder as pictures, in the order of their paths. Throws as read_pictures, io_error where the
/// folder cannot be listed, data_error where it has no file.
[[nodiscard]] inline picture_set read_picture_folder(const std::string& folder, read_pictures_options options = {}) {
  const auto paths = files_in(folder);
  check<data_error>(!paths.empty(), folder, ": needs at least one picture, got an empty folder");
  return read_pictures(paths, options);
}

/// Where a picture is above half of its range, to a rounding (above 127 of 255), in any channel: (h, w), 1 there.
[[nodiscard]] inline tensor<std::uint8_t, 2> mask_of(const formats::picture& from) {
  tensor<std::uint8_t, 2> out{{from.height(), from.width()}};
  const auto values = from.values.flat();
  const auto channels = static_cast<std::size_t>(from.channels());
  for (std::size_t i = 0; i < values.size(); ++i)
    if (values[i] > from.maximum / 2) out.data()[i / channels] = 1;
  return out;
}

/// Reads a mask (h, w) of 0 and 1 for a picture of that height and width. Throws data_error where its size is another,
/// and as formats::read_picture.
[[nodiscard]] inline tensor<std::uint8_t, 2> read_mask(const std::string& path, index height, index width,
                                                       formats::picture_limits limits = {}) {
  auto out = mask_of(formats::read_picture(path, limits));
  check<data_error>(out.extent(0) == height && out.extent(1) == width, path, ": needs the size of its picture, ",
                    height, " x ", width, ", got ", out.extent(0), " x ", out.extent(1));
  return out;
}

}  // namespace anodiff::io
