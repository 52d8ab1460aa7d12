// SPDX-License-Identifier: Apache-2.0
#include <anodiff/core/philox.hpp>
#include <anodiff/metrics/components.hpp>
#include <catch2/catch.hpp>
#include <string_view>

#include "pixel_fixtures.hpp"

namespace components_test {

namespace {

using namespace anodiff;
using namespace anodiff::metrics;
using metrics_fixtures::flood_fill;
using metrics_fixtures::mask_of;

std::vector<int> numbers(const component_map& found) {
  return {found.number.flat().begin(), found.number.flat().end()};
}

TEST_CASE("components by hand: eight neighbours, numbered by their first pixels") {
  const auto found = connected_components(mask_of({"##..#",  //
                                                   "...#.",  //
                                                   "#....",  //
                                                   ".#..#"}));
  REQUIRE(numbers(found) == std::vector{1, 1, 0, 0, 2,  //
                                        0, 0, 0, 2, 0,  //
                                        3, 0, 0, 0, 0,  //
                                        0, 3, 0, 0, 4});
  REQUIRE(found.parts == std::vector<component>{{2, 0, 0, 1, 2}, {2, 0, 3, 2, 5}, {2, 2, 0, 4, 2}, {1, 3, 4, 4, 5}});
}

TEST_CASE("branches that meet late are one component") {
  const auto found = connected_components(mask_of({"#.#.#",  //
                                                   "#.#.#",  //
                                                   "#.###",  //
                                                   "###.."}));
  REQUIRE(found.parts == std::vector<component>{{13, 0, 0, 4, 5}});
}

TEST_CASE("an empty mask has no component, a full one has one") {
  REQUIRE(connected_components(mask_of({"..", ".."})).parts.empty());
  REQUIRE(connected_components(tensor<std::uint8_t, 2>{{0, 5}}).parts.empty());
  REQUIRE(connected_components(mask_of({"##", "##"})).parts == std::vector<component>{{4, 0, 0, 2, 2}});
}

TEST_CASE("random masks have the components that a flood fill finds") {
  for (std::uint32_t draw = 0; draw < 60; ++draw) {
    const auto mask = metrics_fixtures::random_mask(draw, 13, 17, 0.2 + 0.01 * draw);
    const auto found = connected_components(mask);
    REQUIRE(numbers(found) == flood_fill(mask));
    anodiff::index pixels = 0;
    for (const auto& part : found.parts) pixels += part.pixels;
    REQUIRE(pixels == std::count(mask.flat().begin(), mask.flat().end(), 1));
  }
}

}  // namespace

}  // namespace components_test
