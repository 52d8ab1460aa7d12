// SPDX-License-Identifier: Apache-2.0
#include <anodiff/engines/cpu.hpp>
#include "laws/preprocessor_laws.hpp"

namespace local_contrast_test {

namespace ad = anodiff;

namespace {

ad::tensor<float, 3> prepared(const ad::tensor<float, 3>& picture,
                              const ad::preprocessing::local_contrast_params& p = {}) {
  ad::tensor<float, 3> out{picture.extents()};
  ad::preprocessing::local_contrast{p}.apply(ad::cpu_engine{1}, picture, out);
  return out;
}
ad::tensor<float, 3> noisy(float brightness, float slope) {
  ad::tensor<float, 3> out{{60, 80, 1}};
  for (ad::index i = 0; i < out.size(); ++i) {
    const double texture = 0.05 * ad::random_normal({.seed = 2}, static_cast<std::uint64_t>(i));
    out.data()[i] = (brightness + slope * static_cast<float>(i % 80)) * static_cast<float>(1 + texture);
  }
  return out;
}

}  // namespace

TEST_CASE("local_contrast: exposure and slow light drop out", "[preprocessing]") {
  const ad::preprocessing::local_contrast_params exact{.dark = 1e-6, .flat = 1e-6};
  const auto plain = prepared(noisy(0.2F, 0), exact), bright = prepared(noisy(0.6F, 0), exact),
             shaded = prepared(noisy(0.2F, 0.001F), exact);
  double square = 0;
  for (ad::index i = 0; i < plain.size(); ++i) {
    CHECK(bright.data()[i] == Approx(plain.data()[i]).margin(2e-3));
    if (i % 80 >= 48 - 16 && i % 80 < 48)  // away from the border, where the slope is reflected
      CHECK(shaded.data()[i] == Approx(plain.data()[i]).margin(0.15));
    square += static_cast<double>(plain.data()[i]) * static_cast<double>(plain.data()[i]);
  }
  CHECK(std::sqrt(square / static_cast<double>(plain.size())) == Approx(1).margin(0.1));
}

TEST_CASE("local_contrast: a flat picture is zero, and a spot is clipped at the limit", "[preprocessing]") {
  ad::tensor<float, 3> flat{{40, 40, 3}};
  std::ranges::fill(flat.flat(), 0.4F);
  const auto even = prepared(flat);
  for (const float v : even.flat()) CHECK(std::abs(v) < 1e-2F);
  flat.data()[(20 * 40 + 20) * 3 + 1] = 1;
  const auto spot = prepared(flat, {.limit = 5});
  CHECK(spot.data()[(20 * 40 + 20) * 3 + 1] == 5);
  CHECK(std::abs(spot.data()[(20 * 40 + 20) * 3]) < 1e-2F);
  CHECK_THROWS_WITH(prepared(flat, {.flat = 0}), "preprocessing::local_contrast: flat must be above 0, got 0");
}

TEMPLATE_LIST_TEST_CASE("preprocessings of pictures keep the laws of their concept", "[preprocessing][laws]",
                        laws::all_picture_preprocessors) {
  laws::check_policy<TestType>();
  STATIC_REQUIRE(ad::picture_preprocessor_on<TestType, ad::cpu_engine>);
  const auto picture = noisy(0.3F, 0.001F);
  ad::tensor<float, 3> one{picture.extents()}, three{picture.extents()};
  TestType{}.apply(ad::cpu_engine{1}, picture, one);
  TestType{}.apply(ad::cpu_engine{3}, picture, three);
  CHECK(one == three);
}

TEST_CASE("local_contrast: at coarse scales a pixel is compared with the whole picture, by hand", "[preprocessing]") {
  const ad::preprocessing::local_contrast_params p{.dark = 0.05, .limit = 1, .whole = 1};
  ad::tensor<float, 3> picture{{1, 3, 2}}, out{picture.extents()};
  const std::vector<float> values{0.1F, 0.9F, 0.3F, 0.9F, 0.9F, 0.4F};
  std::ranges::copy(values, picture.data());
  ad::preprocessing::local_contrast{p}.apply(ad::cpu_engine{1}, picture, out, 1);
  // ln(I + 0.1) less the median of each channel: ln 0.2, ln 0.4, ln 1 and 0, 0, ln 0.5
  const std::vector<double> want{-std::log(2), 0, 0, 0, std::log(2.5), -std::log(2)};
  for (std::size_t i = 0; i < want.size(); ++i)
    CHECK(static_cast<double>(out.data()[i]) == Approx(want[i]).margin(1e-6));
  picture.data()[0] = -1;  // no brightness, and cut off at the limit
  ad::preprocessing::local_contrast{p}.apply(ad::cpu_engine{1}, picture, out, 2);
  CHECK(out.data()[0] == -1.0F);
  CHECK_THROWS_WITH(ad::preprocessing::local_contrast({.whole = 9}),
                    "preprocessing::local_contrast: whole must lie in [0, 8], got 9");
}

}  // namespace local_contrast_test
