// SPDX-License-Identifier: Apache-2.0
#include <anodiff/pipeline/crop_source.hpp>
#include <catch2/catch.hpp>
#include <set>

namespace crop_source_test {

namespace ad = anodiff;

namespace {

/// A picture whose pixels hold their own place: 100 row + column.
ad::tensor<float, 3> numbered(ad::index height, ad::index width) {
  ad::tensor<float, 3> out{{height, width, 1}};
  for (ad::index i = 0; i < height; ++i)
    for (ad::index j = 0; j < width; ++j) out.data()[i * width + j] = static_cast<float>(100 * i + j);
  return out;
}

}  // namespace

TEST_CASE("a cut is reflected outside the picture, and can be turned over", "[pictures]") {
  const auto picture = numbered(3, 4);
  std::vector<float> out(6);
  ad::cut(picture, {-1, 2, 2, 3}, out.data());
  CHECK(out == std::vector<float>{102, 103, 102, 2, 3, 2});
  ad::cut(picture, {0, 0, 2, 3, true, true}, out.data());
  CHECK(out == std::vector<float>{102, 101, 100, 2, 1, 0});
}

TEST_CASE("crops depend on the key and their place alone, and reach every corner", "[pictures]") {
  const std::vector<ad::tensor<float, 3>> pictures{numbered(20, 12), numbered(9, 30)};
  ad::picture_params how{.crop = 8, .margin = 2, .mirror = false};
  const ad::crop_source source{pictures, 2, how, how.crop, 5};
  CHECK(source.training() == 10);
  CHECK(source.count() == 10);
  CHECK(source.row_size() == 64);
  std::vector<float> crop(64), again(64);
  std::set<float> corners;
  for (std::uint32_t step = 0; step < 2000; ++step) {
    const ad::noise_key key{.seed = 4, .step = step, .use = ad::purpose::augmentation};
    source.take(2, key, crop);
    source.take(2, key, again);
    CHECK(crop == again);
    corners.insert(crop[2 * 8 + 2]);  // two pixels in: the first that lies inside wherever the crop begins
    for (std::size_t i = 3; i < 5; ++i) CHECK(crop[i * 8 + 4] - crop[i * 8 + 3] == 1);
  }
  CHECK(corners.size() == (20 + 4 - 8 + 1) * (12 + 4 - 8 + 1));
}

TEST_CASE("a picture smaller than a crop lies in its middle", "[pictures]") {
  const std::vector<ad::tensor<float, 3>> pictures{numbered(2, 2)};
  const ad::crop_source source{pictures, 1, {.margin = 0, .mirror = false}, 8, 1};
  std::vector<float> crop(64);
  source.take(0, {}, crop);
  CHECK(crop[3 * 8 + 3] == 0);
  CHECK(crop[4 * 8 + 4] == 101);
  CHECK(crop[5 * 8 + 4] == 1);
}

}  // namespace crop_source_test
