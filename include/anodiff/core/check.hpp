// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <concepts>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>

namespace anodiff {

/// Root of all errors thrown here. The message is one sentence: who, what was needed, what was got, where. Rows are
/// counted from 1, as in files; a column goes by its name, which is its number from 0 where it was given none.
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

/// The caller's progress callback asked for the end of a call that has nothing to keep: scoring, or calibrating.
class stopped : public error {
 public:
  using error::error;
};

namespace detail {

/// One piece of a message. Its kind is a value and not a type, so that a message costs the compiler one array.
class text_part {
 public:
  text_part(std::string_view text) noexcept : kind_{kind::text}, text_{text} {}    // NOLINT: every part converts
  text_part(const char* text) noexcept : kind_{kind::text}, text_{text} {}         // NOLINT
  text_part(const std::string& text) noexcept : kind_{kind::text}, text_{text} {}  // NOLINT
  text_part(char c) noexcept : kind_{kind::character}, character_{c} {}            // NOLINT
  text_part(bool b) noexcept : kind_{kind::text}, text_{b ? "true" : "false"} {}   // NOLINT
  text_part(float value) noexcept : kind_{kind::single}, single_{value} {}         // NOLINT
  text_part(double value) noexcept : kind_{kind::real}, real_{value} {}            // NOLINT
  template <std::signed_integral Number>
  text_part(Number value) noexcept : kind_{kind::integer}, integer_{value} {}  // NOLINT
  template <std::unsigned_integral Number>
  text_part(Number value) noexcept : kind_{kind::natural}, natural_{value} {}  // NOLINT

  void append_to(std::string& out) const {
    char text[32];
    char* const last = text + sizeof text;
    switch (kind_) {
      case kind::text:
        out.append(text_);
        return;
      case kind::character:
        out.push_back(character_);
        return;
      case kind::integer:
        out.append(text, std::to_chars(text, last, integer_).ptr);
        return;
      case kind::natural:
        out.append(text, std::to_chars(text, last, natural_).ptr);
        return;
      case kind::single:
        out.append(text, std::to_chars(text, last, single_).ptr);
        return;
      case kind::real:
        out.append(text, std::to_chars(text, last, real_).ptr);
        return;
    }
  }

 private:
  enum class kind : char { text, character, integer, natural, single, real } kind_;
  union {
    std::string_view text_;
    char character_;
    long long integer_;
    unsigned long long natural_;
    float single_;
    double real_;
  };
};

[[nodiscard, gnu::noinline]] inline std::string join(std::initializer_list<text_part> parts) {
  std::string out;
  for (const auto& part : parts) part.append_to(out);
  return out;
}
template <class Error>
[[noreturn, gnu::noinline, gnu::cold]] void fail(std::initializer_list<text_part> parts) {
  throw Error(join(parts));
}

}  // namespace detail

/// Joins text and numbers into one string; a floating-point number is written shortest, so that it reads back the same.
template <class... Parts>
[[nodiscard]] std::string concat(const Parts&... parts) {
  return detail::join({detail::text_part{parts}...});
}

/// Throws Error with the joined parts unless condition holds; the message is built only then.
template <class Error = invalid_argument, class... Parts>
void check(bool condition, const Parts&... parts) {
  if (!condition) [[unlikely]]
    detail::fail<Error>({detail::text_part{parts}...});
}

}  // namespace anodiff
