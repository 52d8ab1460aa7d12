// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace anodiff::cli {

/// Keeps members in the order in which they were added; a number that is not finite is written as null.
using json = nlohmann::ordered_json;

/// null where there is no value.
template <class T>
[[nodiscard]] json json_of(const std::optional<T>& value) {
  return value ? json(*value) : json(nullptr);
}
/// A text that reads as a number, true or false becomes one; any other stays a text.
[[nodiscard]] inline json value_of(const std::string& text) {
  auto read = json::parse(text, nullptr, false);
  return read.is_primitive() && !read.is_discarded() ? read : json(text);
}
[[nodiscard]] inline json object_of(const std::vector<std::pair<std::string, std::string>>& fields) {
  json out = json::object();
  for (const auto& [key, value] : fields) out[key] = value_of(value);
  return out;
}

}  // namespace anodiff::cli
