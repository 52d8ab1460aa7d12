// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/core/check.hpp>
#include <anodiff/core/shape.hpp>
#include <array>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace anodiff {

namespace detail {
/// Takes whatever is listed by name, in concepts: a lambda in its place is what nvcc 13 refuses.
struct listed {
  void operator()(std::string_view, auto&&) const noexcept {}
};
}  // namespace detail

/// A params struct lists its fields once, for the model file, the command line and `info`:
///   static constexpr void fields(auto& self, auto&& field) { field("eta", self.eta); }
/// A field is a bool, an integer, a double, or an enumeration for which `names_of(E)` gives the names of 0, 1, 2 …
template <class P>
concept parameters = std::default_initializable<P> && std::copyable<P> && requires(P& p) {
  P::fields(p, detail::listed{});
};

/// Params of a policy that has none.
struct no_params {
  static constexpr void fields(auto&, auto&&) {}
};

/// Name and value of one field, as text.
using text_fields = std::vector<std::pair<std::string, std::string>>;

namespace detail {

template <class T>
[[nodiscard]] std::string field_to_text(const T& value) {
  if constexpr (std::is_enum_v<T>)
    return std::string{names_of(value)[static_cast<std::size_t>(value)]};
  else
    return concat(value);
}

template <class T>
void field_from_text(std::string_view who, std::string_view text, T& value) {
  if constexpr (std::is_enum_v<T>) {
    constexpr auto names = names_of(T{});
    const auto found = std::find(names.begin(), names.end(), text);
    std::string known;
    for (const auto name : names) known += concat(known.empty() ? "" : ", ", name);
    check(found != names.end(), who, ": need one of ", known, ", got '", text, "'");
    value = static_cast<T>(found - names.begin());
  } else if constexpr (std::is_same_v<T, bool>) {
    check(text == "true" || text == "false", who, ": need true or false, got '", text, "'");
    value = text == "true";
  } else {
    T parsed{};
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), parsed);
    check(failure == std::errc{} && end == text.data() + text.size(), who, ": need ",
          std::is_integral_v<T> ? "a whole number" : "a number", ", got '", text, "'");
    value = parsed;
  }
}

}  // namespace detail

/// Appends the fields of p, each name preceded by the prefix.
template <parameters P>
void append_fields(text_fields& out, std::string_view prefix, const P& p) {
  P::fields(p, [&](std::string_view name, const auto& value) {
    out.emplace_back(concat(prefix, name), detail::field_to_text(value));
  });
}

/// Sets the field called name; false where p has no such field. Throws invalid_argument, naming the field, where the
/// text is no value of its kind; ranges are checked by the policy that is made of the params.
template <parameters P>
bool assign_field(P& p, std::string_view prefix, std::string_view name, std::string_view text) {
  bool found = false;
  P::fields(p, [&](std::string_view field, auto& value) {
    if (!name.starts_with(prefix) || name.substr(prefix.size()) != field) return;
    detail::field_from_text(name, text, value);
    found = true;
  });
  return found;
}

}  // namespace anodiff
