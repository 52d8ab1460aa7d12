// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/tensor.hpp>
#include <anodiff/formats/file.hpp>
#include <limits>
#include <string>

namespace anodiff::formats {

namespace detail {

/// The head of a TIFF file with one strip of 32-bit floats behind it.
inline buffer float_tiff_head(std::uint32_t height, std::uint32_t width) {
  constexpr std::uint16_t entries = 13, of_short = 3, of_long = 4, of_rational = 5;
  constexpr std::uint32_t directory = 8, resolution = directory + 2 + 12 * entries + 4, pixels = resolution + 16;
  buffer out;
  const auto put = [&](auto value) { out.append(std::as_bytes(std::span{&value, 1})); };
  const auto entry = [&](std::uint16_t tag, std::uint16_t type, std::uint32_t value) {
    put(tag), put(type), put(std::uint32_t{1}), put(value);
  };
  out.append(bytes_of("II*"));
  put(std::uint8_t{0}), put(directory), put(entries);
  entry(256, of_long, width);
  entry(257, of_long, height);
  entry(258, of_short, 32);     // bits of a sample
  entry(259, of_short, 1);      // not compressed
  entry(262, of_short, 1);      // grey, 0 is black
  entry(273, of_long, pixels);  // where the strip begins
  entry(277, of_short, 1);      // samples of a pixel
  entry(278, of_long, height);  // rows of the strip
  entry(279, of_long, height * width * 4);
  entry(282, of_rational, resolution);
  entry(283, of_rational, resolution + 8);
  entry(296, of_short, 1);  // the resolution has no unit
  entry(339, of_short, 3);  // floating point
  put(std::uint32_t{0});    // no further directory
  for (int axis = 0; axis < 2; ++axis) put(std::uint32_t{1}), put(std::uint32_t{1});
  return out;
}

}  // namespace detail

/// Writes a map (h, w) as an uncompressed TIFF of 32-bit floats, grey, one strip, little-endian. Throws
/// invalid_argument on a map without pixels, or one of 4 GiB or more, which a TIFF cannot hold.
template <byte_sink Sink>
void write_tiff(Sink& sink, tensor_view<const float, 2> map) {
  constexpr index most = (index{std::numeric_limits<std::uint32_t>::max()} - 4096) / 4;
  check(map.size() > 0 && map.size() <= most, "write_tiff: needs a map of 1 to ", most, " pixels, got shape ",
        to_string(map.extents()));
  sink.write(
      detail::float_tiff_head(static_cast<std::uint32_t>(map.extent(0)), static_cast<std::uint32_t>(map.extent(1))));
  sink.write(std::as_bytes(map.flat()));
}
/// The same to a file, whole or not at all; throws io_error where the system refuses.
inline void write_tiff(const std::string& path, tensor_view<const float, 2> map) {
  write_file_atomically(path, [&](file_sink& sink) { write_tiff(sink, map); });
}

}  // namespace anodiff::formats
