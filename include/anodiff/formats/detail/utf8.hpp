// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace anodiff::formats::detail {

/// Position of the first byte that is not UTF-8 (RFC 3629: shortest forms, no surrogates, up to U+10FFFF); size of the
/// text where all is.
[[nodiscard]] inline std::size_t utf8_error(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  for (std::size_t at = 0; at < text.size();) {
    const unsigned first = byte(at);
    if (first < 0x80) {
      ++at;
      continue;
    }
    const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() - at < length) return at;
    const unsigned second = byte(at + 1);
    const unsigned low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;   // shorter forms exist below
    const unsigned high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;  // surrogates and U+110000 lie above
    if (second < low || second > high) return at;
    for (std::size_t i = 2; i < length; ++i)
      if ((byte(at + i) & 0xc0) != 0x80) return at;
    at += length;
  }
  return text.size();
}

/// Adds a code point, which must be no surrogate and at most U+10FFFF.
inline void append_utf8(std::string& out, std::uint32_t code) {
  const auto put = [&](std::uint32_t bits) { out += static_cast<char>(static_cast<unsigned char>(bits)); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xc0 | code >> 6);
  } else {
    if (code < 0x10000) {
      put(0xe0 | code >> 12);
    } else {
      put(0xf0 | code >> 18);
      put(0x80 | (code >> 12 & 0x3f));
    }
    put(0x80 | (code >> 6 & 0x3f));
  }
  put(0x80 | (code & 0x3f));
}

}  // namespace anodiff::formats::detail
