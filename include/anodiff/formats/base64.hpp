// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/formats/bytes.hpp>
#include <string>
#include <string_view>

namespace anodiff::formats {

/// Bytes as text of base 64 with padding (RFC 4648, section 4).
[[nodiscard]] inline std::string base64(byte_span from) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((from.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < from.size(); i += 3) {
    const auto at = [&](std::size_t k) { return k < from.size() ? std::to_integer<std::uint32_t>(from[k]) : 0; };
    const std::uint32_t three = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
    for (int shift = 18; shift >= 0; shift -= 6) out += letters[three >> shift & 63];
  }
  const std::size_t spare = (3 - from.size() % 3) % 3;
  out.replace(out.size() - spare, spare, spare, '=');
  return out;
}

}  // namespace anodiff::formats
