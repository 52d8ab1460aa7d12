// SPDX-License-Identifier: Apache-2.0
#include "fixtures.hpp"

#include <anodiff/formats/npy.hpp>
#include <cmath>
#include <numeric>

namespace npy_test {

namespace {

using namespace anodiff;
using namespace anodiff::formats;
using namespace formats_fixtures;
using extents = std::vector<anodiff::index>;

/// A file of version 1 with that header text, unpadded, and those bytes.
std::string npy(std::string_view header, std::string_view data = {}) {
  return concat("\x93NUMPY", '\1', '\0', little(static_cast<std::uint16_t>(header.size())), header, data);
}
std::string npy_of(std::string_view descr, std::string_view order, std::string_view shape, std::string_view data) {
  return npy(concat("{'descr': '", descr, "', 'fortran_order': ", order, ", 'shape': ", shape, ", }"), data);
}
array parse(std::string_view content) { return parse_npy(buffer_of(content), "x.npy"); }
std::string refusal(std::string_view content) {
  return message_of([&] { (void)parse(content); });
}
template <class T>
std::vector<double> doubles(std::string_view descr, std::initializer_list<T> values) {
  std::string data;
  for (const T value : values) data += little(value);
  const auto read = parse(npy_of(descr, "False", concat("(", values.size(), ",)"), data));
  std::vector<double> out(values.size());
  read.copy_to(std::span{out});
  return out;
}

TEST_CASE("every dtype converts to double") {
  using list = std::vector<double>;
  REQUIRE(doubles<double>("<f8", {1.5, -2e300}) == list{1.5, -2e300});
  REQUIRE(doubles<float>("<f4", {1.5f, -2}) == list{1.5, -2});
  REQUIRE(doubles<std::uint16_t>("<f2", {0x3c00, 0xc000}) == list{1, -2});
  REQUIRE(doubles<std::int64_t>("<i8", {-5, 1ll << 40}) == list{-5, 0x1p40});
  REQUIRE(doubles<std::int32_t>("<i4", {-5, 7}) == list{-5, 7});
  REQUIRE(doubles<std::int16_t>("<i2", {-5, 7}) == list{-5, 7});
  REQUIRE(doubles<std::int8_t>("|i1", {-5, 7}) == list{-5, 7});
  REQUIRE(doubles<std::uint64_t>("<u8", {~0ull}) == list{0x1p64});
  REQUIRE(doubles<std::uint32_t>("<u4", {~0u}) == list{4294967295.0});
  REQUIRE(doubles<std::uint16_t>("<u2", {65535}) == list{65535});
  REQUIRE(doubles<std::uint8_t>("|u1", {200}) == list{200});
  REQUIRE(doubles<std::uint8_t>("|b1", {0, 1}) == list{0, 1});
}

TEST_CASE("Fortran order is turned into row-major order, at any rank and size") {
  const auto read = parse(npy_of("|u1", "True", "(2, 3)", "adbecf"));
  REQUIRE(read.fortran_order());
  const auto letters = read.to_tensor<std::uint8_t, 2>();
  REQUIRE(text_of(std::as_bytes(letters.flat())) == "abcdef");
  REQUIRE(letters(1, 0) == 'd');
  REQUIRE(text_of(std::as_bytes(parse(npy_of("|u1", "True", "(3,)", "abc")).to_tensor<std::uint8_t, 1>().flat())) ==
          "abc");
  for (const auto& [n, d, e] :
       {std::array{1, 7, 3}, std::array{33, 2, 5}, std::array{100, 1, 1}, std::array{64, 9, 2}}) {
    std::string data;
    for (int k = 0; k < e; ++k)
      for (int j = 0; j < d; ++j)
        for (int i = 0; i < n; ++i) data += little(static_cast<std::int32_t>((i * d + j) * e + k));
    const auto cube = parse(npy_of("<i4", "True", concat("(", n, ", ", d, ", ", e, ")"), data)).to_tensor<double, 3>();
    std::vector<double> expected(static_cast<std::size_t>(n * d * e));
    std::iota(expected.begin(), expected.end(), 0.0);
    REQUIRE(std::ranges::equal(cube.flat(), expected));
  }
}

TEST_CASE("an array without elements or dimensions is read") {
  REQUIRE(parse(npy_of("<f4", "True", "(0, 3)", "")).to_tensor<double, 2>().extents() == shape<2>{0, 3});
  REQUIRE(parse(npy_of("<f4", "True", "(3, 0)", "")).to_tensor<double, 2>().extents() == shape<2>{3, 0});
  REQUIRE(parse(npy_of("<f8", "False", "()", little(2.5))).shape().empty());
  REQUIRE(parse(npy_of("<f8", "False", "()", little(2.5))).size() == 1);
}

TEST_CASE("a wrong rank or dtype is named") {
  const auto read = parse(npy_of("<f4", "False", "(1, 2)", "12345678"));
  REQUIRE(message_of([&] { (void)read.to_tensor<float, 3>(); }) ==
          "x.npy: need an array of 3 dimensions, got shape (1, 2)");
  REQUIRE(message_of([&] { (void)read.to_tensor<std::int64_t, 2>(); }) == "x.npy: need elements of int64, got float32");
  std::vector<float> room(3);
  REQUIRE(message_of<invalid_argument>([&] { read.copy_to(std::span{room}); }) ==
          "array: need room for 2 elements, got 3");
}

TEST_CASE("the header may be spelled in other ways that Python takes") {
  REQUIRE(parse(npy("{\"shape\":(2,),\"descr\":\"|u1\",\"fortran_order\":False}\n", "ab")).shape() == extents{2});
  REQUIRE(parse(npy("{ 'descr' : '<u1' , 'shape' : ( 1 , 2 , ) , 'fortran_order' : True , }   \n", "ab")).shape() ==
          extents{1, 2});
}

TEST_CASE("a file that is no npy is refused") {
  REQUIRE(refusal("") == "x.npy: cut short: the npy magic needs 6 bytes, got 0 (at byte 0)");
  REQUIRE(refusal("no npy at all") == "x.npy: not a npy file, its first bytes are not those of one");
  REQUIRE(refusal({"\x93NUMPY\4\0ab", 10}) ==
          "x.npy: npy version 4.0 is not supported; 1.0, 2.0 and 3.0 are (at byte 8)");
  REQUIRE(refusal({"\x93NUMPY\1\0\xff\xff{}", 12}) ==
          "x.npy: cut short: the npy header needs 65535 bytes, got 2 (at byte 10)");
  REQUIRE(refusal({"\x93NUMPY\2\0\xff\xff\xff\xff{}", 14}) ==
          "x.npy: the npy header may have at most 65536 bytes, got 4294967295 (at byte 12)");
}

TEST_CASE("dtypes that are not supported are refused by name") {
  REQUIRE(refusal(npy_of(">f8", "False", "(1,)", "12345678")) ==
          "x.npy: npy header: dtype \">f8\" is big-endian, which is not supported; save it as little-endian "
          "(at character 15)");
  REQUIRE(refusal(npy_of("|O", "False", "(1,)", "")) ==
          "x.npy: npy header: an array of Python objects is not supported (at character 14)");
  REQUIRE(refusal(npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", "1234")) ==
          "x.npy: npy header: structured arrays are not supported (at character 10)");
  REQUIRE(refusal(npy_of("<c16", "False", "(1,)", "")) ==
          "x.npy: npy header: dtype \"<c16\" is not supported; float16 to float64, int8 to int64, uint8 to uint64 "
          "and bool are (at character 16)");
  for (const auto* other : {"", "<", "f8", "|f8", "=f8", "<f16", "<U5", "|S3", "<M8[ns]", "|V4"})
    REQUIRE_THROWS_AS(parse(npy_of(other, "False", "(1,)", "12345678")), data_error);
}

TEST_CASE("a damaged header is refused") {
  REQUIRE(refusal(npy("{'descr': '|u1', 'fortran_order': False}")) ==
          "x.npy: npy header: it needs the keys descr, fortran_order and shape (at character 40)");
  REQUIRE(refusal(npy("{'descr': '|u1', 'descr': '|u1'}")) ==
          "x.npy: npy header: the key \"descr\" occurs twice (at character 31)");
  REQUIRE(refusal(npy("{'more': 1}")) == "x.npy: npy header: an unknown key \"more\" (at character 8)");
  REQUIRE(refusal(npy("[]")) == "x.npy: npy header: need '{', got \"[\" (at character 0)");
  REQUIRE(refusal(npy("{'descr")) == "x.npy: npy header: a string has no end (at character 2)");
  REQUIRE(refusal(npy("{'de\\x41'")) == "x.npy: npy header: a string with an escape (at character 2)");
  REQUIRE(refusal(npy_of("|u1", "maybe", "(1,)", "a")) ==
          "x.npy: npy header: fortran_order must be True or False (at character 34)");
  REQUIRE(refusal(npy_of("|u1", "False", "(1)", "a")) ==
          "x.npy: npy header: shape needs a tuple, got an integer in brackets (at character 52)");
  REQUIRE(refusal(npy_of("|u1", "False", "(-1,)", "a")) ==
          "x.npy: npy header: shape needs integers from 0 to 2^63 - 1 (at character 51)");
  REQUIRE(refusal(npy_of("|u1", "False", "(9223372036854775808,)", "a")) ==
          "x.npy: npy header: shape needs integers from 0 to 2^63 - 1 (at character 51)");
  REQUIRE(refusal(npy("{'shape': (1,), 'descr': '|u1', 'fortran_order': False} x", "a")) ==
          "x.npy: npy header: more text after the dict (at character 56)");
  std::string many;
  for (int i = 0; i < 65; ++i) many += "1,";
  REQUIRE(refusal(npy_of("|u1", "False", "(" + many + ")", "a")) ==
          "x.npy: npy header: an array of more than 64 dimensions (at character 179)");
}

TEST_CASE("the shape must fit the bytes exactly") {
  REQUIRE(refusal(npy_of("<f8", "False", "(2,)", "12345678")) ==
          "x.npy: float64 (2,) needs 16 bytes, got 8 (at byte 67)");
  REQUIRE(refusal(npy_of("|u1", "False", "(2,)", "123")) == "x.npy: uint8 (2,) needs 2 bytes, got 3 (at byte 67)");
  REQUIRE(refusal(npy_of("<f8", "False", "(4611686018427387904, 8)", "")) ==
          "x.npy: float64 (4611686018427387904, 8) needs too many bytes, got 0 (at byte 87)");
}

TEST_CASE("npy: every beginning of a file is refused") {
  const auto whole = npy_of("<i2", "True", "(2, 1)", "1234");
  for (std::size_t size = 0; size < whole.size(); ++size) REQUIRE_THROWS_AS(parse(whole.substr(0, size)), data_error);
}

TEST_CASE("what is written reads back the same") {
  const scratch_folder folder;
  tensor<float, 3> cube{{2, 3, 4}};
  std::iota(cube.flat().begin(), cube.flat().end(), -3.f);
  write_npy(folder / "cube.npy", cube);
  REQUIRE(read_npy(folder / "cube.npy").to_tensor<float, 3>() == cube);
  const std::vector<double> scores{0.1, 1e-300, -0.0, INFINITY};
  write_npy(folder / "scores.npy", std::span{scores});
  const auto read = read_npy(folder / "scores.npy");
  REQUIRE(read.type() == dtype::f64);
  REQUIRE(read.shape() == extents{4});
  REQUIRE(std::ranges::equal(read.to_tensor<double, 1>().flat(), scores));
  const std::vector<std::int64_t> whole{1, -1};
  write_npy(folder / "whole.npy", std::span{whole});
  REQUIRE(read_npy(folder / "whole.npy").type() == dtype::i64);
}

TEST_CASE("the written header is the one that NumPy writes") {
  const auto header = npy_header(dtype::u8, extents{3});
  REQUIRE(header.size() % 64 == 0);
  REQUIRE(header.substr(10, 58) == "{'descr': '|u1', 'fortran_order': False, 'shape': (3,), } ");
  REQUIRE(header.back() == '\n');
  REQUIRE(npy_header(dtype::f64, extents{}).find("'shape': (), }") != std::string::npos);
  REQUIRE(npy_header(dtype::f64, extents{2, 3}).find("'<f8', 'fortran_order': False, 'shape': (2, 3), }") !=
          std::string::npos);
  REQUIRE(message_of<invalid_argument>([] { (void)npy_header(dtype::bf16, extents{}); }) ==
          "npy_header: npy has no bfloat16");
}

TEST_CASE("versions 2 and 3 as NumPy wrote them are read") {
  for (const auto* name : {"version2.npy", "version3.npy"}) {
    const auto read = read_npy(data_file(name)).to_tensor<float, 2>();
    REQUIRE(read.extents() == shape<2>{2, 3});
    REQUIRE(read(1, 2) == 5);
  }
}

}  // namespace

}  // namespace npy_test
