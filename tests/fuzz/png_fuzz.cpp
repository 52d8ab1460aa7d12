// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#ifdef ANODIFF_HAS_IMAGES
#include "require.hpp"

#include <anodiff/formats/png_writer.hpp>
#include <anodiff/formats/read_picture.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace anodiff::formats;
  const byte_span content = std::as_bytes(std::span{data, size});
  constexpr picture_limits limits{.pixels = 1 << 16};
  try {
    const picture read = parse_png(content, "fuzz", limits);
    require(picture_kind(content) == "PNG", "what can be read is known by its first bytes");
    require(parse_png(content, "fuzz", limits) == read, "a picture reads the same twice");
    require(parse_png(encode_png(read), "again", limits) == read, "a picture keeps its values");
    require(from_unit(to_unit(read), read.maximum) == read, "numbers in [0, 1] lose nothing");
  } catch (const anodiff::error&) {
  }
  return 0;
}
#else
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t*, std::size_t) { return 0; }
#endif
