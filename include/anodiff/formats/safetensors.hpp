// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/formats/bytes.hpp>
#include <anodiff/formats/detail/safetensors_entries.hpp>
#include <anodiff/formats/dtype.hpp>
#include <anodiff/formats/file.hpp>
#include <anodiff/formats/json.hpp>
#include <anodiff/formats/named_tensor.hpp>
#include <numeric>
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
[[nodiscard]] inline safetensors_file parse_safetensors(buffer content, std::string name) {
  safetensors_file out;
  constexpr std::size_t length_bytes = sizeof(std::uint64_t);
  check<data_error>(content.size() > length_bytes, name, ": is no safetensors file: needs more than ", length_bytes,
                    " bytes, got ", content.size());
  const auto opening = text_of(content.span().subspan(length_bytes, 1));
  check<data_error>(opening == "{", name, ": is no safetensors file: needs '{' after the ", length_bytes,
                    " bytes that give the header's length, got ", in_quotes(opening));
  byte_reader reader{content.span(), name};
  const auto length = reader.take<std::uint64_t>("the length of the header");
  if (length > safetensors_header_limit)
    reader.fail("the header may have at most ", safetensors_header_limit, " bytes, got ", length);
  const auto text = text_of(reader.take_bytes(length, "the header"));
  const json header = parse_json(text, concat(name, ": header"), {.depth = 4, .elements = 64});
  std::vector<detail::safetensors_entry> entries;
  for (const auto& member : header.members(name)) {
    if (member.first == detail::safetensors_metadata) {
      const std::string who = concat(name, ": __metadata__");
      for (const auto& [key, value] : member.second.members(who))
        out.metadata.emplace_back(key, value.string(concat(who, " ", in_quotes(key))));
    } else {
      entries.push_back(detail::safetensors_entry_of(name, member));
    }
  }
  detail::tile_safetensors(name, reader.take_bytes(reader.left(), "the data"), entries);
  out.realigned_ = detail::realign_safetensors(entries);
  out.tensors.reserve(entries.size());
  for (auto& entry : entries) out.tensors.push_back(std::move(entry.tensor));
  out.by_name_.resize(out.tensors.size());
  std::iota(out.by_name_.begin(), out.by_name_.end(), std::size_t{0});
  std::ranges::sort(out.by_name_, {}, [&](std::size_t i) -> const std::string& { return out.tensors[i].name; });
  out.content_ = std::move(content);
  out.name = std::move(name);
  return out;
}

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
                       const safetensors_file::metadata_type& metadata = {}) {
  std::vector<std::size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    const auto size_a = size_of(tensors[a].type), size_b = size_of(tensors[b].type);
    return size_a != size_b ? size_a > size_b : a < b;
  });
  std::vector<std::uint64_t> first(tensors.size());
  std::uint64_t at = 0;
  for (const std::size_t i : order) {
    first[i] = at;
    at += tensors[i].bytes.size();
  }
  json::object_type header;
  if (!metadata.empty()) {
    json::object_type texts;
    for (const auto& [key, value] : metadata) texts.emplace_back(key, json{value});
    header.emplace_back(detail::safetensors_metadata, std::move(texts));
  }
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const auto& [name, type, extents, bytes] = tensors[i];
    const auto size = stored_size(extents, type);
    check(size && *size == bytes.size(), "write_safetensors: tensor ", in_quotes(name), " of ", name_of(type), " ",
          shape_text(extents), " does not fit its ", bytes.size(), " bytes");
    check(name != detail::safetensors_metadata, "write_safetensors: no tensor can be named ", in_quotes(name));
    const auto known = std::ranges::find(detail::safetensors_dtypes, type, &detail::safetensors_dtype::type);
    header.emplace_back(name, json::object_type{{"dtype", known->spelling},
                                                {"shape", json{extents}},
                                                {"data_offsets", json::array_type{first[i], first[i] + bytes.size()}}});
  }
  const auto refuse_twins = [](const json::object_type& members, std::string_view what) {
    std::vector<std::string_view> keys;
    for (const auto& member : members) keys.push_back(member.first);
    std::ranges::sort(keys);
    const auto twin = std::ranges::adjacent_find(keys);
    check(twin == keys.end(), "write_safetensors: ", what, " ", twin == keys.end() ? "" : in_quotes(*twin),
          " occurs twice");
  };
  refuse_twins(header, "the name");
  if (!metadata.empty()) refuse_twins(header.front().second.members(), "the metadata key");

  constexpr std::size_t alignment = 64;
  std::string text = json{std::move(header)}.dump();
  text.append((alignment - (sizeof(std::uint64_t) + text.size()) % alignment) % alignment, ' ');
  check(text.size() <= safetensors_header_limit, "write_safetensors: the header may have at most ",
        safetensors_header_limit, " bytes, got ", text.size());
  const std::uint64_t length = text.size();
  sink.write(std::as_bytes(std::span{&length, 1}));
  sink.write(bytes_of(text));
  for (const std::size_t i : order) sink.write(tensors[i].bytes);
}

/// The same to a file, whole or not at all; throws io_error where the system refuses.
inline void write_safetensors(const std::string& path, const std::vector<named_tensor>& tensors,
                              const safetensors_file::metadata_type& metadata = {}) {
  write_file_atomically(path, [&](file_sink& sink) { write_safetensors(sink, tensors, metadata); });
}

}  // namespace anodiff::formats
