// SPDX-License-Identifier: Apache-2.0
// A region of interest and a minimum area: what lies outside or is too small raises no alarm, and is said.
#include <anodiff/engines/cpu.hpp>
#include <anodiff/io/regions.hpp>
#include <anodiff/methods/image_default.hpp>
#include <anodiff/pooling/block_mean.hpp>
#include <anodiff/pooling/top_k.hpp>
#include <catch2/catch.hpp>
#include <filesystem>

#include "../support/textured.hpp"

namespace picture_focus_test {

namespace ad = anodiff;

namespace {

using detector = ad::methods::image_default<ad::cpu_engine>;
constexpr ad::index side = 48;

detector::options brief(ad::index reduce = 1) {
  detector::options out;
  out.training.steps = 40;
  out.training.batch = 8;
  out.model = {.width = 4, .levels = 2, .time_features = 8, .time_width = 8};
  out.picture = {.reduce = reduce, .scales = 2, .ratio = 2, .crop = 16, .coarse_network = true, .coarse_crop = 16};
  out.corruption.largest = 5;
  return out;
}
/// 1 in the columns from `left` on.
ad::tensor<std::uint8_t, 2> right_of(ad::index left) {
  ad::tensor<std::uint8_t, 2> out{{side, side}};
  for (ad::index i = 0; i < side; ++i)
    for (ad::index j = left; j < side; ++j) out(i, j) = 1;
  return out;
}
detector fitted(ad::picture_focus focus = {}, ad::index reduce = 1, ad::index texture_scales = 3) {
  auto numbers = brief(reduce);
  numbers.texture.scales = texture_scales;
  detector out{numbers, ad::cpu_engine{1}};
  out.narrow(std::move(focus));
  out.fit(ad::test::textured(44, side));
  return out;
}
const detector& plain() {
  static const detector made = fitted();
  return made;
}
ad::tensor<float, 3> damaged(ad::index top, ad::index left, ad::index size) {
  return ad::test::with_square(ad::test::textured(1, side, 100).front(), top, left, size);
}

}  // namespace

TEST_CASE("a region of interest: what is outside raises no score, is 0 in the map, and is no part of the calibration",
          "[pictures]") {
  const auto left = damaged(20, 6, 6), right = damaged(20, 34, 6);
  REQUIRE(plain().score(left).is_anomaly);
  REQUIRE(plain().score(right).is_anomaly);
  const auto made = fitted({.interest = right_of(24)});
  const auto outside = made.score(left), inside = made.score(right);
  CHECK_FALSE(outside.is_anomaly);
  CHECK(inside.is_anomaly);
  CHECK(outside.outside.regions >= 1);
  CHECK(outside.outside.pixels >= 10);
  CHECK(inside.too_small == ad::dropped_regions{});
  for (ad::index i = 0; i < side; ++i)
    for (ad::index j = 0; j < 24; ++j) REQUIRE(outside.map(i, j) == 0);
  CHECK(*std::max_element(inside.map.data(), inside.map.data() + inside.map.size()) == Approx(inside.score));

  // every score of the calibration is of the inside alone: damage outside all of its pictures changes none
  auto normals = ad::test::textured(44, side);
  auto others = normals;
  for (std::size_t i = 29; i < others.size(); ++i) others[i] = ad::test::with_square(others[i], 30, 0, 4);
  auto near = made, far = made;
  const auto held_out = [](auto& list) { return std::span{list}.subspan(24); };
  near.calibrate(ad::pictures_in_memory{held_out(normals)}, {.alpha = 0.05});
  far.calibrate(ad::pictures_in_memory{held_out(others)}, {.alpha = 0.05});
  const auto a = near.calibration_scores(), b = far.calibration_scores();
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) CHECK(a[i] == Approx(b[i]).epsilon(0.05));
  auto seen = plain();
  seen.calibrate(ad::pictures_in_memory{held_out(others)}, {.alpha = 0.05});
  CHECK(*seen.threshold() > 2 * *plain().threshold());
}

TEST_CASE("a region of interest smaller than a square of texture is judged all the same", "[pictures]") {
  ad::tensor<std::uint8_t, 2> spot{{side, side}};
  for (ad::index i = 21; i < 24; ++i)
    for (ad::index j = 21; j < 24; ++j) spot(i, j) = 1;
  const auto made = fitted({.interest = spot});
  CHECK(made.score(damaged(20, 20, 6)).score > 2 * *made.threshold());
  CHECK_FALSE(made.score(damaged(2, 36, 6)).is_anomaly);
}

TEST_CASE("a region of interest of all pixels changes nothing at full size", "[pictures]") {
  ad::tensor<std::uint8_t, 2> everything{{side, side}};
  std::ranges::fill(everything.flat(), std::uint8_t{255});
  const auto made = fitted({.interest = everything});
  const auto picture = damaged(20, 30, 5);
  CHECK(made.score(picture).score == plain().score(picture).score);
  CHECK(made.score(picture).map == plain().score(picture).map);
  CHECK(made.counted(side, side) == made.interest());
  CHECK(plain().counted(side, side).size() == 0);
}

TEST_CASE("a minimum area: an alarm is a region of that many pixels, and smaller ones are counted", "[pictures]") {
  for (const ad::index reduce : {1, 2}) {
    const auto made = fitted({.minimum_area = 30}, reduce, 0);  // squares of texture are larger
    int alarms = 0, quiet = 0;
    for (const ad::index size : {1, 2, 3, 5, 8, 12}) {
      const auto found = made.score(damaged(18, 14, size));
      const auto regions = ad::io::find_regions(found.map, {.threshold = *made.threshold(), .minimum_pixels = 30});
      CHECK(found.is_anomaly == !regions.kept.empty());
      CHECK(found.too_small.regions == static_cast<ad::index>(regions.dropped.size()));
      ad::index pixels = 0;
      for (const auto& one : regions.dropped) pixels += one.box.pixels;
      CHECK(found.too_small.pixels == pixels);
      (found.is_anomaly ? alarms : quiet) += 1;
    }
    CHECK(alarms >= 1);
    if (reduce == 1) CHECK(quiet >= 1);
  }
}

TEST_CASE("a focus is saved, narrowed after loading, and never widened", "[pictures]") {
  const auto made = fitted({.interest = right_of(12), .minimum_area = 4});
  const auto path = (std::filesystem::temp_directory_path() / ad::concat("anodiff-focus-", std::rand())).string();
  made.save(path);
  CHECK(ad::formats::read_safetensors(path).metadata_at("anodiff.format") == "6");
  auto loaded = detector::load(path, ad::cpu_engine{1});
  std::filesystem::remove(path);
  const auto picture = damaged(20, 30, 6);
  const auto before = made.score(picture), same = loaded.score(picture);
  CHECK(same.score == before.score);
  CHECK(same.map == before.map);
  CHECK(loaded.interest() == right_of(12));
  CHECK(loaded.numbers().picture.minimum_area == 4);
  loaded.narrow({.interest = right_of(40), .minimum_area = 2});
  CHECK(loaded.numbers().picture.minimum_area == 4);
  CHECK(loaded.interest() == right_of(40));
  CHECK(loaded.score(picture).score < before.score);
  loaded.narrow({.interest = right_of(0)});
  CHECK(loaded.interest() == right_of(40));
}

TEST_CASE("a focus that cannot work is refused", "[pictures]") {
  auto made = plain();
  CHECK_THROWS_WITH(made.narrow({.minimum_area = 0}),
                    "picture_detector::narrow: minimum_area must lie in [1, 2^24], got 0");
  CHECK_THROWS_WITH(made.narrow({.interest = ad::tensor<std::uint8_t, 2>{{side, side}}}),
                    "picture_detector::narrow: the region of interest needs a pixel that counts, got none");
  made.narrow({.interest = right_of(24)});
  CHECK_THROWS_WITH(made.narrow({.interest = ad::tensor<std::uint8_t, 2>{{side, 7}}}),
                    "picture_detector::narrow: the region of interest is 48 x 7, the detector has one of 48 x 48");
  const ad::tensor<float, 3> other{{30, 48, 1}};
  CHECK_THROWS_WITH(
      made.score(other, "small.png"),
      "picture_detector::score: small.png is 30 x 48, the region of interest is one of pictures of 48 x 48");
  auto bordered = brief();
  bordered.picture.border = 4;
  detector narrow{bordered, ad::cpu_engine{1}};
  CHECK_THROWS_WITH(narrow.narrow({.interest = right_of(45)}),
                    "picture_detector::narrow: the region of interest needs a pixel that counts, got none away from "
                    "the border that is left out");
  auto rim = right_of(24);
  ad::tensor<float, 3> wrong{{40, 48, 1}};
  auto set = ad::test::textured(44, side);
  set[5] = wrong;
  narrow.narrow({.interest = rim});
  CHECK_THROWS_WITH(
      narrow.fit(set),
      "picture_detector::fit: picture 6 is 40 x 48, the region of interest is one of pictures of 48 x 48");
}

TEST_CASE("poolers see nothing of what does not count", "[pictures]") {
  ad::tensor<float, 2> map{{4, 5}};
  for (ad::index e = 0; e < map.size(); ++e) map.data()[e] = static_cast<float>(e);
  ad::tensor<std::uint8_t, 2> counts{{4, 5}};
  for (ad::index i = 0; i < 3; ++i)
    for (ad::index j = 1; j < 4; ++j) counts(i, j) = 1;  // 1 2 3, 6 7 8, 11 12 13
  CHECK(ad::detail::pool_counted(ad::pooling::max{}, map, counts) == 13);
  CHECK(ad::detail::pool_counted(ad::pooling::mean{}, map, counts) == 7);
  CHECK(ad::detail::pool_counted(ad::pooling::top_k{{.count = 3}}, map, counts) == 12);
  CHECK(ad::detail::pool_counted(ad::pooling::block_mean{{.side = 2}}, map, counts) == 10);  // of 7 8 12 13
  const auto half = ad::detail::counted(counts, 2, 3, 0);  // some of a larger pixel is enough
  CHECK(std::ranges::equal(half.flat(), std::vector<std::uint8_t>{1, 1, 1, 1, 1, 1}));
  const auto inside = ad::detail::counted({}, 4, 5, 1);
  CHECK(std::ranges::count(inside.flat(), 1) == 6);
}

TEST_CASE("scales say what each of them sees", "[pictures]") {
  const auto picture = damaged(20, 20, 6);
  const auto maps = plain().maps_by_scale(picture);
  const auto whole = plain().score(picture);
  REQUIRE(maps.size() == 5);  // two of networks, three of texture
  CHECK(maps[0].extents() == whole.map.extents());
  for (ad::index e = 0; e < whole.map.size(); ++e) {
    float sum = 0;
    for (const auto& map : maps) sum += map.data()[e];
    REQUIRE(sum == Approx(whole.map.data()[e]).margin(1e-4));
  }
  CHECK(plain().p_value(whole.score) == whole.p_value);
}

}  // namespace picture_focus_test
