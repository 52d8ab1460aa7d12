// SPDX-License-Identifier: Apache-2.0
#include "fixtures.hpp"

#include <anodiff/formats/json.hpp>
#include <cmath>

namespace json_test {

namespace {

using namespace anodiff;
using namespace anodiff::formats;
using namespace formats_fixtures;

std::string refusal(std::string_view text, json_limits limits = {}) {
  return message_of([&] { (void)parse_json(text, "s.json", limits); });
}

TEST_CASE("parse_json reads every kind of value") {
  const json value =
      parse_json(" {\"a\": [1, -2.5, 3e2, true, false, null], \"b\": {\"c\": \"text\"}, \"e\": [], \"o\": {}}\r\n");
  REQUIRE(value.at("a").elements().size() == 6);
  REQUIRE(value.at("a").elements()[0].integer() == 1);
  REQUIRE(value.at("a").elements()[1].number() == -2.5);
  REQUIRE(value.at("a").elements()[2].integer() == 300);
  REQUIRE(value.at("a").elements()[3].boolean());
  REQUIRE(!value.at("a").elements()[4].boolean());
  REQUIRE(value.at("a").elements()[5].is_null());
  REQUIRE(value.at("b").at("c").string() == "text");
  REQUIRE(value.at("e").elements().empty());
  REQUIRE(value.at("o").members().empty());
  REQUIRE(value.members()[0].first == "a");
  REQUIRE(value.members()[3].first == "o");
  REQUIRE(parse_json("0").integer() == 0);
}

TEST_CASE("integers of 64 bits are exact, others are doubles") {
  REQUIRE(parse_json("9223372036854775807").integer() == std::numeric_limits<std::int64_t>::max());
  REQUIRE(parse_json("-9223372036854775808").integer() == std::numeric_limits<std::int64_t>::min());
  REQUIRE(parse_json("18446744073709551615").unsigned_integer() == ~std::uint64_t{0});
  REQUIRE(parse_json("18446744073709551616").number() == 0x1p64);
  REQUIRE(!parse_json("18446744073709551616").is_integer());
  REQUIRE(!parse_json("-9223372036854775809").is_integer());
  REQUIRE(std::signbit(parse_json("-0").number()));
  REQUIRE(parse_json("1e-400").number() == 0);
  REQUIRE(parse_json("5e-324").number() == 5e-324);
  REQUIRE(parse_json("0e999").number() == 0);
  REQUIRE(parse_json(std::string("0.") + std::string(400, '0') + "1e401").number() == 1);
}

TEST_CASE("strings are unescaped into UTF-8") {
  REQUIRE(parse_json(R"("\"\\\/\b\f\n\r\t")").string() == "\"\\/\b\f\n\r\t");
  REQUIRE(parse_json(R"("\u0041\u00e9\u20AC\ud83d\ude00")").string() == "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
  REQUIRE(parse_json("\"\xf0\x9f\x98\x80\"").string() == "\xf0\x9f\x98\x80");
  REQUIRE(parse_json(R"("\u0000")").string() == std::string(1, '\0'));
}

TEST_CASE("parse_json refuses what is no JSON, with line and column") {
  REQUIRE(refusal("") == "s.json: need a value, got the end (line 1, column 1)");
  REQUIRE(refusal("{\n  \"a\": 1,\n  nul\n}") == "s.json: need a key in quotes, got \"n\" (line 3, column 3)");
  REQUIRE(refusal("nul") == "s.json: need a value, got \"n\" (line 1, column 1)");
  REQUIRE(refusal("[1,]") == "s.json: need a value, got \"]\" (line 1, column 4)");
  REQUIRE(refusal("[1 2]") == "s.json: need ',' or ']' in an array, got \"2\" (line 1, column 4)");
  REQUIRE(refusal("{\"a\" 1}") == "s.json: need ':' after a key, got \"1\" (line 1, column 6)");
  REQUIRE(refusal("{\"a\":1") == "s.json: need ',' or '}' in an object, got the end (line 1, column 7)");
  REQUIRE(refusal("1 2") == "s.json: need the end of the text after the value, got more (line 1, column 3)");
  REQUIRE(refusal("\xef\xbb\xbf{}") == "s.json: need a value, got \"\xef\" (line 1, column 1)");
  REQUIRE(refusal("{\"a\":1,\"b\":2,\"a\":3}") ==
          "s.json: the key \"a\" occurs twice in an object (line 1, column 20)");
}

TEST_CASE("parse_json refuses what is no number") {
  REQUIRE(refusal("01") == "s.json: a number must not begin with 0 (line 1, column 3)");
  REQUIRE(refusal("1.") == "s.json: need a digit after the point, got the end (line 1, column 3)");
  REQUIRE(refusal("1e+") == "s.json: need a digit in the exponent, got the end (line 1, column 4)");
  REQUIRE(refusal("1e999") == "s.json: a number is beyond the range of double: \"1e999\" (line 1, column 6)");
  REQUIRE(refusal("-") == "s.json: need a value, got the end (line 1, column 2)");
  for (const auto* text :
       {"+1", ".5", "NaN", "Infinity", "-Infinity", "0x10", "1_000", "'a'", "tru", "[,1]", "{,}", "-01"})
    REQUIRE_THROWS_AS(parse_json(text), data_error);
}

TEST_CASE("parse_json refuses what is no string") {
  REQUIRE(refusal("\"a") == "s.json: a string has no end (line 1, column 3)");
  REQUIRE(refusal("\"a\\") == "s.json: a string has no end (line 1, column 4)");
  REQUIRE(refusal("\"a\nb\"") == "s.json: a control character in a string must be escaped (line 1, column 3)");
  REQUIRE(refusal("\"\\x\"") == "s.json: an unknown escape \\\"x\" in a string (line 1, column 3)");
  REQUIRE(refusal("\"\\u12g4\"") == "s.json: need four hexadecimal digits after \\u, got \"g\" (line 1, column 6)");
  REQUIRE(refusal("\"\\ud800\"") == "s.json: half a surrogate pair in a string (line 1, column 8)");
  REQUIRE(refusal("\"\\ud800\\u0041\"") == "s.json: half a surrogate pair in a string (line 1, column 14)");
  REQUIRE(refusal("\"\\udc00\"") == "s.json: half a surrogate pair in a string (line 1, column 8)");
  REQUIRE(refusal("\"ab\xff\"") == "s.json: a string is not UTF-8 (line 1, column 4)");
}

TEST_CASE("depth, and the length of an array, are bounded") {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  REQUIRE(parse_json(nested(64)).is_array());
  REQUIRE(refusal(nested(65)) == "s.json: nested deeper than 64 levels (line 1, column 65)");
  REQUIRE(refusal("[[1]]", {.depth = 1}) == "s.json: nested deeper than 1 levels (line 1, column 2)");
  REQUIRE_THROWS_AS(parse_json(std::string(1'000'000, '[')), data_error);
  REQUIRE(refusal("[1,2,3]", {.elements = 2}) == "s.json: an array of more than 2 elements (line 1, column 6)");
}

TEST_CASE("every beginning of a text is refused") {
  const std::string text = R"({"a":[1,-2.5e3,true,null],"b":{"c":"\u00e9\ud83d\ude00"}})";
  for (std::size_t size = 0; size < text.size(); ++size)
    REQUIRE_THROWS_AS(parse_json(text.substr(0, size)), data_error);
  REQUIRE_NOTHROW(parse_json(text));
}

}  // namespace

}  // namespace json_test
