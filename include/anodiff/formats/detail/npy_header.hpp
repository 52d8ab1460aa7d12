// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <anodiff/formats/bytes.hpp>
#include <anodiff/formats/dtype.hpp>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace anodiff::formats {

namespace detail {

struct npy_dtype {
  std::string_view spelling;  // without the byte order
  dtype type;
};
inline constexpr std::array<npy_dtype, 12> npy_dtypes{{{"f8", dtype::f64},
                                                       {"f4", dtype::f32},
                                                       {"f2", dtype::f16},
                                                       {"i8", dtype::i64},
                                                       {"i4", dtype::i32},
                                                       {"i2", dtype::i16},
                                                       {"i1", dtype::i8},
                                                       {"u8", dtype::u64},
                                                       {"u4", dtype::u32},
                                                       {"u2", dtype::u16},
                                                       {"u1", dtype::u8},
                                                       {"b1", dtype::boolean}}};

/// Reads the header of a .npy file: a Python dict with the keys descr, fortran_order and shape, and nothing else.
class npy_header_parser {
 public:
  npy_header_parser(std::string_view text, std::string_view name) noexcept : text_{text}, name_{name} {}

  void parse() {
    expect('{');
    while (!accept('}')) {
      const auto key = quoted_text();
      expect(':');
      if (key == "descr")
        set(type_, parse_dtype(), key);
      else if (key == "fortran_order")
        set(fortran_order_, parse_bool(), key);
      else if (key == "shape")
        set(shape_, parse_shape(), key);
      else
        fail("an unknown key ", in_quotes(key));
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (at_ != text_.size()) fail("more text after the dict");
    if (!type_ || !fortran_order_ || !shape_) fail("it needs the keys descr, fortran_order and shape");
  }
  [[nodiscard]] dtype type() const { return *type_; }
  [[nodiscard]] bool fortran_order() const { return *fortran_order_; }
  [[nodiscard]] std::vector<index>& shape() { return *shape_; }

 private:
  template <class... Parts>
  [[noreturn]] void fail(const Parts&... parts) const {
    throw data_error(concat(name_, ": npy header: ", parts..., " (at character ", at_, ")"));
  }
  void skip_space() noexcept {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
  }
  bool accept(char c) noexcept {
    skip_space();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail("need '", c, "', got ", at_ == text_.size() ? "the end" : in_quotes(text_.substr(at_, 1)));
  }
  template <class T>
  void set(std::optional<T>& place, T value, std::string_view key) {
    if (place) fail("the key ", in_quotes(key), " occurs twice");
    place = std::move(value);
  }

  std::string_view quoted_text() {
    const char quote = accept('"') ? '"' : '\'';
    if (quote == '\'') expect('\'');
    const auto end = text_.find(quote, at_);
    if (end == std::string_view::npos) fail("a string has no end");
    const auto out = text_.substr(at_, end - at_);
    if (out.find('\\') != std::string_view::npos) fail("a string with an escape");
    at_ = end + 1;
    return out;
  }
  dtype parse_dtype() {
    skip_space();
    if (at_ < text_.size() && text_[at_] == '[') fail("structured arrays are not supported");
    const auto spelling = quoted_text();
    if (spelling.starts_with('>'))
      fail("dtype ", in_quotes(spelling), " is big-endian, which is not supported; save it as little-endian");
    if (spelling.starts_with("|O")) fail("an array of Python objects is not supported");
    const auto known = std::ranges::find(npy_dtypes, spelling.substr(spelling.empty() ? 0 : 1), &npy_dtype::spelling);
    const bool ordered =
        known != npy_dtypes.end() && (spelling[0] == '<' || (spelling[0] == '|' && size_of(known->type) == 1));
    if (!ordered)
      fail("dtype ", in_quotes(spelling),
           " is not supported; float16 to float64, int8 to int64, uint8 to uint64 and bool are");
    return known->type;
  }
  bool parse_bool() {
    skip_space();
    for (const bool value : {false, true}) {
      const std::string_view spelling = value ? "True" : "False";
      if (!text_.substr(at_).starts_with(spelling)) continue;
      at_ += spelling.size();
      return value;
    }
    fail("fortran_order must be True or False");
  }
  std::vector<index> parse_shape() {
    constexpr std::size_t most = 64;  // NumPy's own bound
    std::vector<index> out;
    expect('(');
    while (!accept(')')) {
      skip_space();
      index extent = -1;
      const auto first = text_.data() + at_, last = text_.data() + text_.size();
      const auto [end, status] = std::from_chars(first, last, extent);
      if (status != std::errc{} || extent < 0) fail("shape needs integers from 0 to 2^63 - 1");
      if (out.size() == most) fail("an array of more than ", most, " dimensions");
      at_ += static_cast<std::size_t>(end - first);
      out.push_back(extent);
      if (accept(',')) continue;
      if (out.size() == 1) fail("shape needs a tuple, got an integer in brackets");
      expect(')');
      break;
    }
    return out;
  }

  std::string_view text_;
  std::string_view name_;
  std::size_t at_ = 0;
  std::optional<dtype> type_;
  std::optional<bool> fortran_order_;
  std::optional<std::vector<index>> shape_;
};

inline constexpr std::string_view npy_magic{"\x93NUMPY", 6};

}  // namespace detail

/// The head of a .npy file for elements that follow in row-major order; its size is a multiple of 64.
[[nodiscard]] inline std::string npy_header(dtype type, std::span<const index> extents) {
  const auto known = std::ranges::find(detail::npy_dtypes, type, &detail::npy_dtype::type);
  check(known != detail::npy_dtypes.end(), "npy_header: npy has no ", name_of(type));
  std::string shape;
  for (const index extent : extents) shape += concat(extent, ", ");
  if (extents.size() > 1) shape.resize(shape.size() - 2);
  if (extents.size() == 1) shape.resize(shape.size() - 1);
  std::string dict = concat("{'descr': '", size_of(type) == 1 ? '|' : '<', known->spelling,
                            "', 'fortran_order': False, 'shape': (", shape, "), }");
  constexpr std::size_t alignment = 64;
  const std::size_t before = detail::npy_magic.size() + 2 + sizeof(std::uint16_t);
  dict.append((alignment - (before + dict.size() + 1) % alignment) % alignment, ' ') += '\n';
  return concat(detail::npy_magic, '\1', '\0', static_cast<char>(dict.size() & 0xff),
                static_cast<char>(dict.size() >> 8), dict);
}

}  // namespace anodiff::formats
