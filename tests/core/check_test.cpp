// SPDX-License-Identifier: Apache-2.0
#include <anodiff/core/check.hpp>
#include <catch2/catch.hpp>
#include <cstdint>
#include <limits>

namespace check_test {

using namespace anodiff;

TEST_CASE("concat joins text and numbers", "[check]") {
  const std::string text = "text";
  CHECK(concat("a ", text, ' ', std::string_view{"view"}, 3, " ", -4L, " ", true, " ", false) ==
        "a text view3 -4 true false");
  CHECK(concat(std::numeric_limits<std::int64_t>::min(), ' ', std::numeric_limits<std::uint64_t>::max()) ==
        "-9223372036854775808 18446744073709551615");
  CHECK(concat() == "");
}

TEST_CASE("concat writes numbers so that they read back the same", "[check]") {
  CHECK(concat(0.1) == "0.1");
  CHECK(concat(0.1F) == "0.1");
  CHECK(concat(1e300) == "1e+300");
  const double awkward = 0.1 + 0.2;
  CHECK(std::stod(concat(awkward)) == awkward);
  CHECK(concat(std::numeric_limits<double>::infinity()) == "inf");
  CHECK(concat(std::numeric_limits<double>::quiet_NaN()) == "nan");
}

TEST_CASE("check throws the class it is told, with the joined message", "[check]") {
  CHECK_NOTHROW(check(true, "never said"));
  CHECK_THROWS_AS(check(false, "x"), invalid_argument);
  CHECK_THROWS_WITH(check(false, "cosine: offset must lie in [0, 1], got ", 2.5),
                    "cosine: offset must lie in [0, 1], got 2.5");
  CHECK_THROWS_AS(check<data_error>(false, "x"), data_error);
  CHECK_THROWS_AS(check<numeric_error>(false, "x"), numeric_error);
  CHECK_THROWS_AS(check<io_error>(false, "x"), io_error);
  CHECK_THROWS_AS(check<memory_error>(false, "x"), memory_error);
}

TEST_CASE("every error is an anodiff::error and a std::runtime_error", "[check]") {
  CHECK_THROWS_AS(check<data_error>(false, "x"), error);
  CHECK_THROWS_AS(check(false, "x"), std::runtime_error);
}

}  // namespace check_test
