// SPDX-License-Identifier: Apache-2.0
#include "fixtures.hpp"

#include <anodiff/formats/dtype.hpp>
#include <cmath>
#include <limits>

namespace dtype_test {

namespace {

using namespace anodiff;
using namespace anodiff::formats;

TEST_CASE("float16 converts exactly, over all its values") {
  REQUIRE(float_from_half(0x3c00) == 1.0f);
  REQUIRE(float_from_half(0xc000) == -2.0f);
  REQUIRE(float_from_half(0x7bff) == 65504.0f);
  REQUIRE(float_from_half(0x0400) == 0x1p-14f);  // smallest normal
  REQUIRE(float_from_half(0x0001) == 0x1p-24f);  // smallest subnormal
  REQUIRE(float_from_half(0x3555) == 0.333251953125f);
  REQUIRE(std::signbit(float_from_half(0x8000)));
  REQUIRE(float_from_half(0x7c00) == std::numeric_limits<float>::infinity());
  REQUIRE(float_from_half(0xfc00) == -std::numeric_limits<float>::infinity());
  REQUIRE(std::isnan(float_from_half(0x7e00)));
  std::size_t wrong = 0;
  for (unsigned bits = 0; bits < 0x7c00; ++bits) {
    const auto exponent = static_cast<int>(bits >> 10), fraction = static_cast<int>(bits & 0x3ff);
    const double expected = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
    wrong += float_from_half(static_cast<std::uint16_t>(bits)) != static_cast<float>(expected);
    wrong += float_from_half(static_cast<std::uint16_t>(bits | 0x8000)) != static_cast<float>(-expected);
  }
  REQUIRE(wrong == 0);
}

TEST_CASE("bfloat16 is the upper half of a float") {
  REQUIRE(float_from_bfloat16(0x3f80) == 1.0f);
  REQUIRE(float_from_bfloat16(0xc049) == -3.140625f);
}

TEST_CASE("a dtype knows its size, its name and its C++ type") {
  REQUIRE(dtype_of<double>() == dtype::f64);
  REQUIRE(dtype_of<float>() == dtype::f32);
  REQUIRE(dtype_of<bool>() == dtype::boolean);
  REQUIRE(dtype_of<std::int16_t>() == dtype::i16);
  REQUIRE(dtype_of<unsigned char>() == dtype::u8);
  REQUIRE(dtype_of<long long>() == dtype::i64);
  REQUIRE(name_of(dtype::bf16) == "bfloat16");
  REQUIRE(name_of(dtype::boolean) == "bool");
  for (int i = 0; i <= static_cast<int>(dtype::boolean); ++i) {
    const auto type = static_cast<dtype>(i);
    visit_dtype(type, [&](auto loader) { REQUIRE(loader.size == size_of(type)); });
  }
}

TEST_CASE("stored_size refuses what no file can hold, also beside an extent of zero") {
  const auto huge = anodiff::index{1} << 62;
  REQUIRE(stored_size(std::vector<anodiff::index>{3, 4}, dtype::f64) == 96u);
  REQUIRE(stored_size(std::vector<anodiff::index>{}, dtype::f32) == 4u);
  REQUIRE(stored_size(std::vector<anodiff::index>{0, 4}, dtype::f32) == 0u);
  REQUIRE(stored_size(std::vector<anodiff::index>{huge}, dtype::u8) == static_cast<std::uint64_t>(huge));
  REQUIRE(!stored_size(std::vector<anodiff::index>{huge}, dtype::u16));
  REQUIRE(!stored_size(std::vector<anodiff::index>{0, huge, huge}, dtype::u8));
  REQUIRE(!stored_size(std::vector<anodiff::index>{-1}, dtype::u8));
}

TEST_CASE("shape_text speaks as NumPy does") {
  REQUIRE(shape_text(std::vector<anodiff::index>{}) == "()");
  REQUIRE(shape_text(std::vector<anodiff::index>{3}) == "(3,)");
  REQUIRE(shape_text(std::vector<anodiff::index>{3, 4}) == "(3, 4)");
  REQUIRE(shape_text(std::vector<anodiff::index>(20, 1)) == "(1, 1, 1, 1, 1, 1, 1, 1, ...)");
}

}  // namespace

}  // namespace dtype_test
