// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/formats/bytes.hpp>
#include <anodiff/formats/detail/decimal.hpp>
#include <anodiff/formats/detail/utf8.hpp>
#include <anodiff/formats/json_value.hpp>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace anodiff::formats {

/// What a parser accepts.
struct json_limits {
  int depth = 64;                                                  ///< nesting of arrays and objects; from 1
  std::size_t elements = std::numeric_limits<std::size_t>::max();  ///< of one array
};

/// Text to value: a recursive descent, bounded in depth.
class json_parser {
 public:
  json_parser(std::string_view text, std::string_view name, json_limits limits) noexcept
      : text_{text}, name_{name}, limits_{limits} {}

  json parse() {
    json out = value(0);
    skip_space();
    if (at_ != text_.size()) fail("need the end of the text after the value, got more");
    return out;
  }

 private:
  template <class... Parts>
  [[noreturn]] void fail(const Parts&... parts) const {
    const auto before = text_.substr(0, at_);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const auto column = at_ - (before.rfind('\n') + 1) + 1;  // npos + 1 is 0
    throw data_error(concat(name_, ": ", parts..., " (line ", line, ", column ", column, ")"));
  }
  [[nodiscard]] bool ended() const noexcept { return at_ == text_.size(); }
  void skip_space() noexcept {
    while (!ended() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) ++at_;
  }
  bool accept(char c) noexcept {
    skip_space();
    if (ended() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  [[nodiscard]] std::string here() const { return ended() ? "the end" : in_quotes(text_.substr(at_, 1)); }

  json value(int depth) {
    skip_space();
    if (ended()) fail("need a value, got the end");
    switch (text_[at_]) {
      case '{':
        return object(depth + 1);
      case '[':
        return array(depth + 1);
      case '"':
        return json{string()};
      case 't':
        return word("true", json{true});
      case 'f':
        return word("false", json{false});
      case 'n':
        return word("null", json{});
      default:
        return number();
    }
  }
  json word(std::string_view spelling, json meaning) {
    if (text_.substr(at_, spelling.size()) != spelling) fail("need a value, got ", here());
    at_ += spelling.size();
    return meaning;
  }

  void enter(int depth) {
    if (depth > limits_.depth) fail("nested deeper than ", limits_.depth, " levels");
    ++at_;
  }
  json array(int depth) {
    enter(depth);
    json::array_type out;
    if (accept(']')) return json{std::move(out)};
    do {
      if (out.size() == limits_.elements) fail("an array of more than ", limits_.elements, " elements");
      out.push_back(value(depth));
    } while (accept(','));
    if (!accept(']')) fail("need ',' or ']' in an array, got ", here());
    return json{std::move(out)};
  }
  json object(int depth) {
    enter(depth);
    json::object_type out;
    if (accept('}')) return json{std::move(out)};
    do {
      skip_space();
      if (ended() || text_[at_] != '"') fail("need a key in quotes, got ", here());
      std::string key = string();
      if (!accept(':')) fail("need ':' after a key, got ", here());
      out.emplace_back(std::move(key), value(depth));
    } while (accept(','));
    if (!accept('}')) fail("need ',' or '}' in an object, got ", here());
    refuse_twins(out);
    return json{std::move(out)};
  }
  void refuse_twins(const json::object_type& members) const {
    std::vector<std::string_view> keys(members.size());
    std::transform(members.begin(), members.end(), keys.begin(),
                   [](const auto& m) { return std::string_view{m.first}; });
    std::sort(keys.begin(), keys.end());
    const auto twin = std::adjacent_find(keys.begin(), keys.end());
    if (twin != keys.end()) fail("the key ", in_quotes(*twin), " occurs twice in an object");
  }

  json number() {
    const std::size_t first = at_;
    const bool negative = !ended() && text_[at_] == '-';
    if (negative) ++at_;
    const std::size_t digits_first = at_;
    if (digits() == 0) fail("need a value, got ", here());
    if (text_[digits_first] == '0' && at_ > digits_first + 1) fail("a number must not begin with 0");
    const std::size_t digits_last = at_;
    if (!ended() && text_[at_] == '.') {
      ++at_;
      if (digits() == 0) fail("need a digit after the point, got ", here());
    }
    if (!ended() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      ++at_;
      if (!ended() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
      if (digits() == 0) fail("need a digit in the exponent, got ", here());
    }
    json::number_type out;
    const auto end = text_.data() + at_;
    if (detail::decimal_from(text_.data() + first, end, out.value).ec != std::errc{})
      fail("a number is beyond the range of double: ", in_quotes(text_.substr(first, at_ - first)));
    if (at_ == digits_last && !(negative && out.value == 0)) {  // "-0" is the double
      out.exact = std::from_chars(text_.data() + digits_first, end, out.magnitude).ec == std::errc{};
      constexpr auto top = std::uint64_t{1} << 63;
      out.exact = out.exact && !(negative && out.magnitude > top);
      out.negative = out.exact && negative;
      if (!out.exact) out.magnitude = 0;
    }
    return json{out};
  }
  std::size_t digits() noexcept {
    const std::size_t first = at_;
    while (!ended() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
    return at_ - first;
  }

  std::string string() {
    std::string out;
    for (++at_;;) {
      const std::size_t first = at_;
      while (!ended() && text_[at_] != '"' && text_[at_] != '\\' && static_cast<unsigned char>(text_[at_]) >= 0x20)
        ++at_;
      const auto plain = text_.substr(first, at_ - first);
      if (const auto bad = detail::utf8_error(plain); bad != plain.size()) {
        at_ = first + bad;
        fail("a string is not UTF-8");
      }
      out += plain;
      if (ended()) fail("a string has no end");
      const char c = text_[at_++];
      if (c == '"') return out;
      if (c != '\\') {
        --at_;
        fail("a control character in a string must be escaped");
      }
      escape(out);
    }
  }
  void escape(std::string& out) {
    if (ended()) fail("a string has no end");
    const char c = text_[at_];
    constexpr std::string_view letters = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
    if (const auto place = letters.find(c); place != std::string_view::npos) {
      ++at_;
      out += meanings[place];
      return;
    }
    if (c != 'u') fail("an unknown escape \\", in_quotes(text_.substr(at_, 1)), " in a string");
    ++at_;
    std::uint32_t code = hex4();
    if (code >= 0xd800 && code < 0xdc00 && text_.substr(at_, 2) == "\\u") {
      at_ += 2;
      const std::uint32_t low = hex4();
      if (low < 0xdc00 || low >= 0xe000) fail("half a surrogate pair in a string");
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    } else if (code >= 0xd800 && code < 0xe000) {
      fail("half a surrogate pair in a string");
    }
    detail::append_utf8(out, code);
  }
  std::uint32_t hex4() {
    std::uint32_t code = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const char c = ended() ? ' ' : text_[at_];
      const int digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) fail("need four hexadecimal digits after \\u, got ", here());
      code = code * 16 + static_cast<std::uint32_t>(digit);
    }
    return code;
  }

  std::string_view text_;
  std::string_view name_;
  json_limits limits_;
  std::size_t at_ = 0;
};

/// The value of a JSON text in UTF-8 (RFC 8259, no byte order mark). name stands for the text in messages. Throws
/// data_error, naming line and column, on anything else: a syntax error, a key that occurs twice in an object, text
/// that is no UTF-8, half a surrogate pair, a number beyond double, too deep nesting.
[[nodiscard]] inline json parse_json(std::string_view text, std::string_view name = "json", json_limits limits = {}) {
  return json_parser{text, name, limits}.parse();
}

}  // namespace anodiff::formats
