// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/formats/file.hpp>
#include <anodiff/formats/json.hpp>
#include <array>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace anodiff::io {

/// A config file of diffusers: an object whose absent keys have defaults. It remembers which keys were asked for, so
/// that what nobody asked for can be reported. Python writes Infinity and NaN, which are no JSON: they read as null.
/// What it gives throws data_error, naming file and key, where the value is of another kind or out of range.
class diffusers_config {
 public:
  static constexpr std::uint64_t size_limit = std::uint64_t{1} << 20;  ///< bytes of a config file that is read

  /// Throws data_error where the values are no object.
  diffusers_config(formats::json values, std::string name) : values_{std::move(values)}, name_{std::move(name)} {
    (void)values_.members(name_);
  }
  /// Throws io_error where the file cannot be read, data_error where it is no JSON object or longer than size_limit.
  [[nodiscard]] static diffusers_config read(const std::string& path) {
    const auto content = formats::read_file(path, size_limit);
    return parse(formats::text_of(content.span()), path);
  }
  /// The same for text that is at hand; name stands for its file in messages.
  [[nodiscard]] static diffusers_config parse(std::string_view text, std::string name) {
    auto values = formats::parse_json(without_infinities(text), name, {.depth = 8});
    return {std::move(values), std::move(name)};
  }

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// The key as messages name it.
  [[nodiscard]] std::string who(std::string_view key) const { return concat(name_, ": \"", key, "\""); }

  [[nodiscard]] bool flag(std::string_view key, bool fallback) {
    const auto* value = ask(key, fallback ? "true" : "false");
    return value != nullptr ? value->boolean(who(key)) : fallback;
  }
  [[nodiscard]] double number(std::string_view key, double fallback, double least, double most) {
    const auto* value = ask(key, concat(fallback));
    if (value == nullptr) return fallback;
    const double got = value->number(who(key));
    check<data_error>(got >= least && got <= most, who(key), " must lie in [", least, ", ", most, "], got ", got);
    return got;
  }
  [[nodiscard]] index whole(std::string_view key, index fallback, index least, index most) {
    const auto* value = ask(key, concat(fallback));
    if (value == nullptr) return fallback;
    const index got = value->integer(who(key));
    check<data_error>(got >= least && got <= most, who(key), " must lie in [", least, ", ", most, "], got ", got);
    return got;
  }
  /// One of `known`, by its place there.
  template <std::size_t Count>
  [[nodiscard]] std::size_t choice(std::string_view key, std::string_view fallback,
                                   const std::array<std::string_view, Count>& known) {
    const auto* value = ask(key, fallback);
    const std::string got = value != nullptr ? value->string(who(key)) : std::string{fallback};
    return place_in(key, got, known);
  }
  /// A list of texts, each one of `known` once a prefix is dropped, by their places there.
  template <std::size_t Count>
  [[nodiscard]] std::vector<std::size_t> choices(std::string_view key, std::span<const std::string_view> fallback,
                                                 const std::array<std::string_view, Count>& known,
                                                 std::string_view dropped_prefix, std::size_t longest) {
    std::vector<std::size_t> out;
    if (const auto* all = list(key, "that of the constructor", 1, longest)) {
      for (const auto& element : *all) {
        std::string_view text = element.string(who(key));
        if (text.starts_with(dropped_prefix)) text.remove_prefix(dropped_prefix.size());
        out.push_back(place_in(key, text, known));
      }
    } else {
      for (const auto text : fallback) out.push_back(place_in(key, text, known));
    }
    return out;
  }
  [[nodiscard]] std::vector<double> numbers(std::string_view key, std::size_t longest) {
    std::vector<double> out;
    if (const auto* all = list(key, "none", 0, longest))
      for (const auto& element : *all) out.push_back(element.number(who(key)));
    return out;
  }
  [[nodiscard]] std::vector<index> wholes(std::string_view key, std::span<const index> fallback, index least,
                                          index most, std::size_t longest) {
    const auto* all = list(key, "that of the constructor", 1, longest);
    if (all == nullptr) return {fallback.begin(), fallback.end()};
    std::vector<index> out;
    for (const auto& element : *all) {
      out.push_back(element.integer(who(key)));
      check<data_error>(out.back() >= least && out.back() <= most, who(key), " must lie in [", least, ", ", most,
                        "], got ", out.back());
    }
    return out;
  }
  /// Whether the key is there and null, where that means another thing than its absence.
  [[nodiscard]] bool is_null(std::string_view key) const {
    const auto* value = values_.find(key, name_);
    return value != nullptr && value->is_null();
  }
  /// The value of that key; null where it is absent or null. An absent key with a default is noted.
  [[nodiscard]] const formats::json* ask(std::string_view key, std::string_view fallback = {}) {
    asked_.emplace(key);
    const auto* value = values_.find(key, name_);
    if (value == nullptr && !fallback.empty()) notes_.push_back(concat(who(key), " is absent: taken as ", fallback));
    return value == nullptr || value->is_null() ? nullptr : value;
  }
  /// Throws data_error where the key has a value other than null, false or an empty list.
  void refuse(std::string_view key, std::string_view reason) {
    const auto* value = ask(key);
    const bool set = value != nullptr && !(value->is_boolean() && !value->boolean()) &&
                     !(value->is_array() && value->elements().empty());
    check<data_error>(!set, who(key), " is not supported: ", reason);
  }

  /// What was taken by default, and what nobody asked for.
  [[nodiscard]] std::vector<std::string> notes() const {
    auto all = notes_;
    for (const auto& [key, value] : values_.members(name_))
      if (!key.starts_with('_') && !asked_.contains(key))
        all.push_back(concat(name_, ": ", formats::in_quotes(key), " is not known: ignored"));
    return all;
  }

 private:
  /// The elements of a list of that key, of which there must be so many; null where it is absent or null.
  [[nodiscard]] const formats::json::array_type* list(std::string_view key, std::string_view fallback,
                                                      std::size_t shortest, std::size_t longest) {
    const auto* value = ask(key, fallback);
    if (value == nullptr) return nullptr;
    const auto& all = value->elements(who(key));
    check<data_error>(all.size() >= shortest && all.size() <= longest, who(key), " needs ", shortest, " to ", longest,
                      " elements, got ", all.size());
    return &all;
  }
  template <std::size_t Count>
  [[nodiscard]] std::size_t place_in(std::string_view key, std::string_view got,
                                     const std::array<std::string_view, Count>& known) const {
    const auto found = std::ranges::find(known, got);
    if (found == known.end()) {
      std::string list;
      for (const auto text : known) list += concat(list.empty() ? "" : ", ", text);
      throw data_error(concat(who(key), " must be one of ", list, ", got ", formats::in_quotes(got)));
    }
    return static_cast<std::size_t>(found - known.begin());
  }
  /// Infinity, -Infinity and NaN outside of strings become null.
  [[nodiscard]] static std::string without_infinities(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    bool inside = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (inside) {
        out += text[i];
        if (text[i] == '\\' && i + 1 < text.size())
          out += text[++i];
        else if (text[i] == '"')
          inside = false;
        continue;
      }
      const auto rest = text.substr(i);
      std::size_t length = 0;
      for (const std::string_view word : {"-Infinity", "Infinity", "NaN"})
        if (length == 0 && rest.starts_with(word)) length = word.size();
      inside = text[i] == '"';
      if (length == 0) {
        out += text[i];
      } else {
        out += "null";
        i += length - 1;
      }
    }
    return out;
  }

  formats::json values_;
  std::string name_;
  std::set<std::string, std::less<>> asked_;
  std::vector<std::string> notes_;
};

}  // namespace anodiff::io
