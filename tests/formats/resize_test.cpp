// SPDX-License-Identifier: Apache-2.0
#include <anodiff/core/philox.hpp>
#include <anodiff/formats/resize.hpp>
#include <array>

#include "fixtures.hpp"

namespace resize_test {

namespace {

using namespace anodiff;
using namespace anodiff::formats;
using namespace formats_fixtures;
using list = std::vector<float>;

tensor<float, 3> picture_of(shape<3> extents, std::initializer_list<float> values) {
  tensor<float, 3> out{extents};
  std::ranges::copy(values, out.data());
  return out;
}
tensor<float, 3> noise(shape<3> extents) {
  tensor<float, 3> out{extents};
  for (anodiff::index i = 0; i < out.size(); ++i)
    out.data()[i] = static_cast<float>(random_normal({1, 0, 0, purpose::repeat}, static_cast<std::uint64_t>(i)));
  return out;
}
list values(const tensor<float, 3>& from) { return {from.flat().begin(), from.flat().end()}; }

TEST_CASE("shrinking takes the mean over the area, by hand") {
  REQUIRE(values(resize(picture_of({2, 4, 1}, {1, 3, 5, 7, 3, 5, 7, 9}), 1, 2)) == list{3, 7});
  // 3 to 2: the middle pixel is shared; (1 + 4/2) / 1.5 = 2, (4/2 + 7) / 1.5 = 6
  REQUIRE(values(resize(picture_of({1, 3, 1}, {1, 4, 7}), 1, 2)) == list{2, 6});
  REQUIRE(values(resize(picture_of({1, 2, 2}, {1, 10, 3, 20}), 1, 1)) == list{2, 15});
}

TEST_CASE("growing is bilinear between centres of pixels, by hand") {
  // centres of the new pixels: -1/4, 1/4, 3/4, 5/4 of the old ones
  REQUIRE(values(resize(picture_of({1, 2, 1}, {0, 4}), 1, 4)) == list{0, 1, 3, 4});
  REQUIRE(values(resize(picture_of({2, 1, 1}, {0, 4}), 4, 1)) == list{0, 1, 3, 4});
  REQUIRE(values(resize(picture_of({1, 1, 1}, {5}), 2, 3)) == list(6, 5));
}

TEST_CASE("resizing keeps the size, a constant, a mean when shrinking and a ramp when growing") {
  const auto from = noise({9, 14, 3});
  REQUIRE(resize(from, 9, 14) == from);
  tensor<float, 3> constant{{7, 11, 1}};
  std::ranges::fill(constant.flat(), 0.7f);
  for (const auto& [height, width] : {std::array{3, 5}, std::array{20, 4}, std::array{7, 40}, std::array{1, 1}}) {
    const auto resized = resize(constant, height, width);
    for (const float value : resized.flat()) REQUIRE(value == Approx(0.7f).epsilon(1e-6));
  }
  const auto mean = [](const tensor<float, 3>& x) {
    double sum = 0;
    for (const float value : x.flat()) sum += static_cast<double>(value);
    return sum / static_cast<double>(x.size());
  };
  for (const auto& [height, width] : {std::array{4, 5}, std::array{8, 13}, std::array{1, 1}, std::array{9, 3}})
    REQUIRE(mean(resize(from, height, width)) == Approx(mean(from)).margin(1e-6));
  const auto grown = resize(picture_of({1, 4, 1}, {0, 1, 2, 3}), 1, 9);
  for (anodiff::index j = 1; j < 8; ++j)
    REQUIRE(grown.data()[j] == Approx((static_cast<double>(j) + 0.5) * 4 / 9 - 0.5).epsilon(1e-6));
}

TEST_CASE("the middle is cut out, and reflected margins come off again") {
  const auto from = picture_of({3, 4, 1}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  REQUIRE(values(centre_crop(from, 1, 2)) == list{5, 6});
  REQUIRE(values(centre_crop(from, 2, 1)) == list{1, 5});
  REQUIRE(values(crop(from, 1, 2, 2, 2)) == list{6, 7, 10, 11});
  REQUIRE(values(reflect_pad(picture_of({1, 3, 1}, {1, 2, 3}), {.left = 2, .right = 3})) ==
          list{3, 2, 1, 2, 3, 2, 1, 2});
  REQUIRE(values(reflect_pad(picture_of({2, 1, 2}, {1, 2, 3, 4}), {.top = 1, .right = 1})) ==
          list{3, 4, 3, 4, 1, 2, 1, 2, 3, 4, 3, 4});
  REQUIRE(crop(reflect_pad(from, {5, 6, 7, 8}), 5, 7, 3, 4) == from);
  const auto wide = reflect_pad(picture_of({1, 2, 1}, {1, 2}), {.left = 3, .right = 4});
  REQUIRE(values(wide) == list{2, 1, 2, 1, 2, 1, 2, 1, 2});
}

TEST_CASE("what has no meaning is refused") {
  const auto from = noise({3, 4, 1});
  const auto refusal = [](auto&& f) { return message_of<invalid_argument>(f); };
  REQUIRE(refusal([&] { (void)resize(from, 0, 4); }) == "resize: the new size must be at least 1 x 1, got 0 x 4");
  REQUIRE(refusal([&] {
            (void)resize(tensor<float, 3>{{0, 4, 1}}, 1, 1);
          }) == "resize: needs at least one pixel, got shape (0, 4, 1)");
  REQUIRE(refusal([&] { (void)centre_crop(from, 4, 4); }) == "centre_crop: 4 x 4 must lie within 3 x 4");
  REQUIRE(refusal([&] { (void)crop(from, 1, 0, 3, 4); }) ==
          "crop: 3 x 4 from row 1 and column 0 must lie within 3 x 4");
  REQUIRE(refusal([&] { (void)reflect_pad(from, {.top = -1}); }) ==
          "reflect_pad: margins must be at least 0, got -1, 0, 0, 0");
}

}  // namespace

}  // namespace resize_test
