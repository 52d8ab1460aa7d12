// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/formats/file.hpp>
#include <anodiff/formats/jpeg.hpp>
#include <anodiff/formats/picture.hpp>
#include <anodiff/formats/png.hpp>
#include <array>
#include <string>
#include <string_view>

namespace anodiff::formats {

/// What a file's first bytes say that it is: "PNG", "JPEG", another kind of picture by its name, or nothing where they
/// are unknown.
[[nodiscard]] inline std::string_view picture_kind(byte_span content) noexcept {
  struct sign {
    std::size_t at;
    std::string_view bytes, kind;
  };
  using namespace std::string_view_literals;
  static constexpr std::array signs{sign{0, "\x89PNG\r\n\x1a\n"sv, "PNG"},
                                    sign{0, "\xff\xd8"sv, "JPEG"},
                                    sign{0, "GIF8"sv, "GIF"},
                                    sign{0, "BM"sv, "BMP"},
                                    sign{0, "II*\0"sv, "TIFF"},
                                    sign{0, "MM\0*"sv, "TIFF"},
                                    sign{8, "WEBP"sv, "WebP"},
                                    sign{4, "ftypavi"sv, "AVIF"},
                                    sign{4, "ftyphei"sv, "HEIF"},
                                    sign{4, "ftypmif1"sv, "HEIF"},
                                    sign{4, "jP  \r\n\x87\n"sv, "JPEG 2000"},
                                    sign{0, "\xff\x4f\xff\x51"sv, "JPEG 2000"},
                                    sign{0, "\xff\x0a"sv, "JPEG XL"},
                                    sign{4, "JXL \r\n\x87\n"sv, "JPEG XL"},
                                    sign{0, "8BPS"sv, "Photoshop"},
                                    sign{128, "DICM"sv, "DICOM"},
                                    sign{0, "v/1\x01"sv, "OpenEXR"},
                                    sign{0, "%PDF"sv, "PDF"},
                                    sign{0, "P5"sv, "PGM"},
                                    sign{0, "P6"sv, "PPM"}};
  const auto text = text_of(content);
  for (const auto& [at, bytes, kind] : signs)
    if (text.size() >= at && text.substr(at).starts_with(bytes)) return kind;
  return {};
}

/// Reads a PNG or a JPEG, told apart by content; name stands for the file in messages. Throws data_error where it is
/// empty, damaged or of another kind, memory_error where it has more pixels than the limit.
[[nodiscard]] inline picture parse_picture(byte_span content, std::string_view name, picture_limits limits = {}) {
  const auto kind = picture_kind(content);
  if (kind == "PNG") return parse_png(content, name, limits);
  if (kind == "JPEG") return parse_jpeg(content, name, limits);
  throw data_error(concat(name, ": need a PNG or a JPEG picture, got ",
                          content.empty() ? "an empty file"
                          : kind.empty()  ? "a file of unknown kind"
                                          : kind));
}

/// The same of a file, whatever its extension. Throws io_error where it cannot be read too.
[[nodiscard]] inline picture read_picture(const std::string& path, picture_limits limits = {}) {
  constexpr std::uint64_t largest_file = std::uint64_t{1} << 30;
  return parse_picture(read_file(path, largest_file), path, limits);
}

}  // namespace anodiff::formats
