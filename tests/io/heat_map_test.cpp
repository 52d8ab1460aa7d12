// SPDX-License-Identifier: Apache-2.0
#ifdef ANODIFF_HAS_IMAGES
#include <anodiff/formats/read_picture.hpp>
#include <anodiff/io/heat_map.hpp>

#include "formats/fixtures.hpp"
#include "metrics/pixel_fixtures.hpp"

namespace heat_map_test {

namespace {

using namespace anodiff;
using namespace anodiff::io;
using namespace formats_fixtures;

/// Oklab's lightness of a colour, by the way there: sRGB, linear light, cone responses.
double lightness_of(const colour& from) {
  std::array<double, 3> x;
  std::ranges::transform(from, x.begin(), [](std::uint8_t value) {
    const double v = value / 255.0;
    return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
  });
  const double l = std::cbrt(0.4122214708 * x[0] + 0.5363325363 * x[1] + 0.0514459929 * x[2]);
  const double m = std::cbrt(0.2119034982 * x[0] + 0.6806995451 * x[1] + 0.1073969566 * x[2]);
  const double s = std::cbrt(0.0883024619 * x[0] + 0.2817188376 * x[1] + 0.6299787005 * x[2]);
  return 0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s;
}

TEST_CASE("the scale of colours rises evenly in lightness") {
  double before = 0;
  for (int i = 0; i <= 100; ++i) {
    const double lightness = lightness_of(colour_of(i / 100.0));
    REQUIRE(lightness == Approx(0.28 + 0.66 * i / 100).margin(0.006));
    REQUIRE(lightness > before);
    before = lightness;
  }
  REQUIRE(colour_of(-1) == colour_of(0));
  REQUIRE(colour_of(2) == colour_of(1));
}

tensor<float, 2> hill(anodiff::index size) {
  tensor<float, 2> out{{size, size}};
  for (anodiff::index i = 0; i < size; ++i)
    for (anodiff::index j = 0; j < size; ++j)
      out(i, j) = 1 - static_cast<float>(std::max(std::abs(i - size / 2), std::abs(j - size / 2))) /
                          static_cast<float>(size / 2);
  return out;
}
tensor<float, 3> grey(anodiff::index size, float level) {
  tensor<float, 3> out{{size, size, 1}};
  std::ranges::fill(out.flat(), level);
  return out;
}
colour at(const formats::picture& from, anodiff::index row, anodiff::index column) {
  const auto* p = from.values.data() + (row * from.width() + column) * 3;
  return {static_cast<std::uint8_t>(p[0]), static_cast<std::uint8_t>(p[1]), static_cast<std::uint8_t>(p[2])};
}

TEST_CASE("values at or below the low end leave the picture as it is; the scale does not move with the map") {
  tensor<float, 2> map{{200, 200}};
  map(10, 10) = 0.5f;
  map(20, 20) = 1;
  map(30, 30) = 7;
  map(40, 40) = -2;
  const auto picture = grey(200, 0.4f);
  const auto drawn = draw_overlay(picture, map, {.range = {0, 1}, .opacity = 1});
  REQUIRE(drawn.height() == 200);
  REQUIRE(drawn.width() == 278);
  REQUIRE(at(drawn, 0, 0) == colour{102, 102, 102});
  REQUIRE(at(drawn, 40, 40) == colour{102, 102, 102});
  REQUIRE(at(drawn, 10, 10) == colour_of(0.5));
  REQUIRE(at(drawn, 20, 20) == colour_of(1));
  REQUIRE(at(drawn, 30, 30) == colour_of(1));
  map(30, 30) = 1;
  REQUIRE(draw_overlay(picture, map, {.range = {0, 1}, .opacity = 1}) == drawn);
  REQUIRE(at(draw_overlay(picture, map, {.range = {0, 1}, .opacity = 0}), 30, 30) == colour{102, 102, 102});
}

TEST_CASE("small pictures are drawn larger, and the contour runs along the edge of what is marked") {
  const auto map = hill(16);
  const auto regions = find_regions(map, {.threshold = 0.7});
  const auto drawn = draw_heat_map(grey(16, 0.5f), map, regions, {.range = {0, 1}, .regions = {.threshold = 0.7}});
  REQUIRE(drawn.height() == 192);
  const auto box = regions.kept.at(0).box;
  const anodiff::index middle = 12 * 8;
  REQUIRE(at(drawn, 12 * box.top, middle) == colour{255, 255, 255});
  REQUIRE(at(drawn, 12 * box.top - 1, middle) == colour{0, 0, 0});
  REQUIRE(at(drawn, middle, 12 * box.right - 1) == colour{255, 255, 255});
  REQUIRE(at(drawn, middle, 12 * box.right) == colour{0, 0, 0});
}

TEST_CASE("numbers are written in the built-in letters") {
  io::detail::canvas paper{7, 24};
  paper.write(0, 0, "1e-5", 1, {255, 255, 255});
  const auto drawn = std::move(paper).take();
  std::string text;
  for (anodiff::index i = 0; i < 7; ++i) {
    for (anodiff::index j = 0; j < 24; ++j) text += at(drawn, i, j)[0] == 0 ? '.' : '#';
    text += '\n';
  }
  REQUIRE(text ==
          "..#...............#####.\n"
          ".##...............#.....\n"
          "..#....###........####..\n"
          "..#...#...#.#####.....#.\n"
          "..#...#####...........#.\n"
          "..#...#...........#...#.\n"
          ".###...###.........###..\n");
  for (const char c : std::string_view{"0123456789.-+e"}) REQUIRE(io::detail::glyph_of(c) != io::detail::glyph_of(' '));
  REQUIRE(io::detail::short_number(0.12549) == "0.125");
  REQUIRE(io::detail::short_number(1.5e-7) == "1.5e-07");
}

TEST_CASE("one call writes the raw map, the overlay and the regions") {
  const scratch_folder folder;
  const auto map = hill(16);
  const heat_map_options options{.range = {0, 1}, .regions = {.threshold = 0.7}};
  const auto regions = write_heat_map(folder / "", "a", grey(16, 0.5f), map, options);
  REQUIRE(folder.list() == std::vector<std::string>{"a.json", "a.npy", "a.png", "a.tif"});
  REQUIRE(formats::read_npy(folder / "a.npy").to_tensor<float, 2>() == map);
  REQUIRE(formats::read_picture(folder / "a.png") == draw_heat_map(grey(16, 0.5f), map, regions, options));
  const auto listed = formats::parse_json(content_of(folder / "a.json"), "a.json");
  REQUIRE(listed.at("regions").elements().size() == 1);
  REQUIRE(listed.at("regions").elements()[0].at("pixels").integer() == regions.kept[0].box.pixels);
}

TEST_CASE("what cannot be drawn is refused") {
  const auto map = hill(4);
  const auto refusal = [&](const overlay_options& options, anodiff::index size = 4) {
    return message_of<invalid_argument>([&] { (void)draw_overlay(grey(size, 0), map, options); });
  };
  REQUIRE(refusal({}, 5) == "draw_overlay: needs a map (h, w) and a picture (h, w, 1 or 3), got (4, 4) and (5, 5, 1)");
  REQUIRE(refusal({.range = {1, 1}}) == "draw_overlay: range needs low below high, got 1 and 1");
  REQUIRE(refusal({.opacity = 2}) == "draw_overlay: opacity must lie in [0, 1], got 2");
  REQUIRE(refusal({.zoom = -1}) == "draw_overlay: zoom must lie in [0, 64], got -1");
  const auto wrong = metrics_fixtures::mask_of({"#"});
  REQUIRE(refusal({.marked = wrong}) == "draw_overlay: marked needs the map's shape (4, 4), got (1, 1)");
  auto broken = map;
  broken(1, 2) = std::nanf("");
  REQUIRE(message_of<numeric_error>([&] { (void)draw_overlay(grey(4, 0), broken, {}); }) ==
          "draw_overlay: needs finite values, got nan in row 2, column 3");
}

}  // namespace

}  // namespace heat_map_test
#endif
