// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <cstdint>
#include <limits>
#include <string_view>
#include <system_error>

namespace anodiff::formats::detail {

/// True where a decimal number that is not 0 is below 1; needs digits [. digits] [e [sign] digits], with or without
/// '-'.
[[nodiscard]] inline bool decimal_below_one(std::string_view text) noexcept {
  if (text.starts_with('-')) text.remove_prefix(1);
  const auto mark = text.find_first_of("eE");
  const auto mantissa = text.substr(0, mark);
  const auto point = mantissa.find('.') == std::string_view::npos ? mantissa.size() : mantissa.find('.');
  const auto digit = mantissa.find_first_of("123456789");
  auto magnitude = static_cast<std::int64_t>(point) - static_cast<std::int64_t>(digit) - (digit > point ? 0 : 1);
  if (mark != std::string_view::npos) {
    auto exponent = text.substr(mark + 1);
    const bool negative = exponent.starts_with('-');
    if (negative || exponent.starts_with('+')) exponent.remove_prefix(1);
    std::int64_t value = 0;
    if (std::from_chars(exponent.data(), exponent.data() + exponent.size(), value).ec != std::errc{})
      value = std::numeric_limits<std::int64_t>::max() / 2;
    magnitude += negative ? -value : value;
  }
  return magnitude < 0;
}

/// std::from_chars for a double, but what is too small for a double is 0: only too large stays result_out_of_range.
[[nodiscard]] inline std::from_chars_result decimal_from(const char* first, const char* last, double& value) noexcept {
  auto result = std::from_chars(first, last, value);
  if (result.ec == std::errc::result_out_of_range &&
      decimal_below_one({first, static_cast<std::size_t>(result.ptr - first)})) {
    value = *first == '-' ? -0.0 : 0.0;
    result.ec = {};
  }
  return result;
}

}  // namespace anodiff::formats::detail
