// SPDX-License-Identifier: Apache-2.0
#include "fixtures.hpp"

#include <anodiff/formats/json.hpp>
#include <limits>

namespace json_value_test {

namespace {

using namespace anodiff;
using namespace anodiff::formats;
using namespace formats_fixtures;

TEST_CASE("a value is built from C++ values, in order, and written on one line or indented") {
  json value;
  value.set("method", "ddpm").set("auroc", 0.75).set("n", 42).set("ok", true).set("none", nullptr);
  value.set("seeds", json{std::vector<int>{1, 2, 3}});
  value.set("ci", json::object({{"low", 0.5}, {"high", std::uint64_t{18446744073709551615u}}}));
  value.set("list", json::array().push_back("a").push_back(-1).push_back(json::object()));
  value.set("n", 43);
  REQUIRE(value.dump() == R"({"method":"ddpm","auroc":0.75,"n":43,"ok":true,"none":null,"seeds":[1,2,3],)"
                          R"("ci":{"low":0.5,"high":18446744073709551615},"list":["a",-1,{}]})");
  REQUIRE(json::object({{"a", json{std::vector<double>{1, 0.1}}}, {"e", json::array()}}).dump(2) ==
          "{\n  \"a\": [\n    1,\n    0.1\n  ],\n  \"e\": []\n}");
  REQUIRE(parse_json(value.dump()) == value);
  REQUIRE(parse_json(value.dump(4)) == value);
}

TEST_CASE("numbers are written shortest and read back the same") {
  for (const double number : {0.1, 1.0 / 3, 1e300, 5e-324, -1.5e-7, 123456789.123, 0x1p53, 1e22, 1e23}) {
    const auto text = json{number}.dump();
    REQUIRE(parse_json(text).number() == number);
    REQUIRE(text.size() <= 24);
  }
  REQUIRE(json{0.1f}.number() == static_cast<double>(0.1f));
  REQUIRE(json{std::numeric_limits<std::int64_t>::min()}.dump() == "-9223372036854775808");
}

TEST_CASE("strings are escaped where they must be") {
  REQUIRE(json{"\"\\\b\f\n\r\t\x01/\xc3\xa9"}.dump() == "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001/\xc3\xa9\"");
  REQUIRE(json{std::string(1, '\0')}.dump() == R"("\u0000")");
}

TEST_CASE("what JSON cannot hold is refused in writing") {
  const auto nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  REQUIRE(message_of<numeric_error>([&] { (void)json{nan}.dump(); }) ==
          "json: a number to be written must be finite, got nan");
  REQUIRE(message_of<numeric_error>([&] { (void)json{-infinity}.dump(); }) ==
          "json: a number to be written must be finite, got -inf");
  REQUIRE(message_of([] { (void)json{"a\xff"}.dump(); }) ==
          "json: a string to be written must be UTF-8, got \"a\xff\"");
}

TEST_CASE("a wrong kind is named, with who asked") {
  const json value = json::object({{"steps", "ten"}, {"half", 0.5}, {"minus", -1}, {"big", std::uint64_t{1} << 63}});
  REQUIRE(message_of([&] { (void)value.at("steps").number("s.json: \"steps\""); }) ==
          "s.json: \"steps\": need a number, got a string");
  REQUIRE(message_of([&] { (void)value.at("half").integer(); }) == "json: need an integer of 64 bits, got 0.5");
  REQUIRE(message_of([&] { (void)value.at("big").integer(); }) ==
          "json: need an integer of 64 bits, got 9223372036854775808");
  REQUIRE(message_of([&] { (void)value.at("minus").unsigned_integer(); }) ==
          "json: need an integer from 0 to 2^64 - 1, got -1");
  REQUIRE(message_of([&] { (void)value.at("none", "s.json"); }) == "s.json: needs a member \"none\", got none");
  REQUIRE(message_of([&] { (void)value.boolean(); }) == "json: need true or false, got an object");
  REQUIRE(message_of([&] { (void)json{1}.find("a"); }) == "json: need an object, got a number");
  REQUIRE(message_of([&] { (void)json{}.elements(); }) == "json: need an array, got null");
  REQUIRE(message_of([&] { (void)json{true}.string(); }) == "json: need a string, got true or false");
  REQUIRE(message_of([&] { (void)json::array().members(); }) == "json: need an object, got an array");
  REQUIRE(message_of<invalid_argument>([] { json{1}.push_back(2); }) == "json: need an array, got a number");
  REQUIRE(message_of<invalid_argument>([] { json::array().set("a", 2); }) == "json: need an object, got an array");
  REQUIRE(value.find("none") == nullptr);
}

TEST_CASE("integers compare exactly, others as doubles") {
  REQUIRE(json{1} == json{1.0});
  REQUIRE(json{9007199254740993} != json{9007199254740992});
  REQUIRE(json{-1} != json{1});
  REQUIRE(json{"1"} != json{1});
}

}  // namespace

}  // namespace json_value_test
