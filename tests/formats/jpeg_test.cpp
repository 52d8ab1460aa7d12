// SPDX-License-Identifier: Apache-2.0
#ifdef ANODIFF_HAS_IMAGES
#include <anodiff/formats/jpeg.hpp>

#include "picture_fixtures.hpp"

namespace jpeg_test {

namespace {

using namespace anodiff;
using namespace anodiff::formats;
using namespace formats_fixtures;
using namespace picture_fixtures;

picture parse(std::string_view content, picture_limits limits = {}) {
  return parse_jpeg(bytes_of(content), "x.jpg", limits);
}
template <class Error = data_error>
std::string refusal(std::string_view content, picture_limits limits = {}) {
  return message_of<Error>([&] { (void)parse(content, limits); });
}
/// The ramp of picture_fixtures::jpeg, to two steps: what its loss may be at quality 100.
void require_ramp(const picture& read, anodiff::index height, anodiff::index width, anodiff::index channels) {
  REQUIRE(read.values.extents() == shape<3>{height, width, channels});
  REQUIRE(read.maximum == 255);
  for (anodiff::index i = 0; i < read.values.size(); ++i) {
    const auto expected = static_cast<int>(20 + 2 * (i / channels % width));
    REQUIRE(std::abs(int{read.values.flat()[static_cast<std::size_t>(i)]} - expected) <= 2);
  }
}

TEST_CASE("grey and colours, baseline and progressive, of any size") {
  for (const bool progressive : {false, true})
    for (const auto& [width, height] : {std::array{1, 1}, std::array{17, 9}, std::array{64, 33}}) {
      CAPTURE(width, height, progressive);
      require_ramp(parse(jpeg(width, height, {3, JCS_RGB, progressive})), height, width, 3);
      require_ramp(parse(jpeg(width, height, {1, JCS_GRAYSCALE, progressive})), height, width, 1);
    }
}

TEST_CASE("what follows the end is not looked at") {
  const auto good = jpeg(16, 8);
  REQUIRE(parse(good + "garbage") == parse(good));
}

TEST_CASE("a damaged JPEG is refused by name") {
  const auto good = jpeg(16, 8, {1, JCS_GRAYSCALE});
  for (std::size_t size = 0; size < good.size(); ++size) {
    CAPTURE(size);
    REQUIRE_THAT(refusal(good.substr(0, size)), Catch::StartsWith("x.jpg: cannot read this JPEG: "));
  }
  REQUIRE(refusal({}) == "x.jpg: cannot read this JPEG: the file is cut short");
  REQUIRE(refusal(good.substr(0, good.size() - 2)) == "x.jpg: cannot read this JPEG: the file is cut short");
  REQUIRE_THAT(refusal("not a picture"), Catch::StartsWith("x.jpg: cannot read this JPEG: Not a JPEG file"));
}

TEST_CASE("printing colours are refused with a way out") {
  REQUIRE(refusal(jpeg(8, 8, {4, JCS_CMYK})) ==
          "x.jpg: a JPEG in CMYK, printing colours, cannot be read; convert it to RGB or grey");
  REQUIRE(refusal(jpeg(8, 8, {2, JCS_UNKNOWN})) == "x.jpg: a JPEG of 2 channels of unknown colours cannot be read");
}

TEST_CASE("a JPEG beyond the limit is refused before memory is taken") {
  auto huge = jpeg(16, 8);
  const auto frame = huge.find("\xff\xc0");
  REQUIRE(frame != std::string::npos);
  huge.replace(frame + 5, 4, bytes({20000 / 256, 20000 % 256, 20000 / 256, 20000 % 256}));
  REQUIRE(refusal<memory_error>(huge) ==
          "x.jpg: 20000 x 20000 pixels need 2400000000 bytes; the limit is 67108864 pixels");
  REQUIRE(refusal<memory_error>(jpeg(16, 8), {.pixels = 127}) ==
          "x.jpg: 8 x 16 pixels need 768 bytes; the limit is 127 pixels");
}

}  // namespace

}  // namespace jpeg_test
#endif
