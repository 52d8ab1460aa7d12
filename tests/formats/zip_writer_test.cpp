// SPDX-License-Identifier: Apache-2.0
#ifdef ANODIFF_HAS_ZLIB
#include "fixtures.hpp"

#include <anodiff/formats/zip_writer.hpp>

namespace zip_writer_test {

namespace {

using namespace anodiff;
using namespace anodiff::formats;
using namespace formats_fixtures;

TEST_CASE("zip_writer refuses names that its reader would") {
  buffer out;
  zip_writer zip{out};
  zip.add("a", {}, false);
  REQUIRE(message_of<invalid_argument>([&] { zip.add("a", {}, true); }) == "zip_writer: two members are named \"a\"");
  REQUIRE(message_of<invalid_argument>([&] { zip.add("../a", {}, true); }) ==
          "zip_writer: need a plain relative path, got \"../a\"");
  REQUIRE(message_of<invalid_argument>([&] {
            zip.add(std::string(65'536, 'n'), {}, true);
          }).starts_with("zip_writer: need a plain relative path, got \"nnn"));
  zip.finish();
  REQUIRE(zip_archive{std::move(out), "a.zip"}.members().size() == 1);
}

TEST_CASE("more members than 16 bits can count are written and read through zip64 records") {
  constexpr int count = 65'600;
  buffer out;
  zip_writer zip{out};
  for (int i = 0; i < count; ++i) zip.add(concat(i), {}, false);
  zip.finish();
  REQUIRE(text_of(out.span().last(98)).starts_with("PK\6\6"));
  const zip_archive archive{std::move(out), "a.zip", {.members = count}};
  REQUIRE(archive.members().size() == count);
  REQUIRE(archive.members().back().name == concat(count - 1));
}

TEST_CASE("a sink that fails stops the writer with its error") {
  struct full_disk {
    void write(byte_span) { throw io_error("the disk is full"); }
  } sink;
  zip_writer zip{sink};
  REQUIRE(message_of<io_error>([&] { zip.add("a", {}, false); }) == "the disk is full");
}

}  // namespace

}  // namespace zip_writer_test
#endif
