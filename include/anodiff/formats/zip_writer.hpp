// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/formats/bytes.hpp>
#include <anodiff/formats/detail/deflate.hpp>
#include <anodiff/formats/file.hpp>
#include <anodiff/formats/zip.hpp>
#include <concepts>
#include <set>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace anodiff::formats {

namespace detail {

/// Little-endian fields, one after another.
struct zip_record {
  buffer bytes;
  template <std::unsigned_integral T>
  zip_record& put(std::type_identity_t<T> value) {
    bytes.append(std::as_bytes(std::span{&value, 1}));
    return *this;
  }
};

/// What fits 32 bits, else the sign that the number stands in a zip64 field.
inline std::uint32_t zip_narrow(std::uint64_t value) noexcept {
  return value < zip_elsewhere ? static_cast<std::uint32_t>(value) : zip_elsewhere;
}

/// The fields that a local header and a directory entry share, from the version needed to the length of extra fields.
inline void put_zip_facts(zip_record& record, const zip_member& member, bool large, std::size_t extra_size) {
  constexpr std::uint16_t utf8_names = 1 << 11, first_of_january_1980 = 1 << 5 | 1;
  record.put<std::uint16_t>(large ? 45 : 20).put<std::uint16_t>(utf8_names);
  record.put<std::uint16_t>(member.deflated ? 8 : 0).put<std::uint16_t>(0).put<std::uint16_t>(first_of_january_1980);
  record.put<std::uint32_t>(member.crc);
  record.put<std::uint32_t>(large ? zip_elsewhere : static_cast<std::uint32_t>(member.packed));
  record.put<std::uint32_t>(large ? zip_elsewhere : static_cast<std::uint32_t>(member.unpacked));
  record.put<std::uint16_t>(static_cast<std::uint16_t>(member.name.size()));
  record.put<std::uint16_t>(static_cast<std::uint16_t>(extra_size));
}

}  // namespace detail

/// Writes a zip archive, member after member; every date in it is 1980-01-01, so that the same input gives the same
/// bytes. The sink must outlive it; the archive is complete after finish().
template <byte_sink Sink>
class zip_writer {
 public:
  explicit zip_writer(Sink& sink) noexcept : sink_{sink} {}
  /// A member whose content is the given pieces one after another.
  void add(std::string name, std::span<const byte_span> pieces, bool deflate);
  void finish();

 private:
  void put(byte_span bytes) {
    sink_.write(bytes);
    at_ += bytes.size();
  }

  Sink& sink_;
  std::uint64_t at_ = 0;
  std::vector<zip_member> members_;
  std::set<std::string> names_;
};

template <byte_sink Sink>
void zip_writer<Sink>::add(std::string name, std::span<const byte_span> pieces, bool deflate) {
  constexpr std::size_t longest_name = 65535;
  check(name.size() <= longest_name && detail::plain_zip_name(name), "zip_writer: need a plain relative path, got ",
        in_quotes(name));
  check(names_.insert(name).second, "zip_writer: two members are named ", in_quotes(name));
  zip_member member{.name = std::move(name), .deflated = deflate, .header = at_};
  for (const auto piece : pieces) {
    member.crc = detail::crc_of(piece, member.crc);
    member.unpacked += piece.size();
  }
  const buffer packed = deflate ? detail::deflate_all(pieces) : buffer{};
  member.packed = deflate ? packed.size() : member.unpacked;
  const bool large = std::max(member.packed, member.unpacked) >= detail::zip_elsewhere;
  detail::zip_record record;
  record.put<std::uint32_t>(detail::zip_local);
  detail::put_zip_facts(record, member, large, large ? 20 : 0);
  record.bytes.append(bytes_of(member.name));
  if (large) record.put<std::uint16_t>(detail::zip64_extra).put<std::uint16_t>(16);
  if (large) record.put<std::uint64_t>(member.unpacked).put<std::uint64_t>(member.packed);
  put(record.bytes.span());
  if (deflate)
    put(packed.span());
  else
    for (const auto piece : pieces) put(piece);
  members_.push_back(std::move(member));
}

template <byte_sink Sink>
void zip_writer<Sink>::finish() {
  const std::uint64_t first = at_;
  for (const auto& member : members_) {
    const bool large = std::max({member.packed, member.unpacked, member.header}) >= detail::zip_elsewhere;
    detail::zip_record record;
    record.put<std::uint32_t>(detail::zip_central).put<std::uint16_t>(large ? 45 : 20);
    detail::put_zip_facts(record, member, large, large ? 28 : 0);
    record.put<std::uint16_t>(0).put<std::uint16_t>(0).put<std::uint16_t>(0).put<std::uint32_t>(0);
    record.put<std::uint32_t>(large ? detail::zip_elsewhere : static_cast<std::uint32_t>(member.header));
    record.bytes.append(bytes_of(member.name));
    if (large) record.put<std::uint16_t>(detail::zip64_extra).put<std::uint16_t>(24);
    if (large) record.put<std::uint64_t>(member.unpacked).put<std::uint64_t>(member.packed);
    if (large) record.put<std::uint64_t>(member.header);
    put(record.bytes.span());
  }
  const std::uint64_t last = at_, count = members_.size();
  detail::zip_record record;
  if (count >= 0xffff || last >= detail::zip_elsewhere) {
    record.put<std::uint32_t>(detail::zip64_end).put<std::uint64_t>(detail::zip64_end_size - 12);
    record.put<std::uint16_t>(45).put<std::uint16_t>(45).put<std::uint32_t>(0).put<std::uint32_t>(0);
    record.put<std::uint64_t>(count).put<std::uint64_t>(count);
    record.put<std::uint64_t>(last - first).put<std::uint64_t>(first);
    record.put<std::uint32_t>(detail::zip64_locator).put<std::uint32_t>(0);
    record.put<std::uint64_t>(last).put<std::uint32_t>(1);
  }
  const auto few = static_cast<std::uint16_t>(std::min<std::uint64_t>(count, 0xffff));
  record.put<std::uint32_t>(detail::zip_end).put<std::uint16_t>(0).put<std::uint16_t>(0);
  record.put<std::uint16_t>(few).put<std::uint16_t>(few);
  record.put<std::uint32_t>(detail::zip_narrow(last - first)).put<std::uint32_t>(detail::zip_narrow(first));
  record.put<std::uint16_t>(0);
  put(record.bytes.span());
}

}  // namespace anodiff::formats
