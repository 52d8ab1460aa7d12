// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <concepts>
#include <stdexcept>
#include <string>
#include <string_view>

namespace anodiff {

/// Root of all errors thrown here. The message is one sentence: who, what was needed, what was got, where.
class error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The caller asked for something that cannot be: a parameter out of range, an unknown name, a wrong order of calls.
class invalid_argument : public error {
 public:
  using error::error;
};

/// A file, a table or a model is damaged, or does not fit what the model has learned.
class data_error : public error {
 public:
  using error::error;
};

/// A computation left the range of numbers: a loss that diverged, a score that is not finite.
class numeric_error : public error {
 public:
  using error::error;
};

/// The operating system refused: a file could not be opened, written or renamed.
class io_error : public error {
 public:
  using error::error;
};

/// The work needs more memory than its limit allows; thrown before the memory is touched.
class memory_error : public error {
 public:
  using error::error;
};

namespace detail {

inline void append(std::string& out, std::string_view text) { out.append(text); }
inline void append(std::string& out, const char* text) { out.append(text); }
inline void append(std::string& out, const std::string& text) { out.append(text); }
inline void append(std::string& out, char c) { out.push_back(c); }
inline void append(std::string& out, bool value) { out.append(value ? "true" : "false"); }
template <class Number>
requires((std::integral<Number> || std::floating_point<Number>)&&!std::same_as<Number, bool> &&
         !std::same_as<Number, char>) void append(std::string& out, Number value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  out.append(text, end);
}

}  // namespace detail

/// Joins text and numbers into one string; a floating-point number is written shortest, so that it reads back the same.
template <class... Parts>
[[nodiscard]] std::string concat(const Parts&... parts) {
  std::string out;
  (detail::append(out, parts), ...);
  return out;
}

/// Throws Error with the joined parts unless condition holds; the message is built only then.
template <class Error = invalid_argument, class... Parts>
void check(bool condition, const Parts&... parts) {
  if (!condition) [[unlikely]]
    throw Error(concat(parts...));
}

}  // namespace anodiff
