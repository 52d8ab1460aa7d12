// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <anodiff/core/check.hpp>
#include <anodiff/formats/bytes.hpp>
#include <anodiff/formats/detail/utf8.hpp>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace anodiff::formats {

/// One JSON value (RFC 8259). Objects keep the order in which members were added. A number is a double and, where it
/// was given as an integer of at most 64 bits, that integer exactly.
class json {
 public:
  using array_type = std::vector<json>;
  using member = std::pair<std::string, json>;
  using object_type = std::vector<member>;

  json() noexcept = default;  // null
  json(std::nullptr_t) noexcept {}
  json(std::same_as<bool> auto value) noexcept : value_{value} {}
  json(std::floating_point auto value) noexcept : value_{number_type{.value = static_cast<double>(value)}} {}
  template <std::integral Integer>
  requires(!std::same_as<Integer, bool> && !std::same_as<Integer, char>) json(Integer value)
  noexcept
      : value_{number_type{.value = static_cast<double>(value),
                           .magnitude = std::cmp_less(value, 0) ? 0 - static_cast<std::uint64_t>(value)
                                                                : static_cast<std::uint64_t>(value),
                           .exact = true,
                           .negative = std::cmp_less(value, 0)}} {}
  json(const char* text) : value_{std::string{text}} {}
  json(std::string_view text) : value_{std::string{text}} {}
  json(std::string text) noexcept : value_{std::move(text)} {}
  json(array_type elements) noexcept : value_{std::move(elements)} {}
  json(object_type members) noexcept : value_{std::move(members)} {}
  /// An array of numbers or texts.
  template <class T>
  requires(!std::same_as<T, json> && !std::same_as<T, member>) explicit json(const std::vector<T>& elements)
      : value_{array_type(elements.begin(), elements.end())} {}
  [[nodiscard]] static json array() { return json{array_type{}}; }
  [[nodiscard]] static json object() { return json{object_type{}}; }
  [[nodiscard]] static json object(std::initializer_list<member> members) {
    json out = object();
    for (const auto& [key, value] : members) out.set(key, value);
    return out;
  }

  [[nodiscard]] bool is_null() const noexcept { return holds<std::monostate>(); }
  [[nodiscard]] bool is_boolean() const noexcept { return holds<bool>(); }
  [[nodiscard]] bool is_number() const noexcept { return holds<number_type>(); }
  [[nodiscard]] bool is_string() const noexcept { return holds<std::string>(); }
  [[nodiscard]] bool is_array() const noexcept { return holds<array_type>(); }
  [[nodiscard]] bool is_object() const noexcept { return holds<object_type>(); }
  /// True where integer() or unsigned_integer() gives the number.
  [[nodiscard]] bool is_integer() const noexcept {
    const auto* n = std::get_if<number_type>(&value_);
    return n != nullptr && whole(*n).has_value();
  }

  /// The value as what is asked for; throws data_error "WHO: need a number, got a string" otherwise. who names the
  /// value in that message, as in "settings.json: \"steps\"".
  [[nodiscard]] bool boolean(std::string_view who = "json") const { return get<bool>(who, "true or false"); }
  [[nodiscard]] double number(std::string_view who = "json") const { return get<number_type>(who, "a number").value; }
  /// Also a number written like 2.0 or 1e3, which is whole; throws data_error where it is not, or beyond 64 bits.
  [[nodiscard]] std::int64_t integer(std::string_view who = "json") const {
    const auto n = whole(get<number_type>(who, "an integer"));
    constexpr auto top = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    check<data_error>(n && n->magnitude <= (n->negative ? top + 1 : top), who, ": need an integer of 64 bits, got ",
                      dump_number());
    return static_cast<std::int64_t>(n->negative ? 0 - n->magnitude : n->magnitude);
  }
  [[nodiscard]] std::uint64_t unsigned_integer(std::string_view who = "json") const {
    const auto n = whole(get<number_type>(who, "an integer"));
    check<data_error>(n && !n->negative, who, ": need an integer from 0 to 2^64 - 1, got ", dump_number());
    return n->magnitude;
  }
  [[nodiscard]] const std::string& string(std::string_view who = "json") const {
    return get<std::string>(who, "a string");
  }
  [[nodiscard]] const array_type& elements(std::string_view who = "json") const {
    return get<array_type>(who, "an array");
  }
  [[nodiscard]] const object_type& members(std::string_view who = "json") const {
    return get<object_type>(who, "an object");
  }

  /// The member of that name, or null where there is none. Throws data_error where this is no object.
  [[nodiscard]] const json* find(std::string_view key, std::string_view who = "json") const {
    for (const auto& [name, value] : members(who))
      if (name == key) return &value;
    return nullptr;
  }
  /// The member of that name; throws data_error where there is none.
  [[nodiscard]] const json& at(std::string_view key, std::string_view who = "json") const {
    const json* value = find(key, who);
    check<data_error>(value != nullptr, who, ": needs a member \"", key, "\", got none");
    return *value;
  }

  /// Adds a member, or replaces one in its place; null becomes an object first.
  json& set(std::string_view key, json value) {
    if (is_null()) value_ = object_type{};
    auto& all = mutable_get<object_type>("an object");
    for (auto& [name, old] : all)
      if (name == key) {
        old = std::move(value);
        return *this;
      }
    all.emplace_back(std::string{key}, std::move(value));
    return *this;
  }
  /// Adds an element; null becomes an array first.
  json& push_back(json value) {
    if (is_null()) value_ = array_type{};
    mutable_get<array_type>("an array").push_back(std::move(value));
    return *this;
  }

  /// Integers compare exactly, other numbers as doubles.
  [[nodiscard]] bool operator==(const json& other) const { return value_ == other.value_; }

  /// The text: on one line where indent is 0, else with that many spaces a level. Numbers are shortest, so that they
  /// read back the same. Throws numeric_error on a number that is not finite, data_error on text that is not UTF-8.
  [[nodiscard]] std::string dump(int indent = 0) const;

 private:
  friend class json_parser;
  struct number_type {
    double value = 0;
    std::uint64_t magnitude = 0;  // of the integer, where exact
    bool exact = false;
    bool negative = false;
    bool operator==(const number_type& other) const noexcept {
      return exact && other.exact ? magnitude == other.magnitude && negative == other.negative : value == other.value;
    }
  };
  using variant = std::variant<std::monostate, bool, number_type, std::string, array_type, object_type>;

  explicit json(number_type number) noexcept : value_{number} {}

  template <class T>
  [[nodiscard]] bool holds() const noexcept {
    return std::holds_alternative<T>(value_);
  }
  [[nodiscard]] std::string_view kind() const noexcept {
    constexpr std::string_view names[] = {"null", "true or false", "a number", "a string", "an array", "an object"};
    return names[value_.index()];
  }
  template <class T>
  const T& get(std::string_view who, std::string_view need) const {
    const T* value = std::get_if<T>(&value_);
    check<data_error>(value != nullptr, who, ": need ", need, ", got ", kind());
    return *value;
  }
  template <class T>
  T& mutable_get(std::string_view need) {
    T* value = std::get_if<T>(&value_);
    check(value != nullptr, "json: need ", need, ", got ", kind());
    return *value;
  }
  static std::optional<number_type> whole(const number_type& n) noexcept {
    if (n.exact) return n;
    constexpr double exact_limit = 0x1p53;
    if (!(std::abs(n.value) <= exact_limit) || n.value != std::trunc(n.value)) return std::nullopt;
    return number_type{n.value, static_cast<std::uint64_t>(std::abs(n.value)), true, n.value < 0};
  }
  [[nodiscard]] std::string dump_number() const;
  void dump_to(std::string& out, int indent, int level) const;

  variant value_;
};

namespace detail {

inline void dump_string(std::string& out, std::string_view text) {
  check<data_error>(utf8_error(text) == text.size(), "json: a string to be written must be UTF-8, got ",
                    in_quotes(text));
  constexpr std::string_view hex = "0123456789abcdef", letters = "\"\\bfnrt", meanings = "\"\\\b\f\n\r\t";
  out += '"';
  for (const char c : text) {
    if (const auto place = meanings.find(c); place != std::string_view::npos)
      out += {'\\', letters[place]};
    else if (const auto code = static_cast<unsigned char>(c); code < 0x20)
      out += concat("\\u00", hex[code >> 4], hex[code & 15]);
    else
      out += c;
  }
  out += '"';
}

inline void new_line(std::string& out, int indent, int level) {
  if (indent > 0) out.append(1, '\n').append(static_cast<std::size_t>(indent) * static_cast<std::size_t>(level), ' ');
}

}  // namespace detail

inline std::string json::dump_number() const {
  const auto& n = std::get<number_type>(value_);
  check<numeric_error>(std::isfinite(n.value), "json: a number to be written must be finite, got ", n.value);
  return n.exact ? concat(n.negative ? "-" : "", n.magnitude) : concat(n.value);
}

inline void json::dump_to(std::string& out, int indent, int level) const {
  const auto list = [&](const auto& all, char open, char close, auto&& item) {
    out += open;
    for (bool first = true; const auto& one : all) {
      if (!std::exchange(first, false)) out += ',';
      detail::new_line(out, indent, level + 1);
      item(one);
    }
    if (!all.empty()) detail::new_line(out, indent, level);
    out += close;
  };
  if (is_null())
    out += "null";
  else if (is_boolean())
    out += boolean() ? "true" : "false";
  else if (is_number())
    out += dump_number();
  else if (is_string())
    detail::dump_string(out, string());
  else if (is_array())
    list(elements(), '[', ']', [&](const json& element) { element.dump_to(out, indent, level + 1); });
  else
    list(members(), '{', '}', [&](const member& m) {
      detail::dump_string(out, m.first);
      out += indent > 0 ? ": " : ":";
      m.second.dump_to(out, indent, level + 1);
    });
}

inline std::string json::dump(int indent) const {
  std::string out;
  dump_to(out, indent, 0);
  return out;
}

}  // namespace anodiff::formats
