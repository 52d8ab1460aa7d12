// SPDX-License-Identifier: Apache-2.0
#include <anodiff/formats/detail/decimal.hpp>
#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <vector>

namespace decimal_test {

namespace {

using anodiff::formats::detail::decimal_from;

std::errc read(const std::string& text, double& value) {
  return decimal_from(text.data(), text.data() + text.size(), value).ec;
}

TEST_CASE("what is too small for a double is 0 with its sign, what is too large is out of range") {
  const std::string zeros(400, '0');
  for (const std::string& text :
       std::vector<std::string>{"1e-400", "0." + zeros + "1", "0.001e-99999999999999999999",
                                "123456789" + zeros + "e-99999", "1E-400", "0." + zeros + "1e10"}) {
    double value = 7;
    REQUIRE(read(text, value) == std::errc{});
    REQUIRE(value == 0);
    REQUIRE(!std::signbit(value));
    REQUIRE(read("-" + text, value) == std::errc{});
    REQUIRE(value == 0);
    REQUIRE(std::signbit(value));
  }
  for (const std::string& text : std::vector<std::string>{"1e400", "1" + zeros, "0.0001e99999999999999999999",
                                                          "1" + zeros + "e-50", "1e+400", "10.5E999"}) {
    double value = 7;
    REQUIRE(read(text, value) == std::errc::result_out_of_range);
    REQUIRE(read("-" + text, value) == std::errc::result_out_of_range);
  }
  double value = 7;
  REQUIRE(read("0." + zeros + "1e401", value) == std::errc{});
  REQUIRE(value == 1);
  REQUIRE(read("0e999999", value) == std::errc{});
  REQUIRE(value == 0);
}

}  // namespace

}  // namespace decimal_test
