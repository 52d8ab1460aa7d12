// SPDX-License-Identifier: Apache-2.0
#include <anodiff/formats/detail/utf8.hpp>
#include <catch2/catch.hpp>

namespace utf8_test {

namespace {

using anodiff::formats::detail::append_utf8;
using anodiff::formats::detail::utf8_error;

TEST_CASE("every code point that is written is read, and takes its shortest form") {
  std::size_t wrong = 0;
  for (std::uint32_t code = 0; code < 0x110000; ++code) {
    if (code >= 0xd800 && code < 0xe000) continue;
    std::string text;
    append_utf8(text, code);
    wrong += utf8_error(text) != text.size() || text.size() != (code < 0x80      ? 1u
                                                                : code < 0x800   ? 2u
                                                                : code < 0x10000 ? 3u
                                                                                 : 4u);
  }
  REQUIRE(wrong == 0);
}

TEST_CASE("what is no UTF-8 is found at its first byte") {
  for (const auto* text : {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc3", "\xc3(", "\xe0\x9f\xbf", "\xe2\x82",
                           "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf0\x9f\x98", "\xf4\x90\x80\x80",
                           "\xf5\x80\x80\x80", "\xff", "\xe2\x28\xa1", "\xf0\x9f\x98\x28"})
    REQUIRE(utf8_error(std::string{"ab"} + text) == 2);
}

}  // namespace

}  // namespace utf8_test
