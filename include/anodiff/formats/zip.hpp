// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/formats/bytes.hpp>
#include <anodiff/formats/detail/deflate.hpp>
#include <anodiff/formats/detail/zip_records.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace anodiff::formats {

/// What a zip reader accepts.
struct zip_limits {
  std::uint64_t unpacked = std::uint64_t{4} << 30;  ///< bytes of all members together, unpacked; 4 GiB
  std::size_t members = 65'536;                     ///< number of members
};

/// One member of a zip archive, as its directory says.
struct zip_member {
  std::string name;
  bool deflated = false;
  std::uint32_t crc = 0;
  std::uint64_t packed = 0;    ///< bytes in the archive
  std::uint64_t unpacked = 0;  ///< bytes of content
  std::uint64_t header = 0;    ///< where its local header begins
  std::uint64_t next = 0;      ///< where the next member or the directory begins: it must end before
};

/// A zip archive in memory: stored and deflated members, zip64 sizes. Nothing is ever unpacked to the disk, and a
/// member is unpacked, and its checksum compared, when it is asked for.
class zip_archive {
 public:
  /// Reads the directory; name stands for the file in messages. Throws data_error where it is damaged, where two
  /// members bear one name or share bytes, where a name is no plain relative path, where a member is encrypted or
  /// packed in another way, or where limits are passed.
  zip_archive(buffer content, std::string name, zip_limits limits = {});

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] const std::vector<zip_member>& members() const noexcept { return members_; }
  /// The member of that name; null where there is none.
  [[nodiscard]] const zip_member* find(std::string_view member) const noexcept {
    for (const auto& one : members_)
      if (one.name == member) return &one;
    return nullptr;
  }
  /// The content of one of members(). Throws data_error where it does not unpack to its stated size and checksum.
  [[nodiscard]] buffer read(const zip_member& member) const;

 private:
  void read_directory(std::uint64_t first, std::uint64_t last, std::uint64_t count, zip_limits limits);
  void refuse_twins_and_overlaps(std::uint64_t directory);
  [[nodiscard]] byte_span packed_bytes(const zip_member& member) const;

  buffer content_;
  std::string name_;
  std::vector<zip_member> members_;
};

inline zip_archive::zip_archive(buffer content, std::string name, zip_limits limits)
    : content_{std::move(content)}, name_{std::move(name)} {
  const auto end = detail::find_zip_end(content_.span(), name_);
  byte_reader reader{content_.span(), name_};
  reader.seek(end + 4, "the end record");
  const auto disk = reader.take<std::uint16_t>("the end record");
  const auto first_disk = reader.take<std::uint16_t>("the end record");
  std::uint64_t count_here = reader.take<std::uint16_t>("the end record");
  std::uint64_t count = reader.take<std::uint16_t>("the end record");
  std::uint64_t size = reader.take<std::uint32_t>("the end record");
  std::uint64_t first = reader.take<std::uint32_t>("the end record");
  std::uint64_t last = end;
  if (end >= detail::zip64_locator_size) {
    reader.seek(end - detail::zip64_locator_size, "the zip64 locator");
    if (reader.take<std::uint32_t>("the zip64 locator") == detail::zip64_locator) {
      (void)reader.take<std::uint32_t>("the zip64 locator");
      last = reader.take<std::uint64_t>("the zip64 locator");
      reader.seek(last, "the zip64 end record");
      if (reader.take<std::uint32_t>("the zip64 end record") != detail::zip64_end)
        reader.fail("the zip64 locator leads nowhere");
      (void)reader.take_bytes(20, "the zip64 end record");
      count_here = reader.take<std::uint64_t>("the zip64 end record");
      count = reader.take<std::uint64_t>("the zip64 end record");
      size = reader.take<std::uint64_t>("the zip64 end record");
      first = reader.take<std::uint64_t>("the zip64 end record");
    }
  }
  check<data_error>(disk == 0 && first_disk == 0 && count_here == count, name_,
                    ": zip archives of several parts are not supported");
  check<data_error>(size <= last && first == last - size, name_,
                    ": the zip directory must end where the end record begins: ", first, " + ", size, " is not ", last);
  check<data_error>(count <= size / detail::zip_central_size, name_, ": a zip directory of ", size,
                    " bytes cannot hold ", count, " members");
  check<data_error>(count <= limits.members, name_, ": at most ", limits.members, " members can be read, got ", count);
  read_directory(first, last, count, limits);
  refuse_twins_and_overlaps(first);
}

inline void zip_archive::read_directory(std::uint64_t first, std::uint64_t last, std::uint64_t count,
                                        zip_limits limits) {
  byte_reader reader{content_.span().first(static_cast<std::size_t>(last)), name_};
  reader.seek(first, "the zip directory");
  members_.reserve(static_cast<std::size_t>(count));
  std::uint64_t total = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    constexpr std::string_view what = "an entry of the zip directory";
    if (reader.take<std::uint32_t>(what) != detail::zip_central) reader.fail("need ", what, ", got something else");
    (void)reader.take_bytes(4, what);  // versions
    const auto flags = reader.take<std::uint16_t>(what);
    const auto method = reader.take<std::uint16_t>(what);
    (void)reader.take_bytes(4, what);  // time and date
    zip_member member;
    member.crc = reader.take<std::uint32_t>(what);
    member.packed = reader.take<std::uint32_t>(what);
    member.unpacked = reader.take<std::uint32_t>(what);
    const auto name_size = reader.take<std::uint16_t>(what);
    const auto extra_size = reader.take<std::uint16_t>(what);
    const auto comment_size = reader.take<std::uint16_t>(what);
    (void)reader.take_bytes(8, what);  // disk and attributes
    member.header = reader.take<std::uint32_t>(what);
    member.name = text_of(reader.take_bytes(name_size, what));
    const std::size_t extra_at = reader.position();
    const byte_reader extra{reader.take_bytes(extra_size, what), name_, extra_at};
    detail::read_zip64_extra(extra, {&member.unpacked, &member.packed, &member.header});
    (void)reader.take_bytes(comment_size, what);

    const auto who = concat("member ", in_quotes(member.name));
    if (!detail::plain_zip_name(member.name)) reader.fail(who, " has a name that is no plain relative path");
    if (flags & 1) reader.fail(who, " is encrypted, which is not supported");
    if (method != 0 && method != 8) reader.fail(who, " is packed by method ", method, "; stored and deflate are known");
    member.deflated = method == 8;
    if (!member.deflated && member.packed != member.unpacked)
      reader.fail(who, " is stored, but its sizes differ: ", member.packed, " and ", member.unpacked);
    if (member.header > first || member.packed > first) reader.fail(who, " lies outside the file");
    if (member.unpacked / detail::largest_ratio > member.packed)
      reader.fail(who, " cannot hold the stated ", member.unpacked, " bytes in ", member.packed);
    if (member.unpacked > limits.unpacked - total)
      reader.fail("at most ", limits.unpacked, " bytes can be unpacked, the archive states more");
    total += member.unpacked;
    members_.push_back(std::move(member));
  }
  if (reader.left() != 0) reader.fail("the zip directory holds more than its ", count, " members");
}

inline void zip_archive::refuse_twins_and_overlaps(std::uint64_t directory) {
  std::vector<zip_member*> order(members_.size());
  std::ranges::transform(members_, order.begin(), [](auto& m) { return &m; });
  std::ranges::sort(order, {}, [](const auto* m) -> const std::string& { return m->name; });
  for (std::size_t i = 1; i < order.size(); ++i)
    check<data_error>(order[i]->name != order[i - 1]->name, name_, ": two members are named ",
                      in_quotes(order[i]->name));
  std::ranges::sort(order, {}, [](const auto* m) { return m->header; });
  for (std::size_t i = 0; i < order.size(); ++i) {
    auto& member = *order[i];
    member.next = i + 1 < order.size() ? order[i + 1]->header : directory;
    check<data_error>(member.next - member.header >= detail::zip_local_size + member.name.size() + member.packed, name_,
                      ": member ", in_quotes(member.name), " overlaps what follows it");
  }
}

inline byte_span zip_archive::packed_bytes(const zip_member& member) const {
  constexpr std::string_view what = "the local header of a member";
  byte_reader reader{content_.span().first(static_cast<std::size_t>(member.next)), name_};
  reader.seek(member.header, what);
  if (reader.take<std::uint32_t>(what) != detail::zip_local) reader.fail("need ", what, ", got something else");
  (void)reader.take_bytes(4, what);  // version and flags
  const auto method = reader.take<std::uint16_t>(what);
  (void)reader.take_bytes(16, what);  // time, date, checksum and sizes: the directory's count
  const auto name_size = reader.take<std::uint16_t>(what);
  const auto extra_size = reader.take<std::uint16_t>(what);
  const auto local_name = text_of(reader.take_bytes(name_size, what));
  if (local_name != member.name || (method == 8) != member.deflated)
    reader.fail("member ", in_quotes(member.name), " and its local header disagree");
  (void)reader.take_bytes(extra_size, what);
  return reader.take_bytes(member.packed, "the content of a member");
}

inline buffer zip_archive::read(const zip_member& member) const {
  const auto packed = packed_bytes(member);
  const auto who = concat(name_, ": member ", in_quotes(member.name));
  buffer content = member.deflated ? detail::inflate_exactly(packed, member.unpacked, who) : buffer{packed};
  check<data_error>(detail::crc_of(content.span()) == member.crc, who, " is damaged: its checksum differs");
  return content;
}

}  // namespace anodiff::formats
