// SPDX-License-Identifier: Apache-2.0
#include <anodiff/preprocessing/texture.hpp>
#include <catch2/catch.hpp>

namespace texture_test {

namespace ad = anodiff;

TEST_CASE("texture: brightness and roughness of squares, by hand", "[preprocessing]") {
  // columns 0.2, 0.4, 0.2, 0.4: two neighbours of a pixel are 0.2 away, one in the outer columns: deviations 0.1, 0.05
  ad::tensor<float, 3> stripes{{4, 4, 1}};
  for (ad::index e = 0; e < 16; ++e) stripes.data()[e] = e % 2 == 0 ? 0.2F : 0.4F;
  const auto maps = ad::preprocessing::texture(stripes, 2);
  REQUIRE(maps.extents() == ad::shape<3>{2, 2, 2});
  for (ad::index e = 0; e < 4; ++e) {
    CHECK(maps.row(0)[static_cast<std::size_t>(e)] == Approx(std::log(0.3 + 0.032)));
    CHECK(maps.row(1)[static_cast<std::size_t>(e)] == Approx(std::log(0.075 / (0.3 + 0.016) + 0.005)));
  }
}

TEST_CASE("texture: a square that the picture ends in is the mean of what there is; exposure moves brightness alone",
          "[preprocessing]") {
  ad::tensor<float, 3> colours{{5, 7, 3}}, brighter{{5, 7, 3}};
  for (ad::index e = 0; e < colours.size(); ++e) {
    colours.data()[e] = 0.3F + 0.01F * static_cast<float>(e * 37 % 11);
    brighter.data()[e] = 2 * colours.data()[e];
  }
  const auto one = ad::preprocessing::texture(colours, 4), two = ad::preprocessing::texture(brighter, 4);
  REQUIRE(one.extents() == ad::shape<3>{4, 2, 2});
  for (std::size_t e = 0; e < 4; ++e) {
    CHECK(two.row(0)[e] - one.row(0)[e] == Approx(std::log(2)).margin(0.05));
    CHECK(two.row(3)[e] == Approx(one.row(3)[e]).margin(0.05));
  }
}

TEST_CASE("texture: bad use is said", "[preprocessing]") {
  CHECK_THROWS_WITH(ad::preprocessing::texture(ad::tensor<float, 3>{{2, 2, 1}}, 0),
                    "preprocessing::texture: side must be at least 1, got 0");
  CHECK_THROWS_WITH(ad::preprocessing::texture(ad::tensor<float, 3>{{0, 2, 1}}, 1),
                    Catch::Contains("needs a picture with a pixel"));
}

}  // namespace texture_test
