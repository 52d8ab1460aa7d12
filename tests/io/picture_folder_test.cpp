// SPDX-License-Identifier: Apache-2.0
#ifdef ANODIFF_HAS_IMAGES
#include <anodiff/formats/png_writer.hpp>
#include <anodiff/io/picture_folder.hpp>
#include <anodiff/io/picture_layout.hpp>
#include <filesystem>

#include "formats/fixtures.hpp"
#include "support/real_data.hpp"

namespace picture_folder_test {

namespace {

using namespace anodiff;
using namespace anodiff::io;
using namespace formats_fixtures;
using names = std::vector<std::string>;

formats::picture grey(std::initializer_list<std::uint16_t> values, int maximum = 255) {
  formats::picture out{tensor<std::uint16_t, 3>{{1, static_cast<anodiff::index>(values.size()), 1}}, maximum};
  std::ranges::copy(values, out.values.data());
  return out;
}
/// Files without content.
void make_files(const scratch_folder& folder, const names& paths) {
  for (const auto& path : paths) {
    std::filesystem::create_directories(std::filesystem::path{folder / path}.parent_path());
    formats::write_file_atomically(folder / path, formats::byte_span{});
  }
}
names relative(const scratch_folder& folder, const names& paths) {
  names out;
  for (const auto& path : paths) out.push_back(path.substr((folder / "").size()));
  return out;
}

TEST_CASE("a folder's files come in the order of their bytes, without hidden ones and folders") {
  const scratch_folder folder;
  make_files(folder, {"b.png", "B.png", "a10.png", "a9.png", ".hidden", "inner/c.png"});
  REQUIRE(relative(folder, files_in(folder / "")) == names{"B.png", "a10.png", "a9.png", "b.png"});
  REQUIRE(relative(folder, folders_in(folder / "")) == names{"inner"});
  REQUIRE(stem_of("a.b/c.d.png") == "c.d");
  REQUIRE(stem_of("a.b/c") == "c");
  REQUIRE_THAT(message_of<io_error>([&] { (void)files_in(folder / "absent"); }),
               Catch::StartsWith("cannot list the folder ") && Catch::EndsWith("absent: No such file or directory"));
}

TEST_CASE("one bad file of many is named; it is left out where that is asked for") {
  const scratch_folder folder;
  for (int i = 0; i < 30; ++i) formats::write_png(folder / concat(i + 100, ".png"), grey({9, 8}));
  formats::write_file_atomically(folder / "117.png", formats::bytes_of("GIF89a"));
  REQUIRE(message_of([&] { (void)read_picture_folder(folder / ""); }) ==
          concat(folder / "117.png", ": need a PNG or a JPEG picture, got GIF"));
  const auto read = read_picture_folder(folder / "", {.skip_bad = true});
  REQUIRE(read.pictures.size() == 29);
  REQUIRE(read.paths[17] == folder / "118.png");
  REQUIRE(read.skipped.size() == 1);
  REQUIRE(read.skipped[0].path == folder / "117.png");
  REQUIRE(read.skipped[0].reason == concat(folder / "117.png", ": need a PNG or a JPEG picture, got GIF"));
  const scratch_folder empty;
  REQUIRE_THAT(message_of([&] { (void)read_picture_folder(empty / ""); }),
               Catch::EndsWith(": needs at least one picture, got an empty folder"));
}

TEST_CASE("a mask is what lies above half of the range") {
  const auto mask = mask_of(grey({0, 3, 127, 128, 255}));
  REQUIRE(std::ranges::equal(mask.flat(), std::array{0, 0, 0, 1, 1}));
  REQUIRE(std::ranges::equal(mask_of(grey({32767, 32768}, 65535)).flat(), std::array{0, 1}));
  formats::picture colours{tensor<std::uint16_t, 3>{{1, 2, 3}}, 255};
  colours.values.flat()[4] = 200;
  REQUIRE(std::ranges::equal(mask_of(colours).flat(), std::array{0, 1}));
  const scratch_folder folder;
  formats::write_png(folder / "m.png", grey({0, 255}));
  REQUIRE(std::ranges::equal(read_mask(folder / "m.png", 1, 2).flat(), std::array{0, 1}));
  REQUIRE(message_of([&] { (void)read_mask(folder / "m.png", 2, 1); }) ==
          concat(folder / "m.png", ": needs the size of its picture, 2 x 1, got 1 x 2"));
}

TEST_CASE("the layout of MVTec AD") {
  const scratch_folder folder;
  make_files(folder, {"train/good/000.png", "train/good/001.png", "test/good/000.png", "test/cut/000.png",
                      "test/cut/001.png", "test/hole/000.jpg", "ground_truth/hole/000.a.png",
                      "ground_truth/cut/000_mask.png", "ground_truth/hole/000.png"});
  const auto found = find_layout(folder / "");
  REQUIRE(relative(folder, found.train) == names{"train/good/000.png", "train/good/001.png"});
  const auto root = folder / "";
  REQUIRE(found.test ==
          std::vector<test_picture>{{root + "test/cut/000.png", "cut", 1, root + "ground_truth/cut/000_mask.png"},
                                    {root + "test/cut/001.png", "cut", 1, ""},
                                    {root + "test/good/000.png", "good", 0, ""},
                                    {root + "test/hole/000.jpg", "hole", 1, root + "ground_truth/hole/000.png"}});
}

TEST_CASE("the layout of one folder a kind splits the normal ones by number and leaves a gap") {
  const scratch_folder folder;
  names files{"Crack/exp1_num_7.jpg", "ground_truth/Crack/exp1_num_7.png"};
  for (int i = 1; i <= 25; ++i) files.push_back(concat("good/exp", 1 + i % 6, "_num_", i * 5, ".jpg"));
  make_files(folder, files);
  const auto found = find_layout(folder / "");
  REQUIRE(found.train.size() == 17);  // numbers 5 … 85
  REQUIRE(found.test.size() == 8);    // 95 … 125 and the crack; 90 falls into the gap
  for (const auto& path : found.train) REQUIRE(std::stoi(path.substr(path.rfind('_') + 1)) <= 85);
  int cracks = 0;
  for (const auto& one : found.test) {
    if (one.label == 0) REQUIRE(std::stoi(one.path.substr(one.path.rfind('_') + 1)) >= 95);
    if (one.label == 0) continue;
    ++cracks;
    REQUIRE(one.kind == "Crack");
    REQUIRE_THAT(one.mask, Catch::EndsWith("/ground_truth/Crack/exp1_num_7.png"));
  }
  REQUIRE(cracks == 1);
  REQUIRE(kinds_layout(folder / "", {.train = 1, .test = 0}).train.size() == 25);
  REQUIRE(message_of<invalid_argument>([&] { (void)kinds_layout(folder / "", {.train = 0.8, .test = 0.3}); }) ==
          "kinds_layout: shares must be at least 0 and at most 1 together, got 0.8 and 0.3");
  const scratch_folder other;
  REQUIRE_THAT(message_of([&] { (void)find_layout(other / ""); }),
               Catch::EndsWith(": needs folders train/good and test, or a folder good"));
}

TEST_CASE("magnetic tiles: every defect has its mask, of the same size", "[real]") {
  const auto root = test::real_data("mtd");
  if (root.empty()) return;
  const auto found = find_layout(root);
  REQUIRE(found.train.size() == 220);
  std::size_t normal = 0;
  for (const auto& one : found.test) {
    normal += one.label == 0;
    REQUIRE((one.label == 0) == one.mask.empty());
    if (one.kind != "Crack") continue;
    const auto picture = formats::read_picture(one.path);
    const auto mask = read_mask(one.mask, picture.height(), picture.width());
    REQUIRE(std::ranges::count(mask.flat(), 1) > 0);
  }
  REQUIRE(normal == 88);
  REQUIRE(found.test.size() == 88 + 57 + 115);
}

}  // namespace

}  // namespace picture_folder_test
#endif
