// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <zlib.h>

#include <anodiff/formats/jpeg.hpp>
#include <cstdlib>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "fixtures.hpp"

namespace picture_fixtures {

inline std::string big_endian(std::uint32_t value) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 255);
  return out;
}
inline std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int value : values) out += static_cast<char>(value);
  return out;
}

/// The parts of a PNG, put together by hand.
inline std::string chunk(std::string_view type, std::string_view content) {
  const auto body = anodiff::concat(type, content);
  const auto crc = ::crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  return big_endian(static_cast<std::uint32_t>(content.size())) + body + big_endian(static_cast<std::uint32_t>(crc));
}
inline std::string packed(std::string_view content) {
  uLongf size = ::compressBound(content.size());
  std::string out(size, '\0');
  ::compress(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(content.data()),
             content.size());
  out.resize(size);
  return out;
}
inline constexpr std::string_view png_sign{"\x89PNG\r\n\x1a\n", 8};
inline std::string head(std::uint32_t width, std::uint32_t height, int depth, int colours, int interlaced = 0) {
  return chunk("IHDR", big_endian(width) + big_endian(height) + bytes({depth, colours, 0, 0, interlaced}));
}
/// rows: each begins with the byte of its filter, 0. more: chunks between head and pixels.
inline std::string png(std::uint32_t width, std::uint32_t height, int depth, int colours, std::string_view rows,
                       std::string_view more = {}, int interlaced = 0) {
  return anodiff::concat(png_sign, head(width, height, depth, colours, interlaced), more, chunk("IDAT", packed(rows)),
                         chunk("IEND", ""));
}

/// A JPEG of a horizontal ramp, written by libjpeg.
struct jpeg_kind {
  int channels = 3;
  J_COLOR_SPACE colours = JCS_RGB;
  bool progressive = false;
};
inline std::string jpeg(int width, int height, jpeg_kind kind = {}) {
  jpeg_compress_struct to{};
  jpeg_error_mgr errors{};
  to.err = jpeg_std_error(&errors);
  jpeg_create_compress(&to);
  unsigned char* memory = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&to, &memory, &size);
  to.image_width = static_cast<JDIMENSION>(width);
  to.image_height = static_cast<JDIMENSION>(height);
  to.input_components = kind.channels;
  to.in_color_space = kind.colours;
  jpeg_set_defaults(&to);
  jpeg_set_quality(&to, 100, TRUE);
  if (kind.progressive) jpeg_simple_progression(&to);
  jpeg_start_compress(&to, TRUE);
  std::vector<unsigned char> row(static_cast<std::size_t>(width * kind.channels));
  for (std::size_t i = 0; i < row.size(); ++i)
    row[i] = static_cast<unsigned char>(20 + 2 * (static_cast<int>(i) / kind.channels));
  while (to.next_scanline < to.image_height) {
    JSAMPROW line = row.data();
    jpeg_write_scanlines(&to, &line, 1);
  }
  jpeg_finish_compress(&to);
  jpeg_destroy_compress(&to);
  std::string out{reinterpret_cast<const char*>(memory), size};
  std::free(memory);
  return out;
}

}  // namespace picture_fixtures
