// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/formats/bytes.hpp>
#include <anodiff/formats/dtype.hpp>
#include <anodiff/formats/json.hpp>
#include <anodiff/formats/named_tensor.hpp>
#include <array>
#include <string>
#include <utility>
#include <vector>

namespace anodiff::formats::detail {

inline constexpr std::string_view safetensors_metadata = "__metadata__";  // the one key that is no tensor

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
  const std::string who = concat(file, ": tensor ", in_quotes(key));
  for (const auto& [part, unused] : value.members(who))
    check<data_error>(part == "dtype" || part == "shape" || part == "data_offsets", who, " has an unknown member ",
                      in_quotes(part));
  safetensors_entry entry;
  const auto& spelling = value.at("dtype", who).string(who);
  const auto known = std::ranges::find(safetensors_dtypes, spelling, &safetensors_dtype::spelling);
  check<data_error>(known != safetensors_dtypes.end(), who, " has a dtype that is not known: ", in_quotes(spelling));
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
    check<data_error>(entry->first == at, file, ": tensor ", in_quotes(entry->tensor.name), " must begin at byte ", at,
                      " of the data, where the one before it ends, got ", entry->first);
    check<data_error>(entry->last <= data.size(), file, ": tensor ", in_quotes(entry->tensor.name), " ends at byte ",
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

}  // namespace anodiff::formats::detail
