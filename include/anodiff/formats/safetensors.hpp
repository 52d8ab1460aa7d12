// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/formats/bytes.hpp>
#include <anodiff/formats/dtype.hpp>
#include <anodiff/formats/file.hpp>
#include <anodiff/formats/json.hpp>
#include <anodiff/formats/named_tensor.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace anodiff::formats {

/// What stands in a safetensors file. The tensors borrow from bytes held here: the file outlives every view of it.
class safetensors_file {
 public:
  using metadata_type = std::vector<std::pair<std::string, std::string>>;

  std::string name;                   ///< of the file, for messages
  metadata_type metadata;             ///< text to text, in file order
  std::vector<named_tensor> tensors;  ///< in file order; bytes aligned to the size of an element

  /// The metadata of that key; null where there is none.
  [[nodiscard]] const std::string* find_metadata(std::string_view key) const noexcept {
    for (const auto& [k, value] : metadata)
      if (k == key) return &value;
    return nullptr;
  }
  /// The metadata of that key; throws data_error, naming file and key, where there is none.
  [[nodiscard]] const std::string& metadata_at(std::string_view key) const {
    const auto* value = find_metadata(key);
    check<data_error>(value != nullptr, name, ": needs metadata \"", key, "\", got none");
    return *value;
  }

  [[nodiscard]] bool contains(std::string_view tensor) const noexcept { return place(tensor) != nullptr; }
  /// The tensor of that name; throws data_error, naming file and tensor, where there is none.
  [[nodiscard]] const named_tensor& find(std::string_view tensor) const {
    const auto* found = place(tensor);
    check<data_error>(found != nullptr, name, ": needs a tensor \"", tensor, "\", got none");
    return *found;
  }
  /// A view of a tensor whose elements are T and whose rank is Rank; throws data_error, naming file, tensor, need and
  /// got, where there is none such.
  template <class T, std::size_t Rank>
  [[nodiscard]] tensor_view<const T, Rank> find(std::string_view tensor) const {
    const auto& found = find(tensor);
    check<data_error>(found.type == dtype_of<T>() && found.shape.size() == Rank, name, ": tensor \"", tensor,
                      "\" must be ", name_of(dtype_of<T>()), " of ", Rank, " dimensions, got ", name_of(found.type),
                      " ", shape_text(found.shape));
    shape<Rank> extents;
    std::copy(found.shape.begin(), found.shape.end(), extents.begin());
    return {reinterpret_cast<const T*>(found.bytes.data()), extents};
  }
  /// The same for a shape that is known beforehand.
  template <class T, std::size_t Rank>
  [[nodiscard]] tensor_view<const T, Rank> find(std::string_view tensor, const shape<Rank>& extents) const {
    const auto& found = find(tensor);
    check<data_error>(found.type == dtype_of<T>() && std::ranges::equal(found.shape, extents), name, ": tensor \"",
                      tensor, "\" must be ", name_of(dtype_of<T>()), " ", shape_text(extents), ", got ",
                      name_of(found.type), " ", shape_text(found.shape));
    return {reinterpret_cast<const T*>(found.bytes.data()), extents};
  }

 private:
  friend safetensors_file parse_safetensors(buffer, std::string);
  [[nodiscard]] const named_tensor* place(std::string_view tensor) const noexcept {
    const auto at = std::lower_bound(by_name_.begin(), by_name_.end(), tensor,
                                     [&](std::size_t i, std::string_view key) { return tensors[i].name < key; });
    return at != by_name_.end() && tensors[*at].name == tensor ? &tensors[*at] : nullptr;
  }

  buffer content_;
  buffer realigned_;                  // copies of tensors that stand askew in content_
  std::vector<std::size_t> by_name_;  // places in tensors, sorted by name
};

/// The longest header that is read, in bytes; the bound of the format's own package.
inline constexpr std::uint64_t safetensors_header_limit = 100'000'000;

/// Reads the bytes of a safetensors file; name stands for it in messages. The tensors' offsets must tile the data
/// without gap or overlap. Throws data_error on anything else, with nothing half-read.
[[nodiscard]] safetensors_file parse_safetensors(buffer content, std::string name);

/// Reads a safetensors file whole. Throws io_error where it cannot be read, data_error where it is damaged.
[[nodiscard]] inline safetensors_file read_safetensors(const std::string& path,
                                                       std::uint64_t limit = default_file_limit) {
  return parse_safetensors(read_file(path, limit), path);
}

/// Writes tensors and metadata in the given order; the same input gives the same bytes. Inside the data, tensors with
/// larger elements come first and the data begin at a multiple of 64 bytes, so that each tensor is aligned to its
/// element. Throws invalid_argument on a name that occurs twice or bytes that do not fit the shape.
template <byte_sink Sink>
void write_safetensors(Sink& sink, const std::vector<named_tensor>& tensors,
                       const safetensors_file::metadata_type& metadata = {});

/// The same to a file, whole or not at all; throws io_error where the system refuses.
inline void write_safetensors(const std::string& path, const std::vector<named_tensor>& tensors,
                              const safetensors_file::metadata_type& metadata = {}) {
  write_file_atomically(path, [&](file_sink& sink) { write_safetensors(sink, tensors, metadata); });
}

}  // namespace anodiff::formats

#include <anodiff/formats/detail/safetensors_text.hpp>
