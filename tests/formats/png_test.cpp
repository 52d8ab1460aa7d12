// SPDX-License-Identifier: Apache-2.0
#ifdef ANODIFF_HAS_IMAGES
#include <anodiff/formats/png.hpp>
#include <anodiff/formats/png_writer.hpp>
#include <array>

#include "picture_fixtures.hpp"

namespace png_test {

namespace {

using namespace anodiff;
using namespace anodiff::formats;
using namespace formats_fixtures;
using namespace picture_fixtures;
using list = std::vector<int>;

picture parse(std::string_view content, picture_limits limits = {}) {
  return parse_png(bytes_of(content), "x.png", limits);
}
list values(const picture& from) { return {from.values.flat().begin(), from.values.flat().end()}; }
template <class Error = data_error>
std::string refusal(std::string_view content, picture_limits limits = {}) {
  return message_of<Error>([&] { (void)parse(content, limits); });
}

TEST_CASE("grey of every depth is spread over its range") {
  REQUIRE(values(parse(png(9, 1, 1, 0, bytes({0, 0b10110000, 0b10000000})))) ==
          list{255, 0, 255, 255, 0, 0, 0, 0, 255});
  REQUIRE(values(parse(png(4, 1, 2, 0, bytes({0, 0b00011011})))) == list{0, 85, 170, 255});
  REQUIRE(values(parse(png(3, 1, 4, 0, bytes({0, 0x0f, 0x70})))) == list{0, 255, 119});
  const auto eight = parse(png(2, 2, 8, 0, bytes({0, 1, 2, 0, 3, 254})));
  REQUIRE(eight.values.extents() == shape<3>{2, 2, 1});
  REQUIRE(eight.maximum == 255);
  REQUIRE(values(eight) == list{1, 2, 3, 254});
  const auto deep = parse(png(2, 1, 16, 0, bytes({0, 1, 2, 255, 254})));
  REQUIRE(deep.maximum == 65535);
  REQUIRE(values(deep) == list{0x0102, 0xfffe});
}

TEST_CASE("colours come as red, green, blue; a palette becomes its colours; transparency is dropped") {
  const auto colours = parse(png(2, 1, 8, 2, bytes({0, 1, 2, 3, 4, 5, 6})));
  REQUIRE(colours.values.extents() == shape<3>{1, 2, 3});
  REQUIRE(values(colours) == list{1, 2, 3, 4, 5, 6});
  REQUIRE(values(parse(png(1, 1, 16, 2, bytes({0, 1, 0, 2, 0, 3, 7})))) == list{256, 512, 0x307});
  REQUIRE(values(parse(png(1, 1, 8, 6, bytes({0, 9, 8, 7, 0})))) == list{9, 8, 7});
  REQUIRE(values(parse(png(2, 1, 8, 4, bytes({0, 9, 0, 7, 255})))) == list{9, 7});
  REQUIRE(values(parse(png(1, 1, 16, 4, bytes({0, 1, 2, 3, 4})))) == list{0x0102});
  const auto palette = chunk("PLTE", bytes({10, 20, 30, 40, 50, 60})) + chunk("tRNS", bytes({0}));
  REQUIRE(values(parse(png(3, 1, 1, 3, bytes({0, 0b01000000}), palette))) == list{10, 20, 30, 40, 50, 60, 10, 20, 30});
  REQUIRE(values(parse(png(1, 1, 8, 0, bytes({0, 5}), chunk("tRNS", bytes({0, 5}))))) == list{5});
}

TEST_CASE("an interlaced picture is put together") {
  // 2 x 2: pass 1 has pixel (0, 0), pass 6 (0, 1), pass 7 the row below
  REQUIRE(values(parse(png(2, 2, 8, 0, bytes({0, 1, 0, 2, 0, 3, 4}), {}, 1))) == list{1, 2, 3, 4});
}

TEST_CASE("what follows the end is not looked at, and chunks of other purposes are left out") {
  const auto rows = bytes({0, 77});
  REQUIRE(values(parse(png(1, 1, 8, 0, rows) + "garbage")) == list{77});
  const auto more = chunk("gAMA", big_endian(20000)) + chunk("tEXt", bytes({'a', 0, 'b'})) + chunk("iCCP", "broken") +
                    chunk("acTL", big_endian(1) + big_endian(0));
  REQUIRE(values(parse(png(1, 1, 8, 0, rows, more))) == list{77});
}

TEST_CASE("a damaged PNG is refused by name") {
  const auto good = png(2, 2, 8, 0, bytes({0, 1, 2, 0, 3, 4}));
  for (std::size_t size = 0; size < good.size(); ++size) {
    CAPTURE(size);
    REQUIRE(refusal(good.substr(0, size)) == "x.png: cannot read this PNG: the file is cut short");
  }
  auto flipped = good;
  flipped[good.find("IDAT") + 6] = static_cast<char>(flipped[good.find("IDAT") + 6] ^ 1);
  REQUIRE_THAT(refusal(flipped), Catch::StartsWith("x.png: cannot read this PNG: "));
  REQUIRE_THAT(refusal("not a picture at all"), Catch::StartsWith("x.png: cannot read this PNG: "));
  REQUIRE_THAT(refusal(png(1, 1, 8, 3, bytes({0, 0}))), Catch::StartsWith("x.png: cannot read this PNG: "));
  REQUIRE_THAT(refusal(png(0, 1, 8, 0, "")), Catch::StartsWith("x.png: cannot read this PNG: "));
  REQUIRE_THAT(refusal(png(2, 2, 8, 0, bytes({0, 1, 2}))), Catch::StartsWith("x.png: cannot read this PNG: "));
}

TEST_CASE("a picture beyond the limit is refused before memory is taken, with the bytes it needs") {
  REQUIRE(refusal<memory_error>(png(20000, 20000, 8, 2, "")) ==
          "x.png: 20000 x 20000 pixels need 2400000000 bytes; the limit is 67108864 pixels");
  const auto small = png(3, 2, 8, 0, bytes({0, 1, 2, 3, 0, 4, 5, 6}));
  REQUIRE(refusal<memory_error>(small, {.pixels = 5}) == "x.png: 2 x 3 pixels need 12 bytes; the limit is 5 pixels");
  REQUIRE(parse(small, {.pixels = 6}).values.size() == 6);
  REQUIRE(refusal<invalid_argument>(small, {.pixels = 0}) == "picture_limits: pixels must be at least 1, got 0");
  const auto bomb = png(8000, 8000, 8, 2, "");
  REQUIRE(refusal(bomb) ==
          concat("x.png: cannot read this PNG: 8000 x 8000 pixels cannot lie in a file of ", bomb.size(), " bytes"));
}

picture ramp(anodiff::index height, anodiff::index width, anodiff::index channels, int maximum) {
  picture out{tensor<std::uint16_t, 3>{{height, width, channels}}, maximum};
  unsigned value = 0;
  for (auto& sample : out.values.flat())
    sample = static_cast<std::uint16_t>((value++ * 2654435761u >> 7) % static_cast<unsigned>(maximum + 1));
  return out;
}

TEST_CASE("a PNG that is written reads back the same") {
  for (const int maximum : {255, 65535})
    for (const anodiff::index channels : {1, 3})
      for (const auto& [height, width] : {std::array{1, 1}, std::array{7, 3}, std::array{64, 65}}) {
        const auto before = ramp(height, width, channels, maximum);
        REQUIRE(parse_png(encode_png(before), "again") == before);
      }
  const scratch_folder folder;
  write_png(folder / "a.png", ramp(5, 4, 3, 255));
  REQUIRE(parse_png(read_file(folder / "a.png"), "a.png") == ramp(5, 4, 3, 255));
}

TEST_CASE("what no PNG can hold is not written") {
  const auto refuse = [](const picture& from) { return message_of<invalid_argument>([&] { (void)encode_png(from); }); };
  REQUIRE(refuse(ramp(1, 1, 2, 255)) == "encode_png: needs 1 or 3 channels, got 2");
  REQUIRE(refuse(ramp(0, 1, 1, 255)) == "encode_png: needs at least one pixel, got shape (0, 1, 1)");
  auto wrong = ramp(1, 1, 1, 255);
  wrong.maximum = 1023;
  REQUIRE(refuse(wrong) == "encode_png: maximum must be 255 or 65535, got 1023");
  wrong.maximum = 255;
  wrong.values.flat()[0] = 256;
  REQUIRE(refuse(wrong) == "encode_png: values must not exceed 255, got 256");
}

TEST_CASE("pictures become numbers in [0, 1] and come back") {
  for (const int maximum : {255, 65535}) {
    const auto before = ramp(30, 40, 3, maximum);
    const auto unit = to_unit(before);
    REQUIRE(from_unit(unit, maximum) == before);
  }
  tensor<float, 3> edges{{1, 4, 1}};
  std::ranges::copy(std::array{-1.0f, 2.0f, 0.5f, 1.0f}, edges.data());
  REQUIRE(values(from_unit(edges)) == list{0, 255, 128, 255});
  edges.flat()[0] = std::nanf("");
  REQUIRE(message_of<numeric_error>([&] { (void)from_unit(edges); }) == "from_unit: needs numbers, got nan");
}

}  // namespace

}  // namespace png_test
#endif
