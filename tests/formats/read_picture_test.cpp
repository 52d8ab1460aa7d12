// SPDX-License-Identifier: Apache-2.0
#ifdef ANODIFF_HAS_IMAGES
#include <anodiff/formats/read_picture.hpp>
#include <array>

#include "picture_fixtures.hpp"
#include "support/real_data.hpp"

namespace read_picture_test {

namespace {

using namespace anodiff;
using namespace anodiff::formats;
using namespace formats_fixtures;
using namespace picture_fixtures;

TEST_CASE("content decides what a picture is, not its name") {
  const scratch_folder folder;
  write_file_atomically(folder / "a.jpg", bytes_of(png(1, 1, 8, 0, bytes({0, 9}))));
  REQUIRE(read_picture(folder / "a.jpg").values.flat()[0] == 9);
  write_file_atomically(folder / "b.png", bytes_of(jpeg(16, 8)));
  REQUIRE(read_picture(folder / "b.png").values.extents() == shape<3>{8, 16, 3});
}

TEST_CASE("another kind of file is refused by name") {
  const auto refusal = [](std::string_view content) {
    return message_of([&] { (void)parse_picture(bytes_of(content), "x.dat"); });
  };
  REQUIRE(refusal("") == "x.dat: need a PNG or a JPEG picture, got an empty file");
  REQUIRE(refusal("GIF89a") == "x.dat: need a PNG or a JPEG picture, got GIF");
  REQUIRE(refusal("hello") == "x.dat: need a PNG or a JPEG picture, got a file of unknown kind");
  REQUIRE(refusal(concat("RIFF", std::string(4, '\1'), "WEBPVP8 ")) == "x.dat: need a PNG or a JPEG picture, got WebP");
  REQUIRE(refusal(std::string{"II*\0", 4}) == "x.dat: need a PNG or a JPEG picture, got TIFF");
  REQUIRE(message_of<io_error>([] { (void)read_picture("/nowhere.png"); }) ==
          "cannot open /nowhere.png: No such file or directory");
}

TEST_CASE("magnetic tiles are read", "[real]") {
  const auto folder = test::real_data("mtd");
  if (folder.empty()) return;
  const auto tile = read_picture(folder + "/Crack/exp6_num_85665.jpg");
  const auto mask = read_picture(folder + "/ground_truth/Crack/exp6_num_85665.png");
  REQUIRE(tile.channels() == 1);
  REQUIRE((tile.height() == mask.height() && tile.width() == mask.width()));
}

}  // namespace

}  // namespace read_picture_test
#endif
