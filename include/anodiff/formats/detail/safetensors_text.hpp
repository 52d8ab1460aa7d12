// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/formats/safetensors.hpp>
#include <array>
#include <numeric>

namespace anodiff::formats {

namespace detail {

struct safetensors_dtype {
  std::string_view spelling;
  dtype type;
};
inline constexpr std::array<safetensors_dtype, 13> safetensors_dtypes{{{"F64", dtype::f64},
                                                                       {"F32", dtype::f32},
                                                                       {"F16", dtype::f16},
                                                                       {"BF16", dtype::bf16},
                                                                       {"I64", dtype::i64},
                                                                       {"I32", dtype::i32},
                                                                       {"I16", dtype::i16},
                                                                       {"I8", dtype::i8},
                                                                       {"U64", dtype::u64},
                                                                       {"U32", dtype::u32},
                                                                       {"U16", dtype::u16},
                                                                       {"U8", dtype::u8},
                                                                       {"BOOL", dtype::boolean}}};

/// One entry of the header: a tensor, and the bytes of the data [first, last) that it claims.
struct safetensors_entry {
  named_tensor tensor;
  std::uint64_t first = 0, last = 0;
};

inline safetensors_entry safetensors_entry_of(const std::string& file, const json::member& member) {
  const auto& [key, value] = member;
  const std::string who = concat(file, ": tensor ", quoted(key));
  for (const auto& [part, unused] : value.members(who))
    check<data_error>(part == "dtype" || part == "shape" || part == "data_offsets", who, " has an unknown member ",
                      quoted(part));
  safetensors_entry entry;
  const auto& spelling = value.at("dtype", who).string(who);
  const auto known = std::ranges::find(safetensors_dtypes, spelling, &safetensors_dtype::spelling);
  check<data_error>(known != safetensors_dtypes.end(), who, " has a dtype that is not known: ", quoted(spelling));
  entry.tensor = {key, known->type, {}, {}};
  for (const auto& extent : value.at("shape", who).elements(who)) entry.tensor.shape.push_back(extent.integer(who));
  const auto& offsets = value.at("data_offsets", who).elements(who);
  check<data_error>(offsets.size() == 2, who, " needs two data_offsets, got ", offsets.size());
  entry.first = offsets[0].unsigned_integer(who);
  entry.last = offsets[1].unsigned_integer(who);
  check<data_error>(entry.first <= entry.last, who, " begins at ", entry.first, ", after its end at ", entry.last);
  const auto size = stored_size(entry.tensor.shape, entry.tensor.type);
  check<data_error>(size && *size == entry.last - entry.first, who, " of ", spelling, " ",
                    shape_text(entry.tensor.shape), " needs ", size ? concat(*size) : "too many", " bytes, got ",
                    entry.last - entry.first);
  return entry;
}

/// Gives each entry its bytes; they must follow one another from the first byte of data to the last.
inline void tile_safetensors(const std::string& file, byte_span data, std::vector<safetensors_entry>& entries) {
  std::vector<safetensors_entry*> ordered(entries.size());
  std::transform(entries.begin(), entries.end(), ordered.begin(), [](auto& entry) { return &entry; });
  std::ranges::sort(ordered, [](const auto* a, const auto* b) {
    return std::pair{a->first, a->last} < std::pair{b->first, b->last};
  });
  std::uint64_t at = 0;
  for (auto* entry : ordered) {
    check<data_error>(entry->first == at, file, ": tensor ", quoted(entry->tensor.name), " must begin at byte ", at,
                      " of the data, where the one before it ends, got ", entry->first);
    check<data_error>(entry->last <= data.size(), file, ": tensor ", quoted(entry->tensor.name), " ends at byte ",
                      entry->last, " of the data, of which there are ", data.size());
    entry->tensor.bytes = data.subspan(entry->first, entry->last - entry->first);
    at = entry->last;
  }
  check<data_error>(at == data.size(), file, ": the tensors must fill the data, got ", at, " of ", data.size(),
                    " bytes");
}

/// Copies tensors that do not stand at a multiple of their element's size.
inline buffer realign_safetensors(std::vector<safetensors_entry>& entries) {
  const auto askew = [](const named_tensor& tensor) {
    return reinterpret_cast<std::uintptr_t>(tensor.bytes.data()) % size_of(tensor.type) != 0;
  };
  const auto room = [](std::size_t size) { return (size + 7) / 8 * 8; };
  std::size_t total = 0;
  for (const auto& entry : entries) total += askew(entry.tensor) ? room(entry.tensor.bytes.size()) : 0;
  buffer copies{total};
  auto* to = copies.data();
  for (auto& [tensor, first, last] : entries) {
    if (tensor.bytes.empty() || !askew(tensor)) continue;
    std::memcpy(to, tensor.bytes.data(), tensor.bytes.size());
    tensor.bytes = {to, tensor.bytes.size()};
    to += room(tensor.bytes.size());
  }
  return copies;
}

}  // namespace detail

inline safetensors_file parse_safetensors(buffer content, std::string name) {
  safetensors_file out;
  byte_reader reader{content.span(), name};
  const auto length = reader.take<std::uint64_t>("the length of the header");
  if (length > safetensors_header_limit)
    reader.fail("the header may have at most ", safetensors_header_limit, " bytes, got ", length);
  const auto text = text_of(reader.take_bytes(length, "the header"));
  if (!text.starts_with('{')) reader.fail("the header must begin with '{'");
  const json header = parse_json(text, concat(name, ": header"), {.depth = 4});
  std::vector<detail::safetensors_entry> entries;
  for (const auto& member : header.members(name)) {
    if (member.first == "__metadata__") {
      const std::string who = concat(name, ": __metadata__");
      for (const auto& [key, value] : member.second.members(who))
        out.metadata.emplace_back(key, value.string(concat(who, " ", quoted(key))));
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

template <byte_sink Sink>
void write_safetensors(Sink& sink, const std::vector<named_tensor>& tensors,
                       const safetensors_file::metadata_type& metadata) {
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
    header.emplace_back("__metadata__", std::move(texts));
  }
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const auto& [name, type, extents, bytes] = tensors[i];
    const auto size = stored_size(extents, type);
    check(size && *size == bytes.size(), "write_safetensors: tensor ", quoted(name), " of ", name_of(type), " ",
          shape_text(extents), " does not fit its ", bytes.size(), " bytes");
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
    check(twin == keys.end(), "write_safetensors: ", what, " ", twin == keys.end() ? "" : quoted(*twin),
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

}  // namespace anodiff::formats
