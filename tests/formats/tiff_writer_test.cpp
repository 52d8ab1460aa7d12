// SPDX-License-Identifier: Apache-2.0
#include <anodiff/formats/tiff_writer.hpp>
#include <map>

#include "fixtures.hpp"

namespace tiff_writer_test {

namespace {

using namespace anodiff;
using namespace anodiff::formats;
using namespace formats_fixtures;

TEST_CASE("a TIFF of floats has the tags that a baseline reader asks for") {
  tensor<float, 2> map{{2, 3}};
  for (anodiff::index i = 0; i < 6; ++i) map.data()[i] = static_cast<float>(i) / 4 - 0.5f;
  buffer out;
  write_tiff(out, map);
  byte_reader reader{out, "x.tif"};
  REQUIRE(text_of(reader.take_bytes(4, "sign")) == std::string_view{"II*\0", 4});
  reader.seek(reader.take<std::uint32_t>("place"), "directory");
  std::map<int, std::pair<int, std::uint32_t>> tags;
  int before = 0;
  for (auto left = reader.take<std::uint16_t>("count"); left > 0; --left) {
    const auto tag = reader.take<std::uint16_t>("tag");
    const auto type = reader.take<std::uint16_t>("type");
    REQUIRE(reader.take<std::uint32_t>("count") == 1);
    REQUIRE(tag > before);  // ascending, as the format asks
    before = tag;
    tags[tag] = {type, reader.take<std::uint32_t>("value")};
  }
  REQUIRE(reader.take<std::uint32_t>("next") == 0);
  REQUIRE(tags[256].second == 3);
  REQUIRE(tags[257].second == 2);
  REQUIRE(tags[258].second == 32);
  REQUIRE(tags[259].second == 1);
  REQUIRE(tags[262].second == 1);
  REQUIRE(tags[277].second == 1);
  REQUIRE(tags[278].second == 2);
  REQUIRE(tags[279].second == 24);
  REQUIRE(tags[339].second == 3);
  for (const int tag : {282, 283}) {
    REQUIRE(tags[tag].first == 5);
    reader.seek(tags[tag].second, "resolution");
    REQUIRE(reader.take<std::uint32_t>("numerator") == 1);
    REQUIRE(reader.take<std::uint32_t>("denominator") == 1);
  }
  reader.seek(tags[273].second, "strip");
  REQUIRE(text_of(reader.take_bytes(24, "strip")) == text_of(std::as_bytes(map.flat())));
  REQUIRE(reader.left() == 0);
}

TEST_CASE("a map without pixels is no TIFF") {
  const scratch_folder folder;
  REQUIRE_THAT(message_of<invalid_argument>([&] {
                 write_tiff(folder / "x.tif", tensor<float, 2>{{0, 3}});
               }),
               Catch::StartsWith("write_tiff: needs a map of 1 to "));
  REQUIRE(folder.list().empty());
}

}  // namespace

}  // namespace tiff_writer_test
