// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/formats/bytes.hpp>
#include <initializer_list>
#include <string>
#include <string_view>

// Signatures, sizes and field numbers: APPNOTE.TXT 6.3.10 (PKWARE), sections 4.3.7 to 4.3.16 and 4.5.3.
namespace anodiff::formats::detail {

inline constexpr std::uint32_t zip_local = 0x04034b50, zip_central = 0x02014b50, zip_end = 0x06054b50,
                               zip64_end = 0x06064b50, zip64_locator = 0x07064b50;
inline constexpr std::size_t zip_local_size = 30, zip_central_size = 46, zip_end_size = 22, zip64_end_size = 56,
                             zip64_locator_size = 20;
inline constexpr std::uint16_t zip64_extra = 1;
inline constexpr std::uint32_t zip_elsewhere = 0xffffffff;  // the number stands in a zip64 field

/// Where the end record begins; it holds the length of the comment that follows it up to the end of the file.
inline std::size_t find_zip_end(byte_span file, const std::string& name) {
  constexpr std::size_t longest_comment = 65535;
  for (std::size_t back = zip_end_size; back <= std::min(file.size(), zip_end_size + longest_comment); ++back) {
    byte_reader reader{file.last(back), name};
    if (reader.take<std::uint32_t>("the end record") != zip_end) continue;
    reader.seek(zip_end_size - 2, "the end record");
    if (reader.take<std::uint16_t>("the end record") == back - zip_end_size) return file.size() - back;
  }
  throw data_error(concat(name, ": not a zip archive, or cut short: it has no end record"));
}

/// A plain relative path: nothing that could lead elsewhere, should somebody ever unpack it.
inline bool plain_zip_name(std::string_view name) noexcept {
  if (name.empty() || name.starts_with('/') || name.substr(1).starts_with(':')) return false;  // ':' after a drive
  for (const char c : name)
    if (static_cast<unsigned char>(c) < 0x20 || c == '\\' || c == 0x7f) return false;
  for (std::size_t at = 0; at <= name.size();) {
    const auto end = std::min(name.find('/', at), name.size());
    const auto part = name.substr(at, end - at);
    if (part == "." || part == ".." || (part.empty() && end != name.size())) return false;
    at = end + 1;
  }
  return true;
}

/// Replaces each number that stands elsewhere by the next one of the zip64 field, in the order of the list.
inline void read_zip64_extra(byte_reader extra, std::initializer_list<std::uint64_t*> numbers) {
  while (extra.left() >= 4) {
    const auto id = extra.take<std::uint16_t>("an extra field");
    const auto size = extra.take<std::uint16_t>("an extra field");
    const auto field = extra.take_bytes(size, "an extra field");
    if (id != zip64_extra) continue;
    byte_reader reader{field, "zip64 field"};
    for (auto* number : numbers)
      if (*number == zip_elsewhere && reader.left() >= 8) *number = reader.take<std::uint64_t>("a zip64 number");
    return;
  }
}

}  // namespace anodiff::formats::detail
