// SPDX-License-Identifier: Apache-2.0
#include "fixtures.hpp"

#include <anodiff/formats/bytes.hpp>

namespace bytes_test {

namespace {

using namespace anodiff;
using namespace anodiff::formats;
using namespace formats_fixtures;

TEST_CASE("byte_reader takes little-endian numbers up to the end and names file and offset beyond it") {
  const std::string_view text{"\x01\x02\x03\x04\x05\x06\x07", 7};
  byte_reader reader{bytes_of(text), "x.bin"};
  REQUIRE(reader.take<std::uint8_t>("a byte") == 1);
  REQUIRE(reader.take<std::uint16_t>("a word") == 0x0302);
  REQUIRE(reader.take<std::uint32_t>("a word") == 0x07060504);
  REQUIRE(reader.left() == 0);
  REQUIRE(message_of([&] { (void)reader.take<std::uint32_t>("the size"); }) ==
          "x.bin: cut short: the size needs 4 bytes, got 0 (at byte 7)");
  reader.seek(2, "the table");
  REQUIRE(reader.position() == 2);
  REQUIRE(message_of([&] { (void)reader.take_bytes(~std::uint64_t{0}, "the data"); }) ==
          "x.bin: cut short: the data needs 18446744073709551615 bytes, got 5 (at byte 2)");
  REQUIRE(message_of([&] { reader.seek(8, "the table"); }) ==
          "x.bin: cut short: the table should begin at byte 8 of 7 (at byte 2)");
}

TEST_CASE("byte_reader counts offsets from the place of its bytes in the file") {
  byte_reader reader{bytes_of("ab"), "x.bin", 100};
  (void)reader.take<std::uint8_t>("a byte");
  REQUIRE(message_of([&] { reader.fail("need a ", 'c'); }) == "x.bin: need a c (at byte 101)");
}

TEST_CASE("in_quotes shortens and disarms names out of files") {
  REQUIRE(in_quotes("name") == "\"name\"");
  REQUIRE(in_quotes("a\nb\x7f") == "\"a?b?\"");
  REQUIRE(in_quotes(std::string(1000, 'x')) == "\"" + std::string(80, 'x') + "...\"");
}

TEST_CASE("buffer is aligned, grows, keeps its bytes and moves") {
  buffer b;
  REQUIRE(b.span().empty());
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    const std::string more(static_cast<std::size_t>(i % 7), static_cast<char>('a' + i % 26));
    b.append(bytes_of(more));
    expected += more;
  }
  REQUIRE(text_of(b.span()) == expected);
  REQUIRE(reinterpret_cast<std::uintptr_t>(b.data()) % tensor_alignment == 0);
  const auto* place = b.data();
  b.resize(10);
  REQUIRE(b.data() == place);
  buffer moved{std::move(b)};
  REQUIRE(text_of(moved.span()) == expected.substr(0, 10));
  b = std::move(moved);
  REQUIRE(b.size() == 10);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(__clang__)
TEST_CASE("buffer says what memory has no room for") {  // sanitizers end the program on such a request
  REQUIRE(message_of<memory_error>([] { buffer huge{std::size_t{1} << 62}; }) ==
          "buffer: no memory for 4611686018427387904 bytes");
}
#endif

}  // namespace

}  // namespace bytes_test
