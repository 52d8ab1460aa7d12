// SPDX-License-Identifier: Apache-2.0
#include "fixtures.hpp"

#include <anodiff/formats/safetensors.hpp>
#include <numeric>

namespace safetensors_test {

namespace {

using namespace anodiff;
using namespace anodiff::formats;
using namespace formats_fixtures;

safetensors_file parse(std::string_view header, std::string_view data = {}) {
  return parse_safetensors(buffer_of(concat(little(std::uint64_t{header.size()}), header, data)), "m.st");
}
std::string refusal(std::string_view header, std::string_view data = {}) {
  return message_of([&] { (void)parse(header, data); });
}

tensor<float, 2> numbers() {
  tensor<float, 2> out{{2, 3}};
  std::iota(out.flat().begin(), out.flat().end(), 0.f);
  return out;
}

TEST_CASE("what another program wrote is read") {
  const auto file = read_safetensors(data_file("python.safetensors"));
  REQUIRE(file.metadata == safetensors_file::metadata_type{{"kind", "test"}});
  REQUIRE(file.tensors.size() == 5);
  REQUIRE(std::ranges::equal(file.find<float, 2>("weight", {2, 3}).flat(), numbers().flat()));
  REQUIRE(file.find("half").type == dtype::f16);
  REQUIRE(text_of(file.find("half").bytes) == std::string_view{"\x00\x3c\x00\xc0", 4});
  REQUIRE(file.find<bool, 1>("flag", {1}).flat()[0]);
  REQUIRE(file.find("scalar").shape.empty());
  REQUIRE(file.find("none").shape == std::vector<anodiff::index>{0, 4});
}

TEST_CASE("tensors and metadata come back in order, aligned, and the same input gives the same bytes") {
  const auto weight = numbers();
  tensor<std::uint8_t, 1> flags{{3}};
  tensor<double, 3> none{{0, 4, 2}};
  const std::vector<named_tensor> tensors{named("flags", flags), named("weight", weight), named("none", none)};
  const safetensors_file::metadata_type metadata{{"z", "first"}, {"a", "\xc3\xa9\n\""}};
  buffer once, twice;
  write_safetensors(once, tensors, metadata);
  write_safetensors(twice, tensors, metadata);
  REQUIRE(text_of(once.span()) == text_of(twice.span()));
  const auto file = parse_safetensors(std::move(once), "m.st");
  REQUIRE(file.metadata == metadata);
  REQUIRE(file.tensors.size() == 3);
  REQUIRE(file.tensors[0].name == "flags");
  REQUIRE(file.tensors[1].name == "weight");
  REQUIRE(file.find<std::uint8_t, 1>("flags").extents() == flags.extents());
  REQUIRE(std::ranges::equal(file.find<float, 2>("weight").flat(), weight.flat()));
  REQUIRE(file.find<double, 3>("none").extents() == none.extents());
  REQUIRE(reinterpret_cast<std::uintptr_t>(file.find("weight").bytes.data()) % 64 == 0);
  REQUIRE(file.contains("weight"));
  REQUIRE(!file.contains("bias"));
  REQUIRE(file.metadata_at("z") == "first");
  REQUIRE(file.find_metadata("q") == nullptr);
}

TEST_CASE("a written file is read") {
  const scratch_folder folder;
  const auto weight = numbers();
  write_safetensors(folder / "m.st", {named("weight", weight)});
  const auto file = read_safetensors(folder / "m.st");
  REQUIRE(file.metadata.empty());
  REQUIRE(std::ranges::equal(file.find<float, 2>("weight").flat(), weight.flat()));
  REQUIRE(file.name == folder / "m.st");
}

TEST_CASE("what is not there, or is another thing, is named") {
  buffer bytes;
  const auto weight = numbers();
  write_safetensors(bytes, {named("weight", weight)}, {{"k", "v"}});
  const auto file = parse_safetensors(std::move(bytes), "m.st");
  REQUIRE(message_of([&] { (void)file.find("bias"); }) == "m.st: needs a tensor \"bias\", got none");
  REQUIRE(message_of([&] {
            (void)file.find<float, 2>("weight", {3, 2});
          }) == "m.st: tensor \"weight\" must be float32 (3, 2), got float32 (2, 3)");
  REQUIRE(message_of([&] {
            (void)file.find<double, 2>("weight", {2, 3});
          }) == "m.st: tensor \"weight\" must be float64 (2, 3), got float32 (2, 3)");
  REQUIRE(message_of([&] { (void)file.find<float, 1>("weight"); }) ==
          "m.st: tensor \"weight\" must be float32 of 1 dimensions, got float32 (2, 3)");
  REQUIRE(message_of([&] { (void)file.metadata_at("q"); }) == "m.st: needs metadata \"q\", got none");
}

TEST_CASE("tensors that stand askew are read aligned") {
  const std::string data = "\x07" + little(1.5f) + little(2.5);
  const auto file = parse(R"({"u":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                          R"("f":{"dtype":"F32","shape":[1],"data_offsets":[1,5]},)"
                          R"("d":{"dtype":"F64","shape":[],"data_offsets":[5,13]}})",
                          data);
  REQUIRE(file.find<std::uint8_t, 1>("u").flat()[0] == 7);
  REQUIRE(file.find<float, 1>("f").flat()[0] == 1.5f);
  REQUIRE(reinterpret_cast<std::uintptr_t>(file.find("f").bytes.data()) % 4 == 0);
  REQUIRE(reinterpret_cast<std::uintptr_t>(file.find("d").bytes.data()) % 8 == 0);
  REQUIRE(file.find("d").shape.empty());
}

TEST_CASE("a file of another kind is called one, in one sentence") {
  const auto refused = [](std::string_view content) {
    return message_of([&] { (void)parse_safetensors(buffer_of(content), "m.st"); });
  };
  const std::string sentence =
      "m.st: is no safetensors file: needs '{' after the 8 bytes that give the header's length, got ";
  REQUIRE(refused("id,age,weight\n1,2,3\n") == sentence + "\"e\"");
  REQUIRE(refused(std::string_view{"\x93NUMPY\x01\x00v\x00{'descr'", 18}) == sentence + "\"v\"");
  REQUIRE(refused(std::string_view{"PK\x03\x04\x14\x00\x00\x00\x08\x00", 10}) == sentence + "\"?\"");
  REQUIRE(refusal("[]") == sentence + "\"[\"");
  REQUIRE(refused("") == "m.st: is no safetensors file: needs more than 8 bytes, got 0");
  REQUIRE(refused("1234567") == "m.st: is no safetensors file: needs more than 8 bytes, got 7");
  REQUIRE(refused(little(std::uint64_t{0})) == "m.st: is no safetensors file: needs more than 8 bytes, got 8");
}

TEST_CASE("damaged headers are refused") {
  REQUIRE(message_of([] { (void)parse_safetensors(buffer_of(little(std::uint64_t{10}) + "{}"), "m.st"); }) ==
          "m.st: cut short: the header needs 10 bytes, got 2 (at byte 8)");
  REQUIRE(message_of([] { (void)parse_safetensors(buffer_of(little(~std::uint64_t{0}) + "{"), "m.st"); }) ==
          "m.st: the header may have at most 100000000 bytes, got 18446744073709551615 (at byte 8)");
  REQUIRE(refusal("{", "}") == "m.st: header: need a key in quotes, got the end (line 1, column 2)");
  REQUIRE(refusal("{\"a\":}") == "m.st: header: need a value, got \"}\" (line 1, column 6)");
  REQUIRE(refusal(R"({"a":1})") == "m.st: tensor \"a\": need an object, got a number");
  REQUIRE(refusal(R"({"__metadata__":{"k":1}})") == "m.st: __metadata__ \"k\": need a string, got a number");
  REQUIRE(refusal(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],)"
                  R"("data_offsets":[0,0]}})") ==
          "m.st: header: the key \"a\" occurs twice in an object (line 1, column 106)");
}

TEST_CASE("damaged entries are refused") {
  REQUIRE(refusal(R"({"a":{"dtype":"F8","shape":[1],"data_offsets":[0,1]}})", "x") ==
          "m.st: tensor \"a\" has a dtype that is not known: \"F8\"");
  REQUIRE(refusal(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,1]}})", "x") ==
          "m.st: tensor \"a\" of U8 (2,) needs 2 bytes, got 1");
  REQUIRE(refusal(R"({"a":{"dtype":"U8","shape":[4611686018427387904,4],"data_offsets":[0,0]}})") ==
          "m.st: tensor \"a\" of U8 (4611686018427387904, 4) needs too many bytes, got 0");
  REQUIRE(refusal(R"({"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}})", "x") ==
          "m.st: tensor \"a\" of U8 (-1,) needs too many bytes, got 1");
  REQUIRE(refusal(R"({"a":{"dtype":"U8","shape":[1.5],"data_offsets":[0,1]}})", "x") ==
          "m.st: tensor \"a\": need an integer of 64 bits, got 1.5");
  REQUIRE(refusal(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}})", "x") ==
          "m.st: tensor \"a\" begins at 1, after its end at 0");
  REQUIRE(refusal(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}})", "x") ==
          "m.st: tensor \"a\" needs two data_offsets, got 1");
  REQUIRE(refusal(R"({"a":{"dtype":"U8","shape":[1]}})", "x") ==
          "m.st: tensor \"a\": needs a member \"data_offsets\", got none");
  REQUIRE(refusal(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"more":0}})", "x") ==
          "m.st: tensor \"a\" has an unknown member \"more\"");
}

TEST_CASE("offsets must tile the data") {
  const std::string a = R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]})";
  REQUIRE(refusal(a + R"(,"b":{"dtype":"U8","shape":[1],"data_offsets":[3,4]}})", "abcd") ==
          "m.st: tensor \"b\" must begin at byte 2 of the data, where the one before it ends, got 3");
  REQUIRE(refusal(a + R"(,"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})", "abc") ==
          "m.st: tensor \"b\" must begin at byte 2 of the data, where the one before it ends, got 1");
  REQUIRE(refusal(a + "}", "a") == "m.st: tensor \"a\" ends at byte 2 of the data, of which there are 1");
  REQUIRE(refusal(a + "}", "abc") == "m.st: the tensors must fill the data, got 2 of 3 bytes");
  REQUIRE(refusal("{}", "abc") == "m.st: the tensors must fill the data, got 0 of 3 bytes");
}

TEST_CASE("safetensors: every beginning of a file is refused") {
  buffer bytes;
  const auto weight = numbers();
  write_safetensors(bytes, {named("weight", weight)}, {{"k", "v"}});
  for (std::size_t size = 0; size < bytes.size(); ++size)
    REQUIRE_THROWS_AS(parse_safetensors(buffer{bytes.span().first(size)}, "m.st"), data_error);
}

TEST_CASE("what no file can hold is refused in writing") {
  buffer sink;
  const auto weight = numbers();
  const auto refused = [&](const std::vector<named_tensor>& tensors,
                           const safetensors_file::metadata_type& metadata = {}) {
    return message_of<invalid_argument>([&] { write_safetensors(sink, tensors, metadata); });
  };
  REQUIRE(refused({named("w", weight), named("w", weight)}) == "write_safetensors: the name \"w\" occurs twice");
  REQUIRE(refused({}, {{"k", "1"}, {"k", "2"}}) == "write_safetensors: the metadata key \"k\" occurs twice");
  REQUIRE(refused({named("__metadata__", weight)}) == "write_safetensors: no tensor can be named \"__metadata__\"");
  REQUIRE(refused({{"w", dtype::f32, {7}, named("w", weight).bytes}}) ==
          "write_safetensors: tensor \"w\" of float32 (7,) does not fit its 24 bytes");
  REQUIRE(sink.size() == 0);
}

}  // namespace

}  // namespace safetensors_test
