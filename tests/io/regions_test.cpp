// SPDX-License-Identifier: Apache-2.0
#include <anodiff/io/regions.hpp>

#include "formats/fixtures.hpp"
#include "metrics/pixel_fixtures.hpp"

namespace regions_test {

namespace {

using namespace anodiff;
using namespace anodiff::io;
using formats_fixtures::message_of;
using metrics_fixtures::mask_of;

tensor<float, 2> map_of(const tensor<std::uint8_t, 2>& mask) {
  tensor<float, 2> out{mask.extents()};
  std::ranges::transform(mask.flat(), out.data(), [](std::uint8_t one) { return static_cast<float>(one); });
  return out;
}
region_list regions_of(std::initializer_list<std::string_view> rows) {
  return find_regions(map_of(mask_of(rows)), {.threshold = 0.5});
}
/// Twice the area to the right of a line: positive for an outer contour.
anodiff::index twice_area(const outline& line) {
  anodiff::index sum = 0;
  for (std::size_t k = 0; k < line.size(); ++k) {
    const auto& [x, y] = line[k];
    const auto& [next_x, next_y] = line[(k + 1) % line.size()];
    sum += x * next_y - next_x * y;
  }
  return sum;
}

TEST_CASE("contours by hand: a box, a hole, two pixels that meet at a corner") {
  const auto box = regions_of({"...", ".##", ".##"});
  REQUIRE(box.kept.size() == 1);
  REQUIRE(box.kept[0].contours == std::vector<outline>{{{3, 1}, {3, 3}, {1, 3}, {1, 1}}});
  REQUIRE(box.kept[0].box == metrics::component{4, 1, 1, 3, 3});
  const auto ring = regions_of({"###", "#.#", "###"});
  REQUIRE(ring.kept[0].contours ==
          std::vector<outline>{{{3, 0}, {3, 3}, {0, 3}, {0, 0}}, {{2, 2}, {2, 1}, {1, 1}, {1, 2}}});
  const auto diagonal = regions_of({"#.", ".#"});
  REQUIRE(diagonal.kept[0].contours ==
          std::vector<outline>{{{1, 0}, {1, 1}, {2, 1}, {2, 2}, {1, 2}, {1, 1}, {0, 1}, {0, 0}}});
}

TEST_CASE("contours enclose the pixels of their region, outer first") {
  for (std::uint32_t draw = 0; draw < 80; ++draw) {
    CAPTURE(draw);
    const auto found =
        find_regions(map_of(metrics_fixtures::random_mask(draw, 11, 14, 0.1 + 0.01 * draw)), {.threshold = 0.5});
    for (const auto& one : found.kept) {
      anodiff::index sum = 0;
      for (std::size_t k = 0; k < one.contours.size(); ++k) {
        const auto area = twice_area(one.contours[k]);
        REQUIRE((area > 0) == (k == 0));
        sum += area;
        for (std::size_t c = 0; c < one.contours[k].size(); ++c) {  // corners, not points of a straight line
          const auto& a = one.contours[k][c];
          const auto& b = one.contours[k][(c + 1) % one.contours[k].size()];
          const auto& d = one.contours[k][(c + 2) % one.contours[k].size()];
          REQUIRE((a.x == b.x) != (a.y == b.y));
          REQUIRE((a.x == b.x) == (b.y == d.y));
        }
      }
      REQUIRE(sum == 2 * one.box.pixels);
    }
  }
}

TEST_CASE("peaks, the least size and the region of interest; what is dropped is said") {
  tensor<float, 2> map{{3, 6}};
  const std::array<float, 18> values{.9f, .8f, 0, 0, 0, .7f,   //
                                     0,   .9f, 0, 0, 0, .95f,  //
                                     0,   0,   0, 2, 0, .5f};
  std::ranges::copy(values, map.data());
  auto interest = mask_of({"#####.", "#####.", "######"});
  const region_options options{.threshold = 0.5, .interest = interest, .minimum_pixels = 2};
  const auto found = find_regions(map, options);
  REQUIRE(found.kept.size() == 1);
  REQUIRE(found.kept[0].box == metrics::component{3, 0, 0, 2, 2});
  REQUIRE(found.kept[0].peak == 0.9f);
  REQUIRE((found.kept[0].peak_row == 0 && found.kept[0].peak_column == 0));
  REQUIRE(found.dropped.size() == 2);
  REQUIRE(found.dropped[0].dropped_because == "smaller than the minimum");
  REQUIRE(found.dropped[0].peak == 2);
  REQUIRE(found.dropped[1].dropped_because == "outside the region of interest");
  REQUIRE(found.dropped[1].box == metrics::component{2, 0, 5, 2, 6});
  REQUIRE(found.marked == mask_of({"##....", ".#....", "......"}));
  REQUIRE(to_json(found, options).dump() ==
          R"({"threshold":0.5,"minimum_pixels":2,"regions":[{"box":[0,0,2,2],"pixels":3,"peak":0.8999999761581421,)"
          R"("peak_at":[0,0],"contours":[[[2,0],[2,2],[1,2],[1,1],[0,1],[0,0]]]}],"dropped":[{"box":[3,2,1,1],)"
          R"("pixels":1,"peak":2,"peak_at":[3,2],"reason":"smaller than the minimum"},{"box":[5,0,1,2],"pixels":2,)"
          R"("peak":0.949999988079071,"peak_at":[5,1],"reason":"outside the region of interest"}]})");
}

TEST_CASE("a negative map has peaks too, and a map below the threshold no region") {
  tensor<float, 2> map{{1, 3}};
  std::ranges::copy(std::array{-3.0f, -1.0f, -2.0f}, map.data());
  const auto found = find_regions(map, {.threshold = -10});
  REQUIRE(found.kept[0].peak == -1);
  REQUIRE(found.kept[0].peak_column == 1);
  REQUIRE(find_regions(map, {.threshold = -1}).kept.empty());
}

TEST_CASE("regions that have no meaning are refused") {
  const auto map = map_of(mask_of({"#."}));
  const auto refusal = [&](const region_options& options) {
    return message_of<invalid_argument>([&] { (void)find_regions(map, options); });
  };
  REQUIRE(refusal({.threshold = std::nan("")}) == "find_regions: needs a threshold that is a number, got nan");
  REQUIRE(refusal({.minimum_pixels = 0}) == "find_regions: minimum_pixels must be at least 1, got 0");
  const auto wrong = mask_of({"#"});
  REQUIRE(refusal({.interest = wrong}) == "find_regions: interest needs the map's shape (1, 2), got (1, 1)");
  auto broken = map;
  broken(0, 1) = std::nanf("");
  REQUIRE(message_of<numeric_error>([&] { (void)find_regions(broken, {}); }) ==
          "find_regions: needs finite values, got nan in row 1, column 2");
}

}  // namespace

}  // namespace regions_test
