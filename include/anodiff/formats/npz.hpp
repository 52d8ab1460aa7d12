// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/formats/npy.hpp>
#include <anodiff/formats/zip.hpp>
#include <anodiff/formats/zip_writer.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace anodiff::formats {

/// A NumPy .npz file in memory: a zip archive whose members NAME.npy are arrays, each read when it is asked for.
class npz_file {
 public:
  explicit npz_file(zip_archive archive) : archive_{std::move(archive)} {}

  [[nodiscard]] const std::string& name() const noexcept { return archive_.name(); }
  /// The names of the arrays in file order; members that are no .npy are left out.
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto& member : archive_.members())
      if (member.name.ends_with(suffix)) out.push_back(member.name.substr(0, member.name.size() - suffix.size()));
    return out;
  }
  [[nodiscard]] bool contains(std::string_view array_name) const { return place(array_name) != nullptr; }
  /// The array of that name. Throws data_error where there is none or it is damaged.
  [[nodiscard]] array read(std::string_view array_name) const {
    const auto* member = place(array_name);
    check<data_error>(member != nullptr, name(), ": needs an array ", in_quotes(array_name), ", got ", list());
    return parse_npy(archive_.read(*member), concat(name(), ": ", member->name));
  }

 private:
  static constexpr std::string_view suffix = ".npy";
  [[nodiscard]] const zip_member* place(std::string_view array_name) const {
    return archive_.find(concat(array_name, suffix));
  }
  [[nodiscard]] std::string list() const {
    constexpr std::size_t most = 10;
    const auto all = names();
    std::string out;
    for (std::size_t i = 0; i < std::min(all.size(), most); ++i) out += concat(i == 0 ? "" : ", ", in_quotes(all[i]));
    return all.empty() ? "none" : all.size() > most ? out + ", ..." : out;
  }

  zip_archive archive_;
};

/// Reads the directory of an .npz file. Throws io_error where it cannot be read, data_error where it is damaged.
[[nodiscard]] inline npz_file read_npz(const std::string& path, zip_limits limits = {},
                                       std::uint64_t file_limit = default_file_limit) {
  return npz_file{zip_archive{read_file(path, file_limit), path, limits}};
}

/// Writes arrays as .npz, in the given order; compressed means deflate, as np.savez_compressed does.
template <byte_sink Sink>
void write_npz(Sink& sink, const std::vector<named_tensor>& arrays, bool compressed = false) {
  zip_writer zip{sink};
  for (const auto& [name, type, extents, bytes] : arrays) {
    const auto size = stored_size(extents, type);
    check(size && *size == bytes.size(), "write_npz: array ", in_quotes(name), " of ", name_of(type), " ",
          shape_text(extents), " does not fit its ", bytes.size(), " bytes");
    const std::string header = npy_header(type, extents);
    const byte_span pieces[] = {bytes_of(header), bytes};
    zip.add(name + ".npy", pieces, compressed);
  }
  zip.finish();
}
/// The same to a file, whole or not at all; throws io_error where the system refuses.
inline void write_npz(const std::string& path, const std::vector<named_tensor>& arrays, bool compressed = false) {
  write_file_atomically(path, [&](file_sink& sink) { write_npz(sink, arrays, compressed); });
}

}  // namespace anodiff::formats
