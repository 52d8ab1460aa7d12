// SPDX-License-Identifier: Apache-2.0
#include <anodiff/core/half.hpp>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

namespace half_test {

using anodiff::float_from_half;
using anodiff::half_from_float;

TEST_CASE("half: every number comes back", "[core]") {
  int wrong = 0;
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float x = float_from_half(half);
    if (std::isnan(x))
      wrong += half_from_float(x) == (0x7e00 | (half & 0x8000)) ? 0 : 1;
    else
      wrong += half_from_float(x) == half ? 0 : 1;
  }
  CHECK(wrong == 0);
}

TEST_CASE("half: between two numbers the nearer is taken, in the middle the even one", "[core]") {
  int wrong = 0;
  for (std::uint16_t half = 0; half < 0x7bff; ++half) {
    const float low = float_from_half(half), high = float_from_half(static_cast<std::uint16_t>(half + 1));
    const float middle = low + (high - low) / 2;
    const std::uint16_t even = half % 2 == 0 ? half : static_cast<std::uint16_t>(half + 1);
    wrong += half_from_float(middle) == even ? 0 : 1;
    wrong += half_from_float(std::nextafter(middle, low)) == half ? 0 : 1;
    wrong += half_from_float(std::nextafter(middle, high)) == half + 1 ? 0 : 1;
  }
  CHECK(wrong == 0);
}

TEST_CASE("half: the ends", "[core]") {
  CHECK(half_from_float(65519.0f) == 0x7bff);
  CHECK(half_from_float(65520.0f) == 0x7c00);
  CHECK(half_from_float(1e30f) == 0x7c00);
  CHECK(half_from_float(-std::numeric_limits<float>::infinity()) == 0xfc00);
  CHECK(half_from_float(1e-30f) == 0);
  CHECK(half_from_float(-0.0f) == 0x8000);
}

}  // namespace half_test
