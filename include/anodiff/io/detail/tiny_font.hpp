// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/shape.hpp>
#include <array>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace anodiff::io::detail {

inline constexpr index glyph_width = 5, glyph_height = 7, glyph_step = 6;

/// The rows of a letter from the top, the highest of 5 bits at the left; letters of numbers alone.
inline std::array<std::uint8_t, 7> glyph_of(char c) noexcept {
  switch (c) {
    case '0':
      return {0b01110, 0b10001, 0b10011, 0b10101, 0b11001, 0b10001, 0b01110};
    case '1':
      return {0b00100, 0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110};
    case '2':
      return {0b01110, 0b10001, 0b00001, 0b00110, 0b01000, 0b10000, 0b11111};
    case '3':
      return {0b01110, 0b10001, 0b00001, 0b00110, 0b00001, 0b10001, 0b01110};
    case '4':
      return {0b00010, 0b00110, 0b01010, 0b10010, 0b11111, 0b00010, 0b00010};
    case '5':
      return {0b11111, 0b10000, 0b11110, 0b00001, 0b00001, 0b10001, 0b01110};
    case '6':
      return {0b00110, 0b01000, 0b10000, 0b11110, 0b10001, 0b10001, 0b01110};
    case '7':
      return {0b11111, 0b00001, 0b00010, 0b00100, 0b01000, 0b01000, 0b01000};
    case '8':
      return {0b01110, 0b10001, 0b10001, 0b01110, 0b10001, 0b10001, 0b01110};
    case '9':
      return {0b01110, 0b10001, 0b10001, 0b01111, 0b00001, 0b00010, 0b01100};
    case '.':
      return {0, 0, 0, 0, 0, 0b01100, 0b01100};
    case '-':
      return {0, 0, 0, 0b11111, 0, 0, 0};
    case '+':
      return {0, 0b00100, 0b00100, 0b11111, 0b00100, 0b00100, 0};
    case 'e':
      return {0, 0, 0b01110, 0b10001, 0b11111, 0b10000, 0b01110};
    default:
      return {};
  }
}

/// A number to that many digits, as short as they allow: "0.125", "1.5e-07".
inline std::string short_number(double value, int digits = 3) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value, std::chars_format::general, digits).ptr};
}

}  // namespace anodiff::io::detail
