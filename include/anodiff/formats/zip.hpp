// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/formats/bytes.hpp>
#include <anodiff/formats/file.hpp>
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
  void read_directory(byte_reader& reader, std::uint64_t first, std::uint64_t last, std::uint64_t count,
                      zip_limits limits);
  [[nodiscard]] byte_span packed_bytes(const zip_member& member) const;

  buffer content_;
  std::string name_;
  std::vector<zip_member> members_;
};

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
};

}  // namespace anodiff::formats

#include <anodiff/formats/detail/zip_reader.hpp>
#include <anodiff/formats/detail/zip_writer.hpp>
