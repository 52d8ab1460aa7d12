// SPDX-License-Identifier: Apache-2.0
#include <anodiff/formats/base64.hpp>
#include <catch2/catch.hpp>

namespace base64_test {

namespace {

using namespace anodiff::formats;

TEST_CASE("base64 as RFC 4648, section 10, gives it") {
  REQUIRE(base64(bytes_of("")).empty());
  REQUIRE(base64(bytes_of("f")) == "Zg==");
  REQUIRE(base64(bytes_of("fo")) == "Zm8=");
  REQUIRE(base64(bytes_of("foo")) == "Zm9v");
  REQUIRE(base64(bytes_of("foob")) == "Zm9vYg==");
  REQUIRE(base64(bytes_of("fooba")) == "Zm9vYmE=");
  REQUIRE(base64(bytes_of("foobar")) == "Zm9vYmFy");
  REQUIRE(base64(bytes_of("\xff\xef\xbf")) == "/++/");
}

}  // namespace

}  // namespace base64_test
